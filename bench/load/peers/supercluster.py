"""supercluster (npm): all points in memory, clustered for each zoom before the first tile."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from bench.load.peers.fetch import FOLDER, npm_package
from bench.load.peers.points import Points, View, save

VERSION = "9.1.0"


def absence() -> str:
    """Say why it cannot be measured; nothing when it can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "Node.js is not here"
    return npm_package("supercluster", VERSION)


def measure(points: Points, views: list[View], folder: Path) -> dict[str, float]:
    """Load the points and ask for the tiles; it knows no filter."""
    save(points, folder)
    asked = folder / "views.json"
    asked.write_text(json.dumps([view._asdict() for view in views]))
    script = Path(__file__).with_suffix(".mjs")
    module = FOLDER / "node" / "node_modules" / "supercluster" / "index.js"
    # Ten million features as objects are more than Node's own limit.
    command = ["node", "--max-old-space-size=12000", str(script), str(module), str(folder), str(asked)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=600)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
