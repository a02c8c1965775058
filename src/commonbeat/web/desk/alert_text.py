"""What an alert says in each language of the site, as a form says it: gaps filled, lengths checked, parts counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.http import QueryDict

from commonbeat.alerts.actions.drafts import AREA_DESC, DESCRIPTION, HEADLINE, Words
from commonbeat.alerts.kind_texts import TEXTS
from commonbeat.alerts.kinds import GAPS, Kind, filled, gaps_in
from commonbeat.alerts.models import Alert, AlertText
from commonbeat.alerts.rendering import MOST_PARTS, site_of_settings, sms_text
from commonbeat.foundation.text import clean_text, segments
from commonbeat.web.desk.alert_words import language_name
from commonbeat.web.language import direction_of

FIELDS = ("headline", "description", "instruction", "area_desc")
LIMITS = {"headline": HEADLINE, "description": DESCRIPTION, "instruction": DESCRIPTION, "area_desc": AREA_DESC}
LABELS = {
    "headline": "Headline",
    "description": "What has happened",
    "instruction": "What people should do",
    "area_desc": "Where, in words",
}
# What is typed into one gap.
LONGEST_GAP = 200


@dataclass(slots=True)
class Said:
    """What the form says in one language."""

    language: str
    words: Words
    is_main: bool
    # Subscribers who read this language get the main one.
    is_left_out: bool = False
    # Gap and what to write there, of the words above.
    gaps: list[tuple[str, str]] = field(default_factory=list)
    measured: str = ""

    @property
    def name(self) -> str:
        """Name the language as its speakers do."""
        return language_name(self.language)

    @property
    def direction(self) -> str:
        """Give the direction of its writing."""
        return direction_of(self.language)


def texts_of(alert: Alert) -> dict[str, Words]:
    """Give the words of an alert by language."""
    return {
        text.language: Words(text.headline, text.description, text.area_desc, text.instruction)
        for text in alert.texts.all()
    }


def first_words(kind: Kind, areas: Mapping[str, str]) -> dict[str, Words]:
    """Give the words that an officer begins with, in the site's languages that the house has words for."""
    found = {}
    for index, language in enumerate(settings.COMMONBEAT.languages):
        if index and language not in TEXTS[kind.code]:
            continue
        template, area = kind.template_in(language), areas.get(language, "")
        # A list of places is no name for one: it is left to the officer then.
        known = {"place": area} if area and "," not in area else {}
        parts = [filled(text, known) for text in template]
        found[language] = Words(parts[0], parts[1], area, parts[2])
    return found


def read_words(post: QueryDict) -> tuple[dict[str, Words], dict[str, str]]:
    """Read the words of the form with their gaps filled, and what is wrong with them, by field."""
    found: dict[str, Words] = {}
    problems: dict[str, str] = {}
    main = settings.COMMONBEAT.languages[0]
    for language in settings.COMMONBEAT.languages:
        if language != main and post.get(f"out_{language}") == "on":
            continue
        values = {}
        for gap in GAPS:
            given = _line(post.get(f"gap_{language}_{gap}", ""), LONGEST_GAP)
            if not given and language != main and post.get(f"same_{language}") == "on":
                given = _line(post.get(f"gap_{main}_{gap}", ""), LONGEST_GAP)
            # Braces would make another gap.
            if given.strip():
                values[gap] = given.strip().replace("{", "(").replace("}", ")")
        parts = {}
        for name in FIELDS:
            raw = post.get(f"{name}_{language}", "")
            text = filled(clean_text(raw, 3 * LIMITS[name]), values)
            if len(raw) > 3 * LIMITS[name] or len(text) > LIMITS[name]:
                where = f"{LABELS[name]} ({language_name(language)})"
                problems[f"{name}_{language}"] = f"{where} is longer than {LIMITS[name]:,} characters. Shorten it."
            parts[name] = text
        words = Words(parts["headline"], parts["description"], parts["area_desc"], parts["instruction"])
        if not any(parts.values()) and language != main:
            continue
        if words.headline and words.headline == words.description:
            problems[f"description_{language}"] = "The description says more than the headline."
        found[language] = words
    return found, problems


def shown(texts: Mapping[str, Words], alert: Alert | None, *, now: datetime) -> list[Said]:
    """Give what the form shows, language by language, the main one first."""
    rows = []
    for index, language in enumerate(settings.COMMONBEAT.languages):
        words = texts.get(language) or Words("", "", "", "")
        open_gaps = gaps_in(words.headline, words.description, words.instruction, words.area_desc)
        said = Said(
            language, words, is_main=index == 0, is_left_out=bool(texts) and index > 0 and language not in texts
        )
        said.gaps = [(gap, GAPS[gap]) for gap in open_gaps if gap in GAPS]
        if alert is not None and language in texts:
            said.measured = measured(alert, language, words, now=now)
        rows.append(said)
    return rows


def unready(texts: Mapping[str, Words]) -> dict[str, str]:
    """Say, by field, what is missing in texts before they can go out."""
    problems: dict[str, str] = {}
    main = settings.COMMONBEAT.languages[0]
    for language, words in texts.items() if main in texts else [(main, Words("", "", "", "")), *texts.items()]:
        for name in FIELDS:
            text = getattr(words, name)
            gap = next(iter(gaps_in(text)), None)
            if gap is not None:
                problems[f"{name}_{language}"] = (
                    f"{LABELS[name]} ({language_name(language)}) still has the gap {{{gap}}}: {GAPS.get(gap, gap)}."
                )
            elif not text and name != "instruction":
                problems[f"{name}_{language}"] = f"{LABELS[name]} ({language_name(language)}) is empty."
    return problems


def measured(alert: Alert, language: str, words: Words, *, now: datetime) -> str:
    """Say how these words travel by SMS, with all that is added to them."""
    text = AlertText(
        alert=alert,
        language=language,
        headline=" ".join(words.headline.split())[:HEADLINE],
        description=words.description[:DESCRIPTION],
        instruction=words.instruction[:DESCRIPTION],
        area_desc=words.area_desc[:AREA_DESC],
    )
    size = segments(sms_text(alert, text, site=site_of_settings(), now=now))
    parts = f"{size.parts} part by SMS" if size.parts == 1 else f"{size.parts} parts by SMS"
    letters = "" if size.encoding == "GSM-7" else "; its letters make each part shorter (70 characters)"
    whole = sum(len(part) for part in (words.headline, words.description, words.instruction))
    most = MOST_PARTS * (153 if size.encoding == "GSM-7" else 67)
    cut = "; shortened by SMS, the page has all of it" if whole > most else ""
    return f"{parts}{letters}{cut}"


def _line(text: str, limit: int) -> str:
    return " ".join(clean_text(text, limit).split())
