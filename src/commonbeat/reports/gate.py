"""The gate as this site sets it: its region, its languages, its places."""

from collections.abc import Container

from django.conf import settings

from commonbeat.places.gazetteer import known_names
from commonbeat.screening.findings import Screening
from commonbeat.screening.screen import screen


def screen_public(*parts: str, known_places: Container[str] | None = None) -> Screening:
    """Screen the parts of a public copy together; known_places are the gazetteer's names unless given."""
    return screen(
        "\n".join(parts),
        region=settings.COMMONBEAT.region,
        languages=settings.COMMONBEAT.languages,
        known_places=known_names() if known_places is None else known_places,
    )
