"""Measure the map beside its peers on the same points, and print the table."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

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
    points = load(folder)
    absent = {
        "PostGIS": _tried(postgis.absence, lambda: found.update(PostGIS=postgis.measure(points, views, seconds))),
        "supercluster": _tried(
            supercluster.absence, lambda: found.update(supercluster=supercluster.measure(points, views, folder))
        ),
        "datashader, DuckDB": _tried(
            lambda: _frames_absence(may_fetch), lambda: found.update(_frames(views, folder, seconds))
        ),
    }
    _print(found, {name: why for name, why in absent.items() if why})
    return {
        "postgis_town_ratio": _ratio(found.get("PostGIS"), ours["tile_town_p50_ms"], "town"),
        "supercluster_load_ratio": _ratio(found.get("supercluster"), ours["load_s"], "load_s"),
    }


def _tried(absence: Callable[[], str], measure: Callable[[], None]) -> str:
    """Measure one peer; say why it could not be, or nothing. What fails there must not cost the others' figures."""
    problem = absence()
    if not problem:
        try:
            measure()
        except (psycopg.Error, subprocess.SubprocessError, ValueError) as error:
            problem = f"it failed ({type(error).__name__})"
    return problem


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
