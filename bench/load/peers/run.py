"""Measure the map beside its peers on the same points, and print the table."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from bench.load.peers import fetch, frames, postgis, supercluster
from bench.load.peers.points import View, load

KINDS = ("town", "country", "world")


def beside(
    ours: dict[str, float], views: list[View], folder: Path, seconds: float, *, may_fetch: bool
) -> dict[str, float]:
    """Measure every peer for so many seconds per kind of view; ours has load_s, serve_rss_mb and tile_<kind>_p50_ms."""
    found: dict[str, dict[str, Any]] = {
        "this map": {"load_s": ours["load_s"], "rss_mb": ours["serve_rss_mb"]}
        | {kind: ours[f"tile_{kind}_p50_ms"] for kind in KINDS}
    }
    absent: dict[str, str] = {}
    points = load(folder)
    absent["PostGIS"] = postgis.absence()
    if not absent["PostGIS"]:
        found["PostGIS"] = postgis.measure(points, views, seconds)
    absent["supercluster"] = supercluster.absence()
    if not absent["supercluster"]:
        found["supercluster"] = supercluster.measure(points, views, folder)
    del points
    absent["datashader, DuckDB"] = _frames_absence(may_fetch)
    if not absent["datashader, DuckDB"]:
        found |= _frames(views, folder, seconds)
    _print(found, {name: why for name, why in absent.items() if why})
    return {
        "postgis_town_ratio": _ratio(found.get("PostGIS"), ours["tile_town_p50_ms"], "town"),
        "supercluster_load_ratio": _ratio(found.get("supercluster"), ours["load_s"], "load_s"),
    }


def _ratio(peer: dict[str, Any] | None, ours: float, name: str) -> float:
    # 0 where the peer is not here; the table says why.
    return peer[name] / ours if peer else 0.0


def _frames_absence(may_fetch: bool) -> str:
    if not may_fetch and not fetch.has_python_packages():
        return "not fetched in a quick run (800 MB)"
    return fetch.python_packages(*frames.PACKAGES)


def _frames(views: list[View], folder: Path, seconds: float) -> dict[str, dict[str, Any]]:
    asked = folder / "views.json"
    asked.write_text(json.dumps([view._asdict() for view in views]))
    command = [str(fetch.PYTHON), frames.__file__, str(folder), str(asked), str(seconds)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=900)
    found: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _print(found: dict[str, dict[str, Any]], absent: dict[str, str]) -> None:
    print(f"{'':16s} {'load s':>9s} {'MB':>7s}" + "".join(f" {kind + ' ms':>11s} {'ratio':>7s}" for kind in KINDS))
    ours = found["this map"]
    for name, row in found.items():
        memory = f"{row['rss_mb']:7.0f}" if "rss_mb" in row else f"{'':7s}"
        times = "".join(f" {row[kind]:11.2f} {row[kind] / ours[kind]:7.1f}" for kind in KINDS)
        print(f"{name:16s} {row['load_s']:9.2f} {memory}{times}")
    for name, why in absent.items():
        print(f"{name}: not measured, {why}")
