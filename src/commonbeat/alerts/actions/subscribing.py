"""Ask for alerts, confirm it, and end it; a person may have several places."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from commonbeat.alerts import events, rules
from commonbeat.alerts.drawn_areas import DrawnError, checked, outline_of
from commonbeat.alerts.geometry import FARTHEST_LATITUDE
from commonbeat.alerts.kinds import KINDS
from commonbeat.alerts.models import Subscription, SubscriptionShape
from commonbeat.foundation.text import clean_text
from commonbeat.messaging.models import Contact
from commonbeat.places.models import Beat

LABEL = 40
# A place is kept to about 100 m.
PLACE_DECIMALS = 3
# What tells one place of a person from another, and what they may change of it.
_PLACE = ("shape", "latitude", "longitude", "beat_id", "area")
_WISHED = ("radius", "kinds", "least_severity", "language", "quiet_from", "quiet_to")


class SubscribeError(ValueError):
    """Carry a sentence in the person's language, and the field that it is about."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


@dataclass(frozen=True, slots=True)
class Where:
    """Where somebody wants to hear of alerts; all is empty for the whole site."""

    # Degrees, and metres.
    latitude: float | None = None
    longitude: float | None = None
    radius: int | None = None
    # GeoJSON Polygon, as it was drawn.
    area: Mapping[str, Any] | None = None
    beat_id: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to hear of; everything, unless they say less."""

    kinds: Sequence[str] = ()
    least_severity: int = 0
    # Minutes after midnight; equal ones: no quiet hours; None: the site's.
    quiet_from: int | None = None
    quiet_to: int | None = None


class Confirmed(NamedTuple):
    """How many places are confirmed, and for how many there was no room any more."""

    kept: int
    left_out: int


def subscribe(
    *,
    contact: Contact,
    where: Where,
    language: str,
    now: datetime,
    wish: Wish = Wish(),  # frozen
    label: str = "",
    is_confirmed: bool = False,
    asked_key: str = "",
) -> Subscription:
    """Store that a contact wants alerts for a place; SubscribeError where that cannot be.

    Until it is confirmed nothing comes of it, and it changes nothing that was asked for under another key: who only
    claims to be this contact may be anybody. is_confirmed is for whoever asked by the very address: a text from the
    telephone, a browser's own push address. The same place again is the same subscription, with the new wish.
    """
    fields = _fields(where, wish, language)
    with transaction.atomic():
        # Whoever asks twice at once waits here, so that the number of places holds.
        Contact.objects.select_for_update().get(pk=contact.pk)
        rows = Subscription.objects.filter(contact=contact, confirmed_at__isnull=not is_confirmed)
        mine = list(rows if is_confirmed else rows.filter(asked_key=asked_key))
        known = next((row for row in mine if _place(row) == _place_in(fields)), None)
        if known is not None:
            _replace(known, fields, label, now=now)
            return known
        if len(mine) >= rules.MOST_PLACES:
            raise SubscribeError(full())
        row = Subscription.objects.create(
            contact=contact,
            label=clean_text(label, LABEL),
            created_at=now,
            confirmed_at=now if is_confirmed else None,
            asked_key="" if is_confirmed else asked_key,
            **fields,
        )
        events.write(events.SUBSCRIBED, subject_id=row.pk, now=now)
        if is_confirmed:
            events.write(events.CONFIRMED, subject_id=row.pk, now=now)
    return row


def refuse_unfit(*, where: Where, wish: Wish, language: str) -> None:
    """Raise the SubscribeError that subscribe would, whoever asks: without the number of places that one may have."""
    _fields(where, wish, language)


def confirm(*, contact: Contact, asked_key: str, now: datetime) -> Confirmed:
    """Confirm what waits under a key, and nothing that somebody else asked for meanwhile.

    What was confirmed for the same place before gets the new wish. What finds no room is deleted.
    """
    kept = left_out = 0
    with transaction.atomic():
        Contact.objects.select_for_update().get(pk=contact.pk)
        rows = list(Subscription.objects.filter(contact=contact).order_by("pk"))
        mine = [row for row in rows if row.confirmed_at is not None]
        for row in rows:
            if row.confirmed_at is not None or row.asked_key != asked_key:
                continue
            known = next((one for one in mine if _place(one) == _place(row)), None)
            if known is None and len(mine) < rules.MOST_PLACES:
                mine.append(row)
                kept += 1
                row.confirmed_at, row.asked_key = now, ""
                row.save(update_fields=["confirmed_at", "asked_key"])
                events.write(events.CONFIRMED, subject_id=row.pk, now=now)
                continue
            if known is not None:
                _replace(known, {name: getattr(row, name) for name in _WISHED}, row.label, now=now)
                kept += 1
            else:
                left_out += 1
            _end(contact, [row.pk], now)
    return Confirmed(kept, left_out)


def change_subscription(
    *,
    contact: Contact,
    subscription_id: int,
    wish: Wish,
    language: str,
    radius: int | None = None,
    label: str = "",
    now: datetime,
) -> bool:
    """Change what a contact hears of for one of its places, and of a point how far around it; False where it is gone.

    SubscribeError where the wish cannot be.
    """
    fields = _wish_fields(wish, language)
    with transaction.atomic():
        mine = Subscription.objects.select_for_update().filter(contact=contact, confirmed_at__isnull=False)
        row = mine.filter(pk=subscription_id).first()
        if row is None:
            return False
        if row.shape == SubscriptionShape.POINT and radius is not None:
            fields["radius"] = _radius(radius)
        _replace(row, fields, label, now=now)
    return True


def end_subscription(*, contact: Contact, subscription_id: int, now: datetime) -> bool:
    """End one place of a contact; False where it is not theirs, or gone already."""
    return _end(contact, [subscription_id], now) > 0


def end_all(*, contact: Contact, now: datetime) -> int:
    """End all places of a contact; give how many there were. It is no STOP: answers still come."""
    return _end(contact, None, now)


def end_kind(*, contact: Contact, kind: str, now: datetime) -> int:
    """Leave one kind of alert off all places of a contact; a place of which nothing is left is ended."""
    changed = 0
    with transaction.atomic():
        for row in Subscription.objects.select_for_update().filter(contact=contact).order_by("pk"):
            left = [code for code in (row.kinds or KINDS) if code != kind]
            if len(left) == len(row.kinds or KINDS):
                continue
            changed += 1
            if not left:
                _end(contact, [row.pk], now)
                continue
            row.kinds = left
            row.save(update_fields=["kinds"])
            events.write(events.NARROWED, subject_id=row.pk, now=now)
    return changed


def _end(contact: Contact, ids: Collection[int] | None, now: datetime) -> int:
    with transaction.atomic():
        mine = Subscription.objects.select_for_update().filter(contact=contact)
        if ids is not None:
            mine = mine.filter(pk__in=ids)
        found = list(mine.order_by("pk").values_list("pk", flat=True))
        Subscription.objects.filter(pk__in=found).delete()
        for pk in found:
            events.write(events.UNSUBSCRIBED, subject_id=pk, now=now)
    return len(found)


def full() -> str:
    """Say that a person has as many places as there may be."""
    return _("You get alerts for %(count)d places already. End one of them first.") % {"count": rules.MOST_PLACES}


def _place(row: Subscription) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in _PLACE)


def _place_in(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(fields[name] for name in _PLACE)


def _replace(row: Subscription, fields: Mapping[str, Any], label: str, *, now: datetime) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.label = clean_text(label, LABEL) or row.label
    row.save()
    events.write(events.CONFIRMED if row.confirmed_at else events.SUBSCRIBED, subject_id=row.pk, now=now)


def _fields(where: Where, wish: Wish, language: str) -> dict[str, Any]:
    return {**_wish_fields(wish, language), **_shape(where)}


def _wish_fields(wish: Wish, language: str) -> dict[str, Any]:
    if language not in settings.COMMONBEAT.languages:
        raise SubscribeError(_("Choose a language of the list."), "language")
    if any(kind not in KINDS for kind in wish.kinds):
        raise SubscribeError(_("Choose what you want to hear of."), "kinds")
    if wish.least_severity not in (0, 1, 2, 3):
        raise SubscribeError(_("Choose how serious it has to be."), "least_severity")
    quiet = (wish.quiet_from, wish.quiet_to)
    if (None in quiet and quiet != (None, None)) or any(one is not None and not 0 <= one < 1_440 for one in quiet):
        raise SubscribeError(_("Write quiet hours as two times of the day, such as 22:00 and 07:00."), "quiet")
    return {
        # All of them is the same as none named, also when another kind is added.
        "kinds": [] if set(wish.kinds) == set(KINDS) else sorted(set(wish.kinds)),
        "least_severity": wish.least_severity,
        "language": language,
        "quiet_from": wish.quiet_from,
        "quiet_to": wish.quiet_to,
    }


def _shape(where: Where) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "shape": SubscriptionShape.ALL, "latitude": None, "longitude": None, "radius": None, "area": None,
        "beat_id": None,
    }  # fmt: skip
    if where.latitude is not None or where.longitude is not None:
        latitude, longitude = where.latitude, where.longitude
        # Also not a number is in no range.
        if latitude is None or longitude is None or not (abs(latitude) <= FARTHEST_LATITUDE and abs(longitude) <= 180):
            raise SubscribeError(_("Choose a place on the map."), "place")
        return shape | {
            "shape": SubscriptionShape.POINT,
            "latitude": round(latitude, PLACE_DECIMALS),
            "longitude": round(longitude, PLACE_DECIMALS),
            "radius": _radius(where.radius),
        }
    if where.area is not None:
        try:
            return shape | {"shape": SubscriptionShape.AREA, "area": checked(outline_of(where.area))}
        except DrawnError as error:
            raise SubscribeError(error.sentence, "area") from None
    if where.beat_id is not None:
        if not Beat.objects.filter(pk=where.beat_id).exists():
            raise SubscribeError(_("Choose an area of the list."), "beat")
        return shape | {"shape": SubscriptionShape.BEAT, "beat_id": where.beat_id}
    return shape


def _radius(metres: int | None) -> int:
    if metres is None or not rules.LEAST_RADIUS <= metres <= rules.MOST_RADIUS:
        raise SubscribeError(_("Choose how far around the place: 100 metres to 100 kilometres."), "radius")
    return metres
