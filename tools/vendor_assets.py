"""Fetch the vendored browser files again by name with `npm pack`, and check or renew them and VENDORED.md.

Build-time only:  python tools/vendor_assets.py          checks that what is in the tree is what the packages hold
                  python tools/vendor_assets.py --write  writes the files and VENDORED.md anew

Changes made to a file: its sourceMappingURL comment goes, because the map is not shipped and hashed static storage
refuses a reference to a missing file; and REPLACED names what a browser without a bundler could not find.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "src/commonbeat/web/static/vendor"
IMAGES = ("layers.png", "layers-2x.png", "marker-icon.png", "marker-icon-2x.png", "marker-shadow.png")
# package, version, sha256 of its archive, licence, {file in the package: file here}
PACKAGES: list[tuple[str, str, str, str, dict[str, str]]] = [
    (
        "htmx.org",
        "2.0.11",
        "165a2655073e9e6e55e307a7c74e8ebcdb76afb7701f9c16cfd106a13add408e",
        "0BSD",
        {"dist/htmx.min.js": "htmx.min.js"},
    ),
    (
        "leaflet",
        "1.9.4",
        "84c65a256e50657896f54c33bd857b6849ebe94c817803be818bf32a3dde0b77",
        "BSD-2-Clause",
        {
            "dist/leaflet.js": "leaflet/leaflet.js",
            "dist/leaflet.css": "leaflet/leaflet.css",
            "LICENSE": "leaflet/LICENSE",
            **{f"dist/images/{name}": f"leaflet/images/{name}" for name in IMAGES},
        },
    ),
    (
        "libsodium",
        "0.8.4",
        "ff817a39d4664e2aef5b15fcbe729e9a4060d931929b03af624cc8a5588625eb",
        "ISC",
        {"dist/modules-esm/libsodium.mjs": "libsodium/libsodium.js", "LICENSE": "libsodium/LICENSE"},
    ),
    (
        "libsodium-wrappers",
        "0.8.4",
        "858ad2910255d9b6c3527d6b7e8bcfcd98917a495ad2c97775bf2bfede13dfaf",
        "ISC",
        {"dist/modules-esm/libsodium-wrappers.mjs": "libsodium/libsodium-wrappers.js"},
    ),
    (
        "protomaps-leaflet",
        "5.1.0",
        "0b45b08d0e6f7d39816415dbe6821d0556e7997ec716ed0123305cc1fe5a3fd8",
        "BSD-3-Clause",
        {"dist/protomaps-leaflet.js": "protomaps-leaflet.js", "LICENSE": "protomaps-leaflet.LICENSE"},
    ),
    (
        "vazirmatn",
        "33.0.3",
        "9506e9e6a27e62b353c04a136c27de0cc3aa9e434658b45a6363f7c98c357090",
        "OFL-1.1",
        {
            "OFL.txt": "vazirmatn/OFL.txt",
            **{f"fonts/ttf/Vazirmatn-{name}.ttf": f"vazirmatn/Vazirmatn-{name}.ttf" for name in ("Regular", "Bold")},
        },
    ),
]
# file here: (what stands in it exactly once, what takes its place)
REPLACED = {"libsodium/libsodium-wrappers.js": (b'from"libsodium"', b'from"./libsodium.js"')}


def digest(data: bytes) -> str:
    """Give the sha256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def fetch(package: str, version: str, expected: str, wanted: dict[str, str]) -> dict[str, bytes]:
    """Read the wanted files out of a package; stop if the archive is not the one that was reviewed."""
    with tempfile.TemporaryDirectory() as name:
        done = subprocess.run(
            ["npm", "pack", "--silent", f"{package}@{version}"], cwd=name, check=True, capture_output=True, text=True
        )
        archive = Path(name) / done.stdout.strip().splitlines()[-1]
        found = digest(archive.read_bytes())
        if found != expected:
            raise SystemExit(f"{package} {version}: the archive is {found}, not {expected}")
        with tarfile.open(archive) as opened:
            files = {}
            for source, target in wanted.items():
                member = opened.extractfile(f"package/{source}")
                if member is None:
                    raise SystemExit(f"{package} {version} has no {source}")
                files[target] = re.sub(rb"\n?//# sourceMappingURL=\S+\s*$", b"\n", member.read())
                if target in REPLACED:
                    old, new = REPLACED[target]
                    if files[target].count(old) != 1:
                        raise SystemExit(f"{package} {version}: {source} does not hold {old!r} once")
                    files[target] = files[target].replace(old, new)
    return files


def table(files: list[tuple[str, str, str, bytes]]) -> str:
    """Write VENDORED.md."""
    rows = [
        f"| `{target}` | {package} {version} | {licence} | `{digest(data)}` |"
        for target, (package, version, licence, data) in ((f[0], _split(f)) for f in files)
    ]
    world = VENDOR / "world.pmtiles"
    rows.append(
        f"| `world.pmtiles` | Natural Earth 1:10m by way of world-atlas 2.0.2, country names from the CLDR | public domain; "
        f"Unicode-3.0 | `{digest(world.read_bytes())}` |"
    )
    return (
        "# Vendored assets\n\nNothing is fetched from a third party at run time. `tools/vendor_assets.py` checks these files against "
        "the npm packages named here, `python -m tools.basemap` builds the map. A file differs from its package only by its missing "
        "sourceMappingURL comment, and `libsodium-wrappers.js` by the address from which it imports libsodium.\n\n| file | source package | licence | sha256 |\n|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def _split(row: tuple[str, str, str, bytes]) -> tuple[str, str, str, bytes]:
    package, _, version = row[1].rpartition("@")
    return package, version, row[2], row[3]


def main() -> int:
    """Check or write, and tell what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    files: list[tuple[str, str, str, bytes]] = []
    for package, version, expected, licence, wanted in PACKAGES:
        for target, data in fetch(package, version, expected, wanted).items():
            files.append((target, f"{package}@{version}", licence, data))
    wrong = []
    for target, _, _, data in files:
        path = VENDOR / target
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        elif not path.exists() or path.read_bytes() != data:
            wrong.append(target)
    document = VENDOR / "VENDORED.md"
    if write:
        document.write_text(table(files), "utf-8")
    elif not document.exists() or document.read_text("utf-8") != table(files):
        wrong.append("VENDORED.md")
    for name in wrong:
        print(f"differs: {name}")
    print(f"{len(files)} files {'written' if write else 'checked'}, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
