"""A complaint or praise that is being written: it travels in hidden fields; nothing is stored before "Send"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from django.conf import settings
from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext as _

from commonbeat.foundation.text import clean_text

COMPLAINT, PRAISE = "complaint", "praise"
KIND, CONTACT, WHEN, WHERE = "kind", "contact", "when", "where"
WHAT, WHO, WANT, INVOLVED, CHECK = "what", "who", "want", "involved", "check"
# What each page asks for itself, and therefore does not carry along hidden.
OWN_FIELDS = {
    KIND: frozenset({"kind", "desk"}),
    CONTACT: frozenset({"contact"}),
    WHEN: frozenset({"day", "time"}),
    WHERE: frozenset({"place"}),
    WHAT: frozenset({"what"}),
    WHO: frozenset({"who"}),
    WANT: frozenset({"want", "want_more"}),
    INVOLVED: frozenset({"involved"}),
    CHECK: frozenset[str](),
}
WHAT_LIMIT, MORE_LIMIT, LINE_LIMIT = 20_000, 4_000, 300
EARLIEST = date(1950, 1, 1)


@dataclass(slots=True)
class Draft:
    """What has been typed so far, as typed."""

    ticket: str
    kind: str = ""
    desk: int = 0
    contact: str = ""
    day: str = ""
    time: str = ""
    place: str = ""
    what: str = ""
    who: str = ""
    want: list[str] = field(default_factory=list)
    want_more: str = ""
    # Numbers of members whom it concerns.
    involved: list[int] = field(default_factory=list)

    @classmethod
    def from_post(cls, data: QueryDict) -> Draft:
        """Read it from the fields of a page; one character more than the limit, so that too much is seen to be."""
        return cls(
            ticket=data.get("ticket", "")[:1_000],
            kind=data.get("kind", "") if data.get("kind") in (COMPLAINT, PRAISE) else "",
            desk=_number(data.get("desk", "")),
            contact=data.get("contact", "") if data.get("contact") in contacts() else "",
            day=data.get("day", "").strip()[:20],
            time=clean_text(data.get("time", ""), LINE_LIMIT),
            place=clean_text(data.get("place", ""), LINE_LIMIT),
            what=clean_text(data.get("what", ""), WHAT_LIMIT + 1),
            who=clean_text(data.get("who", ""), MORE_LIMIT + 1),
            want=[code for code in wants() if code in data.getlist("want")],
            want_more=clean_text(data.get("want_more", ""), MORE_LIMIT + 1),
            involved=sorted({_number(number) for number in data.getlist("involved")[:100]} - {0}),
        )

    @property
    def is_praise(self) -> bool:
        """Tell whether somebody is praised."""
        return self.kind == PRAISE

    def hidden_fields(self, leave_out: frozenset[str]) -> Iterator[tuple[str, str]]:
        """Give the pairs that a page carries along, without those that it asks for itself."""
        pairs = [("desk", str(self.desk or ""))]
        pairs += [(name, getattr(self, name)) for name in ("kind", "contact", "day", "time", "place", "what", "who")]
        pairs += [("want", code) for code in self.want] + [("want_more", self.want_more)]
        pairs += [("involved", str(number)) for number in self.involved]
        for name, value in pairs:
            if name not in leave_out and value:
                yield name, value


def steps_of(draft: Draft, *, has_names: bool) -> list[str]:
    """List the steps, in order; has_names where there are members whom it may be kept from."""
    steps = [KIND, CONTACT, WHEN, WHERE, WHAT, WHO]
    if not draft.is_praise:
        steps += [WANT, INVOLVED] if has_names else [WANT]
    return [*steps, CHECK]


def contacts() -> dict[str, str]:
    """Name the occasions on which people meet the police."""
    return {
        "traffic": _("A traffic control"),
        "identity": _("A check of my papers"),
        "search": _("A search of a person, a car or a home"),
        "arrest": _("An arrest, or time in a cell"),
        "station": _("A visit to a police station"),
        "call": _("A call for help"),
        "gathering": _("A gathering or a protest"),
        "distance": _("By telephone, by letter or on the net"),
        "other": _("Something else"),
    }


def wants() -> dict[str, str]:
    """Name what people may want of a complaint."""
    return {
        "explain": _("An explanation"),
        "apology": _("An apology"),
        "look": _("That what the officer did is looked into"),
        "change": _("That it is done in another way from now on"),
        "back": _("Something back: money, papers or a thing"),
        "record": _("Only that somebody knows of it"),
    }


def problems_in(step: str, draft: Draft, *, today: date, readers: int) -> dict[str, str]:
    """Say what is wrong in one step, field → sentence; `readers` are the people who could read it."""
    if step == KIND:
        return _problems_of_kind(draft)
    if step == WHEN and draft.day:
        day = _day(draft.day)
        if day is None or day < EARLIEST:
            return {"day": _("Enter a day such as 2025-03-27, or leave it empty.")}
        if day > today:
            return {"day": _("This day is still to come.")}
    if step == WHAT and not draft.what:
        return {"what": _("Write what happened. A few words are enough.")}
    for name, limit in (("what", WHAT_LIMIT), ("who", MORE_LIMIT), ("want_more", MORE_LIMIT)):
        if name in OWN_FIELDS[step] and len(getattr(draft, name)) > limit:
            return {name: _("This is too long. Write at most %(count)s characters.") % {"count": limit}}
    if step == INVOLVED and len(draft.involved) >= readers:
        return {"involved": _("Then nobody could read it. Leave at least one person.")}
    return {}


def not_shown() -> str:
    """Name a member who was chosen, and no longer shows themselves in public."""
    return _("A person whose name is not shown any more")


def rows_of(draft: Draft, names: dict[int, str]) -> list[tuple[str, str, str]]:
    """Give what was written as step, term and value; what was left empty is not among them."""
    praise = draft.is_praise
    want = [wants()[code] for code in draft.want] + ([draft.want_more] if draft.want_more else [])
    rows = [
        (KIND, _("What it is"), _("Praise") if praise else _("A complaint")),
        (CONTACT, _("What it was about"), contacts().get(draft.contact, "")),
        (WHEN, _("When"), ", ".join(each for each in (draft.day, draft.time) if each)),
        (WHERE, _("Where"), draft.place),
        (WHO, _("Who of the police"), draft.who),
        (WHAT, _("What happened"), draft.what),
        (WANT, _("What you want"), "" if praise else "\n".join(want)),
        (
            INVOLVED,
            _("Who must not read it"),
            "" if praise else ", ".join(names.get(pk) or not_shown() for pk in draft.involved),
        ),
    ]
    return [row for row in rows if row[2]]


def text_of(draft: Draft, names: dict[int, str]) -> str:
    """Put everything together as the desk reads it, with the terms in the first language of the site."""
    written_in = dict(settings.LANGUAGES).get(translation.get_language() or "", "")
    with translation.override(settings.LANGUAGE_CODE):
        parts = [f"{term}\n{value}" for _step, term, value in rows_of(draft, names)]
        # Whoever answers should know in which language.
        parts.append(f"{_('The form was read in')}\n{written_in}")
    return "\n\n".join(parts)


def _problems_of_kind(draft: Draft) -> dict[str, str]:
    found = {} if draft.kind else {"kind": _("Choose what you want to send.")}
    return found if draft.desk else found | {"desk": _("Choose to whom it goes.")}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
