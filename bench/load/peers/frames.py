"""datashader and DuckDB, in an environment of their own: python frames.py FOLDER VIEWS.json SECONDS.

This file runs there, so it imports nothing of the project but the points.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

PACKAGES = ("datashader==0.19.1", "duckdb==2.0.1", "pandas==2.3.3", "pillow==13.0.0", "pyarrow==26.0.1")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))


def main() -> None:
    """Measure both, print JSON."""
    from bench.load.peers.points import View, load

    folder, views, seconds = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), float(sys.argv[3])
    points = load(folder)
    asked = [View(**view) for view in views]
    print(json.dumps({"datashader": shaded(points, asked, seconds), "DuckDB": ducked(points, asked, seconds, folder)}))


def shaded(points: Any, views: list[Any], seconds: float) -> dict[str, float]:
    """Draw the points of a tile on 256 × 256 pixels; the compiler's time is not counted."""
    import datashader
    import pandas

    from bench.load.peers.points import median_by_kind, mercator

    begun = time.perf_counter()
    x, y = mercator(points)
    frame = pandas.DataFrame({"x": x, "y": y, "category": points.category, "day": points.day})
    loaded = time.perf_counter() - begun

    def answer(view: Any) -> None:
        west, south, east, north = view.metres()
        canvas = datashader.Canvas(256, 256, x_range=(west, east), y_range=(south, north))
        chosen = frame
        if view.category >= 0:
            chosen = chosen[chosen["category"] == view.category]
        if view.since is not None:
            chosen = chosen[(chosen["day"] >= view.since) & (chosen["day"] <= view.until)]
        datashader.transfer_functions.shade(canvas.points(chosen, "x", "y")).to_pil()

    answer(views[0])
    return {"load_s": loaded, **median_by_kind(views, answer, seconds)}


def ducked(points: Any, views: list[Any], seconds: float, folder: Path) -> dict[str, float]:
    """Count cells in a Parquet file that is sorted by cell; parents of cells by their bits."""
    import duckdb
    import pandas

    from bench.load.peers.points import median_by_kind

    begun = time.perf_counter()
    db = duckdb.connect()
    db.execute("SET threads = 2")
    columns = points._asdict()
    frame = pandas.DataFrame(columns)  # noqa: F841  # DuckDB reads it by its name
    file = folder / "points.parquet"
    db.execute(f"COPY (SELECT * FROM frame ORDER BY cell) TO '{file}' (FORMAT parquet)")
    loaded = time.perf_counter() - begun

    def answer(view: Any) -> None:
        west, south, east, north = degrees(view)
        # Three bits of a cell for each resolution: what is finer than the tile shows is masked away.
        finest = min(11, max(0, view.zoom - 3))
        mask = ~((1 << (3 * (15 - finest))) - 1)
        db.execute(
            f"SELECT cell & {mask} AS parent, count(*) FROM read_parquet('{file}')"
            f" WHERE longitude BETWEEN {west} AND {east} AND latitude BETWEEN {south} AND {north}"
            + (f" AND category = {view.category}" if view.category >= 0 else "")
            + (f" AND day BETWEEN {view.since} AND {view.until}" if view.since is not None else "")
            + " GROUP BY parent"
        ).fetchall()

    return {"load_s": loaded, **median_by_kind(views, answer, seconds)}


def degrees(view: Any) -> tuple[float, float, float, float]:
    """Give west, south, east, north of a tile."""
    import math

    size = 1 << view.zoom
    north, south = (math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / size)))) for row in (view.y, view.y + 1))
    return view.x / size * 360 - 180, south, (view.x + 1) / size * 360 - 180, north


if __name__ == "__main__":
    main()
