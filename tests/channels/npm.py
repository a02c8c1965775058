"""Peers from npm, fetched for the tests that talk to them."""

from __future__ import annotations

import subprocess
from pathlib import Path

# Without a way to its registry npm waits for minutes before it says so.
SECONDS = 60


def npm_installs(command: list[str], folder: Path) -> bool:
    """Run npm in a folder; tell whether it fetched what was asked for."""
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, timeout=SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
