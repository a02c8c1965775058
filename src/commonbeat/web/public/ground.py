"""The map underneath: the town's own file, where somebody has dropped one into the data folder."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

TOWN = "/map/town.pmtiles"


def town_pmtiles() -> str:
    """Give the address of the town's map, or nothing."""
    return TOWN if town_file().is_file() else ""


def town_file() -> Path:
    """Name the file of the town's map, whether or not there is one."""
    return settings.COMMONBEAT.data_dir / "maps" / "town.pmtiles"
