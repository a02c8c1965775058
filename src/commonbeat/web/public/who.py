"""Who is missing on the map: what the counted reports of the last year say of those who did not report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from babel import Locale
from babel.dates import format_skeleton
from django.conf import settings
from django.utils.translation import gettext as _

from commonbeat.maps import make_up, rules
from commonbeat.maps.queries import make_up_of
from commonbeat.topics.models import Topic
from commonbeat.web.jinja import join_list, local_number

# Of 100: below it a language, or a part of the day, is little heard; above it one way is nearly the only one.
_FEW, _FEW_BY_NIGHT, _FEW_ON_WEEKENDS, _NEARLY_ALL = 5, 15, 20, 80


class Share(NamedTuple):
    """One row of a table: a value in words, and how many of 100 reports it has."""

    label: str
    of_100: str


@dataclass(frozen=True, slots=True)
class Who:
    """What the note says; without sentences there is not enough to say."""

    span: str = ""
    sentences: tuple[str, ...] = ()
    # Captions with their rows.
    tables: tuple[tuple[str, tuple[Share, ...]], ...] = ()
    # It speaks of all topics, though one was asked for.
    is_of_all: bool = False


def who_is_missing(topic: Topic | None, language: str) -> Who:
    """Put into words how the reports of a topic, or of all, came in the last drawn months: four queries at most."""
    year = make_up_of(topic.pk if topic else None)
    if year is None:
        # Of one topic there may be too few, though of all together there are enough.
        found = who_is_missing(None, language) if topic else Who()
        return replace(found, is_of_all=topic is not None)
    shares = year.shares
    channels = _named(shares.get(make_up.CHANNEL, {}), channel_names(), _("other ways"))
    languages = shares.get(make_up.LANGUAGE, {})
    spoken = _language_names(language, languages)
    sentences = [
        *_on_channels(channels),
        *_on_languages(languages, spoken),
        *_on_hours(shares.get(make_up.HOURS, {})),
        *_on_days(shares.get(make_up.DAYS, {})),
    ]
    if not sentences:
        return Who()
    tables = (
        (_("How reports came"), _shares(channels)),
        (_("In which language"), _shares(_named(languages, spoken, ""))),
        (_("When in the day"), _shares(_named(shares.get(make_up.HOURS, {}), _hour_names(), ""), by_size=False)),
        (_("On which days"), _shares(_named(shares.get(make_up.DAYS, {}), _day_names(), ""), by_size=False)),
    )
    return Who(_span(year.first, year.last, language), tuple(sentences), tuple(t for t in tables if t[1]))


def channel_names() -> dict[str, str]:
    """Name the ways on which reports come in, as residents know them."""
    sms = _("SMS")
    return {
        "web": _("web form"),
        "kannel_sms": sms,
        "smsgate_sms": sms,
        "twilio_sms": sms,
        "vonage_sms": sms,
        "africastalking_sms": sms,
        "smssync_sms": sms,
        "smpp_sms": sms,
        "webhook_sms": sms,
        "demo_sms": sms,
        "telegram": "Telegram",
        "whatsapp": "WhatsApp",
        "africastalking_ussd": "USSD",
        "email": _("e-mail"),
        "desk": _("written down by the police"),
        "import": _("from a file"),
    }


def _on_channels(channels: Mapping[str, int]) -> list[str]:
    total = sum(channels.values())
    if not total:
        return []
    parts = [f"{name} {of_100(n, total)}" for name, n in _by_size(channels)]
    said = [_("Of 100 reports, by the way they came: %(list)s.") % {"list": join_list(parts)}]
    name, n = _by_size(channels)[0]
    if n * 100 >= total * _NEARLY_ALL:
        said.append(_("Nearly all come one way: %(channel)s. Who cannot use it is hardly heard.") % {"channel": name})
    sms = channel_names()["demo_sms"]
    if settings.COMMONBEAT.sms_number and sms not in channels:
        said.append(_("No report, or hardly any, came by SMS, though this site takes them."))
    return said


def _on_languages(languages: Mapping[str, int], names: Mapping[str, str]) -> list[str]:
    total = sum(languages.values())
    said = []
    for code, _name in settings.LANGUAGES if total else ():
        n = languages.get(code, 0)
        if not n:
            # Fewer than k wait until there are more, so that “none” would say too much.
            sentence = _("No report, or hardly any, came in %(language)s, though this site speaks it.")
            said.append(sentence % {"language": names[code]})
        elif n * 100 < total * _FEW:
            sentence = _("Few reports came in %(language)s: %(number)s of 100.")
            said.append(sentence % {"language": names[code], "number": of_100(n, total)})
    return said


def _on_hours(hours: Mapping[str, int]) -> list[str]:
    total, night = sum(hours.values()), hours.get(make_up.NIGHT, 0)
    if not total or night * 100 >= total * _FEW_BY_NIGHT:
        return []
    if not night:
        return [_("No report, or hardly any, came at night, between 22:00 and 6:00.")]
    sentence = _("Few reports came at night, between 22:00 and 6:00: %(number)s of 100.")
    return [sentence % {"number": of_100(night, total)}]


def _on_days(days: Mapping[str, int]) -> list[str]:
    total, weekend = sum(days.values()), days.get(make_up.WEEKEND, 0)
    if not total or weekend * 100 >= total * _FEW_ON_WEEKENDS:
        return []
    if not weekend:
        return [_("No report, or hardly any, came on a Saturday or Sunday.")]
    sentence = _("Few reports came on Saturdays and Sundays: %(number)s of 100.")
    return [sentence % {"number": of_100(weekend, total)}]


def of_100(n: int, total: int) -> str:
    """Write a share as a whole number of 100; n itself is told nowhere."""
    share = (200 * n + total) // (2 * total)
    return local_number(share) if share else _("fewer than 1")


def _shares(values: Mapping[str, int], *, by_size: bool = True) -> tuple[Share, ...]:
    total = sum(values.values())
    rows = _by_size(values) if by_size else list(values.items())
    return tuple(Share(name, of_100(n, total)) for name, n in rows)


def _by_size(values: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(values.items(), key=lambda row: (-row[1], row[0]))


def _named(values: Mapping[str, int], names: Mapping[str, str], other: str) -> dict[str, int]:
    """Sum by the names of values, in the order of names; several values may share one."""
    found: dict[str, int] = {}
    for code in [*(code for code in names if code in values), *(code for code in values if code not in names)]:
        name = names.get(code, other)
        found[name] = found.get(name, 0) + values[code]
    return found


def _language_names(language: str, said: Mapping[str, int]) -> dict[str, str]:
    languages = Locale.parse(language, sep="-").languages
    own = dict(settings.LANGUAGES)
    codes = [*own, *sorted(code for code in said if code not in own)]
    return {code: languages.get(code) or own.get(code) or code for code in codes}


def _hour_names() -> dict[str, str]:
    return {
        make_up.MORNING: _("morning, from 6:00"),
        make_up.AFTERNOON: _("afternoon, from 12:00"),
        make_up.EVENING: _("evening, from 18:00"),
        make_up.NIGHT: _("night, from 22:00"),
    }


def _day_names() -> dict[str, str]:
    return {make_up.WEEKDAY: _("Monday to Friday"), make_up.WEEKEND: _("Saturday and Sunday")}


def _span(first: int, last: int, language: str) -> str:
    """Name the months from the first to the last."""
    names = [str(format_skeleton("yMMMM", rules.day_of(month), locale=language)) for month in (first, last)]
    return names[0] if first == last else f"{names[0]} – {names[1]}"
