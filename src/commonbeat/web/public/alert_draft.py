"""What somebody wants to hear of, while it is being written: it travels in hidden fields, and nothing is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from commonbeat.alerts.drawn_areas import Outline
from commonbeat.alerts.kinds import KINDS
from commonbeat.alerts.models import SubscriptionShape
from commonbeat.alerts.rules import MOST_CORNERS, MOST_PLACES
from commonbeat.foundation.phone import normalise_phone
from commonbeat.foundation.text import clean_text
from commonbeat.messaging.actions.contacts import AddressError, normalised
from commonbeat.messaging.in_force import options_in_force
from commonbeat.messaging.models import ContactKind
from commonbeat.places.models import Beat
from commonbeat.web.public import alert_words as words
from commonbeat.web.public.draft import point_of

WHERE, WHAT, HOW, WHEN, CHECK = "where", "what", "how", "when", "check"
STEPS = (WHERE, WHAT, HOW, WHEN, CHECK)
PUSH, PHONE, EMAIL = "push", "phone", "email"
LABEL_LIMIT = 40
# About 1 m; of an outline, and of any place as it is written into a hidden field.
OUTLINE_DECIMALS, LONGEST_PLACE = 5, 2_000
RADII = (500, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 50_000)
USUAL_RADIUS = 2_000
QUIET_SITE, QUIET_NONE, QUIET_OWN = "site", "none", "own"
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
# What each page asks for itself, and therefore does not carry along hidden.
OWN_FIELDS = {
    WHERE: frozenset({"place"}),
    WHAT: frozenset({"kind", "least"}),
    HOW: frozenset({"how", "phone", "email"}),
    WHEN: frozenset({"speaks", "quiet", "quiet_from", "quiet_to"}),
}


@dataclass(frozen=True, slots=True)
class ChosenPlace:
    """One place: a point with a radius in metres, a beat, an area that was drawn, or all of the site."""

    shape: str
    label: str = ""
    latitude: float | None = None
    longitude: float | None = None
    radius: int | None = None
    beat_id: int | None = None
    # Longitude, latitude; as it was drawn, for only what is stored is rounded so that it stays an area.
    outline: Outline = ()

    @classmethod
    def area(cls, outline: Outline, label: str) -> ChosenPlace:
        """Make a place of an outline."""
        rounded = tuple((round(lon, OUTLINE_DECIMALS), round(lat, OUTLINE_DECIMALS)) for lon, lat in outline)
        return cls(SubscriptionShape.AREA, clean_text(label, LABEL_LIMIT), outline=rounded)

    @classmethod
    def point(cls, latitude: float, longitude: float, radius: int, label: str) -> ChosenPlace:
        """Make a place of a point, rounded to 100 m: no more is needed, so no more is kept."""
        shape, label = SubscriptionShape.POINT, clean_text(label, LABEL_LIMIT)
        return cls(shape, label, round(latitude, 3), round(longitude, 3), radius)

    def written(self) -> str:
        """Write it into a hidden field."""
        where = ""
        if self.shape == SubscriptionShape.POINT:
            where = f"{self.latitude}|{self.longitude}|{self.radius}"
        elif self.shape == SubscriptionShape.BEAT:
            where = str(self.beat_id)
        elif self.shape == SubscriptionShape.AREA:
            where = ",".join(f"{lon} {lat}" for lon, lat in self.outline)
        return f"{self.shape}|{where}|{self.label}"

    @classmethod
    def read(cls, text: str) -> ChosenPlace | None:
        """Read it from a hidden field; None when it is none."""
        shape, *parts = text[:LONGEST_PLACE].split("|")
        if shape == SubscriptionShape.ALL:
            return cls(shape)
        if shape == SubscriptionShape.BEAT and parts and parts[0].isdecimal() and len(parts[0]) < 18:
            return cls(shape, clean_text("|".join(parts[1:]), LABEL_LIMIT), beat_id=int(parts[0]))
        if shape == SubscriptionShape.POINT and len(parts) >= 4 and parts[2] in {str(each) for each in RADII}:
            at = point_of(parts[0], parts[1])
            return cls.point(*at, int(parts[2]), "|".join(parts[3:])) if at else None
        if shape == SubscriptionShape.AREA and len(parts) >= 2:
            outline = _outline(parts[0])
            return cls.area(outline, "|".join(parts[1:])) if outline else None
        return None

    def sentence(self) -> str:
        """Put it into words for the person whose it is."""
        if self.shape == SubscriptionShape.ALL:
            return _("The whole town")
        if self.shape == SubscriptionShape.BEAT:
            return _("Beat: %(name)s") % {"name": self.label}
        if self.shape == SubscriptionShape.AREA:
            drawn = _("An area that you drew")
            return _("%(place)s: %(drawn)s") % {"place": self.label, "drawn": drawn} if self.label else drawn
        where = self.label or _("A point on the map")
        # A name in other letters must not turn the sentence around: it is set apart (U+2068, U+2069).
        where = f"\u2068{where}\u2069"
        return _("%(place)s, %(distance)s around it") % {"place": where, "distance": distance_text(self.radius or 0)}


@dataclass(slots=True)
class SignUp:
    """All that has been said so far, as typed."""

    places: list[ChosenPlace] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    least: int = 0
    how: str = ""
    phone: str = ""
    email: str = ""
    speaks: str = ""
    quiet: str = QUIET_SITE
    quiet_from: str = "22:00"
    quiet_to: str = "07:00"

    @classmethod
    def from_post(cls, data: QueryDict) -> SignUp:
        """Read it from the fields of a page."""
        read = [ChosenPlace.read(text) for text in data.getlist("place")[: MOST_PLACES + 1]]
        least, quiet = data.get("least", "0"), data.get("quiet", QUIET_SITE)
        return cls(
            places=list(dict.fromkeys(place for place in read if place is not None)),
            kinds=[code for code in dict.fromkeys(data.getlist("kind")[:50]) if code in KINDS],
            least=int(least) if least in {"0", "1", "2", "3"} else 0,
            how=data.get("how", "") if data.get("how") in (PUSH, PHONE, EMAIL) else "",
            phone=clean_text(data.get("phone", ""), 60),
            email=clean_text(data.get("email", ""), 260),
            speaks=data.get("speaks", "") if data.get("speaks") in settings.COMMONBEAT.languages else "",
            quiet=quiet if quiet in (QUIET_SITE, QUIET_NONE, QUIET_OWN) else QUIET_SITE,
            quiet_from=data.get("quiet_from", "22:00")[:10],
            quiet_to=data.get("quiet_to", "07:00")[:10],
        )

    def hidden_fields(self, leave_out: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
        """Give the pairs that a page carries along, without those that it asks for itself."""
        pairs = [("place", place.written()) for place in self.places] + [("kind", code) for code in self.kinds]
        pairs += [("least", str(self.least)), ("how", self.how), ("phone", self.phone), ("email", self.email)]
        pairs += [("speaks", self.speaks), ("quiet", self.quiet)]
        pairs += [("quiet_from", self.quiet_from), ("quiet_to", self.quiet_to)]
        for name, value in pairs:
            if name not in leave_out and value:
                yield name, value

    def quiet_minutes(self) -> tuple[int | None, int | None]:
        """Give the quiet hours in minutes after midnight: None is the site's, equal ones are none."""
        if self.quiet == QUIET_NONE:
            return 0, 0
        begins, ends = minutes_of(self.quiet_from), minutes_of(self.quiet_to)
        return (begins, ends) if self.quiet == QUIET_OWN and begins is not None and ends is not None else (None, None)

    def address(self) -> tuple[str, str]:
        """Give the kind and text of the address that was typed."""
        return (ContactKind.PHONE, self.phone) if self.how == PHONE else (ContactKind.EMAIL, self.email)


def ways() -> list[str]:
    """List how this site can reach people."""
    options = options_in_force()
    mail = options.mail_address and options.mail_smtp_host
    return [PUSH, PHONE, *([EMAIL] if mail else [])]


def problems_in(step: str, draft: SignUp) -> dict[str, str]:
    """Say what is wrong in one step, field → sentence; nothing when it may go on."""
    if step == WHERE and not draft.places:
        return {"place_text": _("Choose a place, a beat, or the whole town.")}
    if step == WHERE and len(draft.places) > MOST_PLACES:
        return {"place_text": _("These are too many places. Keep %(count)s at most.") % {"count": MOST_PLACES}}
    if step == HOW:
        return _how(draft)
    if step == WHEN and draft.quiet == QUIET_OWN:
        names = ("quiet_from", "quiet_to")
        return {name: _("Write a time such as 22:00.") for name in names if minutes_of(getattr(draft, name)) is None}
    return {}


def quiet_text(draft: SignUp) -> str:
    """Put the quiet hours into words."""
    if draft.quiet == QUIET_NONE:
        return _("None: at any time")
    if draft.quiet == QUIET_OWN:
        return f"{draft.quiet_from}–{draft.quiet_to}"
    site = settings.COMMONBEAT.quiet_hours
    return site.replace("-", "–") if site else _("None: at any time")


def kinds_text(kinds: list[str]) -> str:
    """Put the kinds into words."""
    from commonbeat.web.jinja import join_list

    return join_list([words.kind_name(code) for code in kinds]) if kinds else _("Everything")


def least_options() -> list[tuple[str, str]]:
    """List how bad something must be."""
    return [
        ("0", _("Everything, also small things")),
        ("1", _("Moderate and worse")),
        ("2", _("Severe and worse")),
        ("3", _("Only extreme danger")),
    ]


def beat_options() -> list[tuple[str, str]]:
    """List the beats by name."""
    return [(str(pk), name) for pk, name in Beat.objects.order_by("name").values_list("pk", "name")]


def distance_text(metres: int) -> str:
    """Write a radius."""
    from commonbeat.web.jinja import local_number

    if metres < 1_000:
        return _("%(number)s m") % {"number": local_number(metres)}
    return _("%(number)s km") % {"number": local_number(metres / 1_000)}


def minutes_of(text: str) -> int | None:
    """Read a time of the day; None when it is none."""
    found = _TIME.fullmatch(text.strip())
    return int(found[1]) * 60 + int(found[2]) if found else None


def _how(draft: SignUp) -> dict[str, str]:
    if draft.how not in ways():
        return {"how": _("Choose how the alerts come to you.")}
    if draft.how == PHONE and normalise_phone(draft.phone, settings.COMMONBEAT.region) is None:
        return {"phone": _("This is not a phone number that we can write to. Please check it.")}
    if draft.how == EMAIL:
        try:
            normalised(ContactKind.EMAIL, draft.email, settings.COMMONBEAT.region)
        except AddressError:
            return {"email": _("This is not an e-mail address that we can write to. Please check it.")}
    return {}


def _outline(text: str) -> Outline:
    """Read the corners of an area; nothing when they are none."""
    try:
        pairs = [part.split(" ") for part in text.split(",")[: MOST_CORNERS + 1]]
        return tuple((float(lon), float(lat)) for lon, lat in pairs)
    except ValueError:
        return ()
