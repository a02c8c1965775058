"""List what a release is made of, as CycloneDX 1.5 JSON: python -m tools.sbom [FILE].

Packages and hashes are those of requirements.lock, licences those that the installed packages declare; vendored files
are those of VENDORED.md. The same inputs give the same bytes, so there is no time and no random serial number in it.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
VENDORED = REPOSITORY / "src" / "commonbeat" / "web" / "static" / "vendor" / "VENDORED.md"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
# An identifier or expression of SPDX; what is a sentence instead goes by name.
_SPDX = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")
# What packages declare by other words, or in files only, and what is installed on other systems than this one.
DECLARED = {
    "aiosignal": "Apache-2.0",
    "anyascii": "ISC",
    "colorama": "BSD-3-Clause",
    "fido2": "BSD-2-Clause",
    "h3": "Apache-2.0",
    "jinja2": "BSD-3-Clause",
    "qrcode": "BSD-3-Clause",
    "segno": "BSD-3-Clause",
    "signxml": "Apache-2.0",
    "smpplib": "LGPL-3.0-only",
    "sqlparse": "BSD-3-Clause",
    "tzdata": "Apache-2.0",
    "uvloop": "MIT OR Apache-2.0",
}


def locked(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Give name, version and hashes of every pin of a lock file."""
    pins = list(_PIN.finditer(text))
    for pin, following in zip(pins, [*pins[1:], None], strict=True):
        yield pin[1].lower(), pin[2], _HASH.findall(text[pin.end() : following.start() if following else len(text)])


def vendored(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Give file, source package, licence and hash of each line of VENDORED.md."""
    for line in text.splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 4:
            yield cells[0], cells[1], cells[2], cells[3]


def licence_of(name: str) -> str:
    """Give the licence that a package declares, by SPDX where it is known; empty when it declares none."""
    if name in DECLARED:
        return DECLARED[name]
    try:
        told = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    said = next((told[field] for field in ("License-Expression", "License") if field in told), "")
    return said.strip().split("\n")[0]


def bill() -> dict[str, Any]:
    """Make the bill of materials."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    name, version = project["name"], project["version"]
    lock, table = (REPOSITORY / "requirements.lock").read_text("utf-8"), VENDORED.read_text("utf-8")
    components = [_package(*each) for each in locked(lock)] + [_file(*each) for each in vendored(table)]
    root = f"pkg:pypi/{name}@{version}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, root + lock + table)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": name,
                "version": version,
                "purl": root,
                "licenses": _licences(project["license"]),
            }
        },
        "components": components,
        "dependencies": [{"ref": root, "dependsOn": [each["bom-ref"] for each in components]}],
    }


def _package(name: str, version: str, hashes: list[str]) -> dict[str, Any]:
    purl = f"pkg:pypi/{name}@{version}"
    # One hash for each file of the release that pip may install: CycloneDX has a place for that here.
    files = [{"type": "distribution", "url": purl, "hashes": [_sha256(one)]} for one in hashes]
    licences = _licences(licence_of(name))
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
            "licenses": licences, "externalReferences": files}  # fmt: skip


def _file(path: str, source: str, licence: str, digest: str) -> dict[str, Any]:
    return {"type": "file", "bom-ref": f"vendor/{path}", "name": path, "description": source,
            "licenses": _licences(licence), "hashes": [_sha256(digest)]}  # fmt: skip


def _sha256(digest: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": digest}


def _licences(said: str) -> list[dict[str, Any]]:
    if " " in said and _SPDX.fullmatch(said):
        return [{"expression": said}]
    return [
        {"license": {"id": one} if _SPDX.fullmatch(one) else {"name": one}}
        for one in (each.strip() for each in said.split(";"))
        if one
    ]


def main(arguments: list[str]) -> None:
    """Write it to the file that is named, or to standard output."""
    text = json.dumps(bill(), indent=1, ensure_ascii=False) + "\n"
    if not arguments:
        sys.stdout.write(text)
        return
    file = Path(arguments[0])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    print(f"{file}: {len(bill()['components'])} components")


if __name__ == "__main__":
    main(sys.argv[1:])
