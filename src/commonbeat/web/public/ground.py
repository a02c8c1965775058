"""The map underneath: the town's own file, where somebody has dropped one into the data folder."""

from __future__ import annotations

from django.conf import settings

TOWN = "/map/town.pmtiles"


def town_pmtiles() -> str:
    """Give the address of the town's map, or nothing."""
    return TOWN if (settings.COMMONBEAT.data_dir / "maps" / "town.pmtiles").is_file() else ""
