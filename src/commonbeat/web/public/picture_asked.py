"""Which picture is asked for: read and bounded, before anything is drawn."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from PIL import ImageFont

from commonbeat.foundation import clock
from commonbeat.foundation.text import ascii_digits
from commonbeat.maps.measures import MEASURES, REPORTS, Measure
from commonbeat.maps.picture_text import Face
from commonbeat.maps.tiling import FARTHEST_ZOOM
from commonbeat.reports.queries.filters import FilterError, days_of, read_filters
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import public_topics
from commonbeat.web.public.ground import town_file

logger = logging.getLogger(__name__)

NAMES = (
    *("topic", "category", "since", "until", "measure"),
    *("lat", "lon", "zoom", "width", "height", "legend", "language"),
)
WIDTH, HEIGHT = 800, 600
LEAST, MOST = 320, 1_600
_VENDOR = Path(__file__).resolve().parents[1] / "static/vendor"
_FACE = Face(_VENDOR / "vazirmatn/Vazirmatn-Regular.ttf", _VENDOR / "vazirmatn/Vazirmatn-Bold.ttf")


class NoSuchTopic(ValueError):
    """There is no topic of that name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One picture; both days are included."""

    topic: Topic | None
    category: str
    since: date | None
    until: date | None
    measure: Measure
    latitude: float
    longitude: float
    zoom: float
    width: int
    height: int
    has_legend: bool
    language: str
    names_language: bool
    # What the picture says of its age, and by which periods end.
    today: date

    @property
    def topics(self) -> list[Topic]:
        """Give the topics that are counted."""
        return [self.topic] if self.topic else public_topics()

    def key(self) -> tuple[object, ...]:
        """Give all that makes this picture another one."""
        versions = tuple(topic.current_id for topic in self.topics)
        place = (self.latitude, self.longitude, self.zoom, self.width, self.height, self.has_legend)
        named = self.topic.code if self.topic else ""
        shown = (named, self.category, self.since, self.until, self.measure.code)
        return (*shown, *place, self.language, self.today, versions)


def read_asked(params: Mapping[str, str]) -> Asked:
    """Read an address; NoSuchTopic, and FilterError with a sentence for all else that is wrong."""
    topics = public_topics()
    code = params.get("topic", "").strip()
    if code and all(topic.code != code for topic in topics):
        raise NoSuchTopic
    filters = read_filters({name: params.get(name, "") for name in ("topic", "category", "since", "until")}, topics)
    measure = MEASURES.get(params.get("measure", "").strip() or REPORTS.code)
    if measure is None:
        raise FilterError(_("A map counts reports, reports a month, or senders."))
    language = params.get("language", "").strip()
    if language and language not in dict(settings.LANGUAGES):
        raise FilterError(_("This site does not speak that language."))
    options = settings.COMMONBEAT
    size = _("A picture is %(least)s to %(most)s pixels wide and high.") % {"least": LEAST, "most": MOST}
    place = _("A place is a latitude from -90 to 90, a longitude from -180 to 180, and a zoom from 0 to 20.")
    since, until = days_of(filters)
    return Asked(
        topic=next((topic for topic in topics if topic.pk == filters.topic_id), None),
        category=filters.category,
        since=since,
        until=until,
        measure=measure,
        latitude=_number(params, "lat", options.map_latitude, -90, 90, place),
        longitude=_number(params, "lon", options.map_longitude, -180, 180, place),
        zoom=_number(params, "zoom", options.map_zoom, 0, FARTHEST_ZOOM, place),
        width=_whole(params, "width", WIDTH, size),
        height=_whole(params, "height", HEIGHT, size),
        has_legend=_switch(params, "legend"),
        language=language or translation.get_language() or settings.LANGUAGE_CODE,
        names_language=bool(language),
        today=timezone.localtime(clock.now()).date(),
    )


def map_files() -> list[Path]:
    """Give the maps underneath: the world's, and the town's where somebody has dropped one into the data folder."""
    town = town_file()
    return [_VENDOR / "world.pmtiles", *([town] if town.is_file() else [])]


def face() -> Face:
    """Give the letters: maps/font.ttf of the data folder where a site needs a script that ours does not have."""
    folder = settings.COMMONBEAT.data_dir / "maps"
    return _readable(folder / "font.ttf", folder / "font-bold.ttf") if (folder / "font.ttf").is_file() else _FACE


@lru_cache(maxsize=4)
def _readable(regular: Path, bold: Path) -> Face:
    try:
        for path in (regular, bold):
            if path.is_file():
                ImageFont.truetype(path, 10)
    except OSError:
        logger.warning("The font %s cannot be read; pictures are written in ours.", regular.name)
        return _FACE
    return Face(regular, bold if bold.is_file() else regular)


def _number(params: Mapping[str, str], name: str, otherwise: float, least: float, most: float, problem: str) -> float:
    text = ascii_digits(params.get(name, "").strip()[:40])
    if not text:
        return float(otherwise)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise FilterError(problem)
    # Seven digits are a centimetre; more would only make more pictures of the same.
    return round(number, 7)


def _whole(params: Mapping[str, str], name: str, otherwise: int, problem: str) -> int:
    number = _number(params, name, otherwise, LEAST, MOST, problem)
    if number != int(number):
        raise FilterError(problem)
    return int(number)


def _switch(params: Mapping[str, str], name: str) -> bool:
    text = params.get(name, "").strip()
    if text not in ("", "0", "1"):
        raise FilterError(_("legend is 1 for a picture with its legend, or 0 for the map alone."))
    return text != "0"
