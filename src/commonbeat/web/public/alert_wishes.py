"""What somebody wrote of the alerts that they want, as the actions take it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from commonbeat.alerts.actions.subscribing import Where, Wish, refuse_unfit, subscribe
from commonbeat.alerts.models import Subscription
from commonbeat.messaging.models import Contact
from commonbeat.web.public import alert_words as words
from commonbeat.web.public.alert_draft import ChosenPlace, SignUp


def store(contact: Contact, draft: SignUp, *, asked_key: str = "", now: datetime) -> list[Subscription]:
    """Store what was asked for: all of it or nothing, confirmed unless it waits under a key."""
    with transaction.atomic():
        return [
            subscribe(
                contact=contact,
                where=where_of(place),
                wish=wish_of(draft),
                language=language_of(draft),
                label=place.label,
                is_confirmed=not asked_key,
                asked_key=asked_key,
                now=now,
            )
            for place in draft.places
        ]


def refuse_unfit_draft(draft: SignUp) -> None:
    """Raise SubscribeError for what nobody could ask for."""
    for place in draft.places:
        refuse_unfit(where=where_of(place), wish=wish_of(draft), language=language_of(draft))


def where_of(place: ChosenPlace) -> Where:
    """Give a chosen place as the action takes it."""
    area = {"type": "Polygon", "coordinates": [place.outline]} if place.outline else None
    return Where(place.latitude, place.longitude, place.radius, area=area, beat_id=place.beat_id)


def wish_of(draft: SignUp) -> Wish:
    """Give what was asked for as the action takes it."""
    begins, ends = draft.quiet_minutes()
    return Wish(kinds=tuple(draft.kinds), least_severity=draft.least, quiet_from=begins, quiet_to=ends)


def language_of(draft: SignUp) -> str:
    """Give the language in which the alerts are to come."""
    return draft.speaks or words.reading_language()
