"""Alerts put into words for the desk: what urgency, severity and certainty mean, numbers of people, the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from commonbeat.alerts import events, rules
from commonbeat.alerts.kinds import KINDS, kind_of
from commonbeat.alerts.models import Alert, MsgType, Status
from commonbeat.alerts.queries import told
from commonbeat.journal.models import Entry
from commonbeat.messaging.channel import channels
from commonbeat.messaging.policy import limits_of
from commonbeat.people.queries import staff_names
from commonbeat.web.desk.delivery import channel_name
from commonbeat.web.desk.history import Happening
from commonbeat.web.jinja import local_datetime, local_number

FEW = f"fewer than {rules.FEWEST_TOLD}"
URGENCIES = [
    ("Immediate", "Immediate", "People must act now."),
    ("Expected", "Expected", "People must act soon, within the hour."),
    ("Future", "Future", "People must act in the near future."),
    ("Past", "Past", "Nothing needs to be done any more."),
    ("Unknown", "Unknown", "Nobody can say yet."),
]
SEVERITIES = [
    ("Extreme", "Extreme", "Lives are in danger, many or surely."),
    ("Severe", "Severe", "Life or property is in serious danger."),
    ("Moderate", "Moderate", "Somebody may come to harm."),
    ("Minor", "Minor", "Hardly any danger; good to know."),
    ("Unknown", "Unknown", "Nobody can say yet."),
]
CERTAINTIES = [
    ("Observed", "Observed", "It has happened, or is happening: somebody saw it."),
    ("Likely", "Likely", "More probable than not."),
    ("Possible", "Possible", "It may happen, but need not."),
    ("Unlikely", "Unlikely", "Not to be expected, yet not ruled out."),
    ("Unknown", "Unknown", "Nobody can say yet."),
]
STATUSES = [
    (Status.ACTUAL.value, "The real thing", "It goes to everybody who asked for such alerts here."),
    (
        Status.EXERCISE.value,
        "Exercise",
        "It goes to the same people; every message begins with EXERCISE.",
    ),
    (Status.TEST.value, "Test", "It goes to the same people; every message begins with TEST."),
]
OUTCOMES = {
    "found_safe": ("Found safe", "The person was found and is well."),
    "found": ("Found", "The person or the thing was found."),
    "solved": ("Put right", "The road is open, the water is clean, the power is back."),
    "over": ("It is over", "Nothing needs to be done any more."),
    "mistake": ("It was a mistake", "The alert should not have gone out."),
    "expired": ("Its time ran out", ""),
}
_FOR_PEOPLE = {"missing_child", "missing_person"}
COLOURS = {"Extreme": "red", "Severe": "orange", "Moderate": "amber", "Minor": "blue", "Unknown": "grey"}
# The badges have fewer colours.
SEVERITY_BADGES = {
    "Extreme": "overdue", "Severe": "overdue", "Moderate": "triaged", "Minor": "verified", "Unknown": "expired"
}  # fmt: skip


def kind_name(code: str) -> str:
    """Name a kind of alert."""
    return kind_of(code).name_in("en")


def language_name(code: str) -> str:
    """Name a language as its speakers do."""
    return str(dict(settings.LANGUAGES).get(code, code))


def outcomes_for(kind: str) -> list[str]:
    """List how an alert of a kind can end, the usual way first; a mistake has a page of its own."""
    first = ("found_safe", "found") if kind in _FOR_PEOPLE else ("found",) if kind == "look_out" else ("solved",)
    rest = [code for code in rules.GIVEN_OUTCOMES if code not in first and code not in ("mistake", "found_safe")]
    return [*first, *(code for code in rest if kind not in _FOR_PEOPLE or code == "over")]


def people(number: int) -> str:
    """Say a number of people as staff are told it."""
    rounded, is_few = told(number)
    return FEW if is_few else local_number(rounded)


def about(number: int, is_few: bool) -> str:
    """Say what told() gave in a sentence."""
    return f"{FEW} people" if is_few else f"about {local_number(number)} people"


def channel_kind(code: str) -> str:
    """Name a channel as people do who read by it: SMS, push, e-mail."""
    limits = limits_of(code)
    if limits is not None and limits.address_kind == "push":
        return "Push"
    return channel_name(code) if code in channels() else code


def lasts(until: datetime, now: datetime) -> str:
    """Say how long it is until a moment: 3 h 20 min."""
    minutes = max(0, round((until - now) / timedelta(minutes=1)))
    days, hours = minutes // 1_440, minutes % 1_440 // 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    return f"{hours} h {minutes % 60} min" if hours and minutes % 60 else f"{hours} h" if hours else f"{minutes} min"


def moment(at: datetime) -> str:
    """Write a moment with its day, in the site's time."""
    return f"{timezone.localtime(at):%a %d %b, %H:%M}"


def until_warning(expires_at: datetime, now: datetime) -> str:
    """Say what is odd about the end of an alert; empty where nothing is."""
    if expires_at < now + timedelta(minutes=30):
        return f"It ends in {lasts(expires_at, now)}. Many will read it too late."
    if expires_at > now + timedelta(days=7):
        return f"It runs for {lasts(expires_at, now)}. People stop looking at alerts that stand for weeks."
    return ""


def when_asked(alert: Alert, now: datetime) -> tuple[str, int]:
    """Say since when an alert waits, and how many seconds are left before one person may release it."""
    assert alert.asked_at is not None
    left = (alert.asked_at + rules.ALONE_AFTER - now).total_seconds()
    return f"{timezone.localtime(alert.asked_at):%H:%M:%S}", max(0, int(left) + (left > int(left)))


def standing(account: Any) -> str:
    """Say in one line how far a message has gone, without telling of few people."""
    if account.fan_out is None:
        return "not sent to subscribers"
    if account.people < rules.FEWEST_TOLD:
        return "being queued" if account.is_under_way else f"for {FEW} people"
    states, parts = account.states, [f"for {people(account.people)} people"]
    fan_out = account.fan_out
    for name, number in (
        ("still to be queued", fan_out.matched - fan_out.passed if account.is_under_way else 0),
        ("waiting to be sent", states["queued"] + states["leased"]),
        ("delayed until the morning", states["delayed"]),
        ("sent", account.sent),
        ("delivered", states["delivered"]),
        ("failed", states["failed"]),
        ("not sent in time or taken back", states["expired"]),
        ("over their limit for the day", fan_out.capped),
        ("asleep until it is over", fan_out.asleep),
        ("who said STOP", fan_out.silent),
    ):
        if number:
            parts.append(f"{people(number)} {name}")
    return ", ".join(parts)


def in_words(entries: Sequence[Entry], chain: Sequence[Alert]) -> list[Happening]:
    """Put the history of a chain into words, oldest first; one query for all names."""
    messages = {message.pk: message for message in chain}
    names = staff_names({entry.actor_id for entry in entries if entry.actor_id is not None})
    found = []
    for entry in entries:
        said = _sentence(entry, messages)
        if said:
            by = names.get(entry.actor_id, "a former colleague") if entry.actor_id is not None else ""
            is_step = entry.kind in (events.RELEASED, events.UPDATED, events.ENDED)
            found.append(Happening(said, entry.at, by, "done" if is_step else ""))
    return found


def _sentence(entry: Entry, messages: Mapping[int, Alert]) -> str:
    data, message = entry.data, messages.get(entry.subject_id)
    if entry.kind == events.RELEASED:
        return {
            "two": "Released by a second person",
            "alone": "Released by one person alone",
            "single": "Released by the one person of the unit",
        }.get(str(data.get("by")), "Released")
    if entry.kind == events.RELEASED_ALONE:
        return f"The reason: {message.alone_reason}" if message is not None and message.alone_reason else ""
    if entry.kind == events.UPDATED:
        until = local_datetime(message.expires_at, "short") if message is not None else ""
        return f"Corrected or extended; it runs until {until}" if until else "Corrected or extended"
    if entry.kind == events.ENDED:
        return f"Ended: {OUTCOMES.get(str(data.get('outcome')), ('over', ''))[0]}"
    if entry.kind == events.FANNED_OUT:
        number = int(data.get("matched") or 0)
        rounded, is_few = told(number)
        return f"Everybody is in the queue: {about(rounded, is_few)}"
    is_first = message is None or message.msg_type == MsgType.ALERT
    return {
        events.DRAFTED: "Draft written",
        events.CHANGED: "Draft changed",
        events.DISCARDED: "Draft thrown away",
        events.ASKED: "A second person was asked" if is_first else "A second person was asked to release a correction",
        events.SENT_BACK: "Sent back by the second person",
        events.TAKEN: "Came in from another system",
    }.get(entry.kind, "")


def kind_tiles() -> list[tuple[str, str, str, str, str]]:
    """List the kinds for the first step: code, name, icon, colour, and their defaults in words."""
    return [
        (
            kind.code,
            kind.name_in("en"),
            kind.icon,
            COLOURS[kind.severity],
            f"{kind.urgency}, {kind.severity.lower()}; for {lasts_hours(kind.hours)}",
        )
        for kind in KINDS.values()
    ]


def lasts_hours(hours: int) -> str:
    """Say a number of hours."""
    return f"{hours} hours" if hours < 48 or hours % 24 else f"{hours // 24} days"
