"""Files of pictures that no row names: what a crash between files and row has left behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from commonbeat.media import store
from commonbeat.media.models import Photo

# An upload writes its row within seconds of its files; a day is beyond doubt.
STRAY_AFTER = timedelta(hours=24)
_ASKED_AT_ONCE = 400


def folders(*, data_dir: Path) -> list[str]:
    """List the names of the folders that hold pictures, at most 4,096, in order."""
    found: set[str] = set()
    for tree in (store.ORIGINALS, store.COPIES):
        place = data_dir / "media" / tree
        if place.is_dir():
            found.update(each.name for each in place.iterdir() if each.is_dir())
    return sorted(found)


def strays(names: Sequence[str], *, data_dir: Path, now: datetime) -> list[Path]:
    """List the files in some folders that are older than a day and belong to no picture."""
    before = (now - STRAY_AFTER).timestamp()
    found: list[Path] = []
    for tree, column in ((store.ORIGINALS, "original_token"), (store.COPIES, "public_token")):
        files = list(_old_files(names, data_dir / "media" / tree, before))
        for start in range(0, len(files), _ASKED_AT_ONCE):
            some = files[start : start + _ASKED_AT_ONCE]
            tokens = {path.name.partition(".")[0] for path in some}
            known = set(Photo.objects.filter(**{f"{column}__in": tokens}).values_list(column, flat=True))
            # A write that was cut off has left ".….part", whose token is empty and known to no row.
            found += [path for path in some if path.name.partition(".")[0] not in known]
    return found


def _old_files(names: Sequence[str], tree: Path, before: float) -> Iterator[Path]:
    for name in names:
        folder = tree / name
        if not folder.is_dir():
            continue
        for path in folder.iterdir():
            if path.suffix in (".sealed", ".part") and path.is_file() and path.stat().st_mtime < before:
                yield path
