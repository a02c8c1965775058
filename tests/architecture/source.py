"""The source tree, as the architecture tests read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src" / "commonbeat"
VENDOR = SOURCE / "web" / "static" / "vendor"


def source_files(*suffixes: str) -> Iterator[Path]:
    """Give the files of the package by ending, without migrations and vendored assets."""
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix in suffixes and "migrations" not in path.parts and VENDOR not in path.parents:
            yield path


def name_of(path: Path) -> str:
    """Name a file below src/commonbeat, or below the repository."""
    return path.relative_to(SOURCE if SOURCE in path.parents else REPOSITORY).as_posix()
