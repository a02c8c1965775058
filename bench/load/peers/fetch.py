"""Fetch peers into .bench/, once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / ".bench"
PYTHON = FOLDER / "venv" / "bin" / "python"
_SECONDS = 600


def npm_package(name: str, version: str) -> str:
    """Have a package from npm; say why not, or nothing."""
    folder = FOLDER / "node"
    if (folder / "node_modules" / name).is_dir():
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), f"{name}@{version}"]
    return _run(command, f"{name} could not be fetched", seconds=30)


def python_packages(*packages: str) -> str:
    """Have packages from PyPI in an environment of their own; say why not, or nothing."""
    stamp = FOLDER / "venv" / ".installed"
    if stamp.exists() and stamp.read_text().split() == list(packages):
        return ""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER / "venv")], check=True)
    problem = _run([str(PYTHON), "-m", "pip", "install", "--quiet", *packages], "packages could not be fetched")
    if not problem:
        stamp.write_text("\n".join(packages))
    return problem


def has_python_packages() -> bool:
    """Tell whether they were fetched before."""
    return (FOLDER / "venv" / ".installed").exists()


def _run(command: list[str], problem: str, *, seconds: float = _SECONDS) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{problem} ({type(error).__name__})"
    return "" if done.returncode == 0 else problem
