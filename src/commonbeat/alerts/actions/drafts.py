"""Compose an alert: a draft that nobody but its unit sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from commonbeat.alerts import events, rules
from commonbeat.alerts.errors import AlertError, Edited, MovedOn, NotAllowed
from commonbeat.alerts.geometry import Area, AreaError, make_area
from commonbeat.alerts.kinds import GAPS, KINDS, gaps_in
from commonbeat.alerts.models import Alert, AlertState, AlertText, Certainty, Severity, Status, Urgency
from commonbeat.foundation.ids import new_token
from commonbeat.foundation.text import clean_text
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.places.models import Beat

HEADLINE, DESCRIPTION, AREA_DESC = 160, 2_000, 200


@dataclass(frozen=True, slots=True)
class Words:
    """What an alert says in one language."""

    headline: str
    description: str
    area_desc: str
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What an officer drew: GeoJSON polygons, circles of (latitude, longitude, metres), ids of beats."""

    polygons: Sequence[Mapping[str, Any]] = ()
    circles: Sequence[Sequence[float]] = ()
    beats: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """All that an officer says of an alert."""

    kind: str
    urgency: str
    severity: str
    certainty: str
    expires_at: datetime
    drawn: Drawn
    # language → words
    texts: Mapping[str, Words] = field(default_factory=dict)
    status: str = Status.ACTUAL
    onset: datetime | None = None
    to_partners: bool = False
    # The answer to "do you really mean so large an area?".
    is_large_meant: bool = False


def compose_draft(*, draft: Draft, actor: User, now: datetime) -> Alert:
    """Store a draft; AlertError names the field that is wrong. Gaps in texts may stay until it is released."""
    require(actor, Permission.ALERT)
    fields = fields_of(draft, now=now)
    with transaction.atomic():
        alert = Alert.objects.create(
            **fields,
            identifier=new_identifier(),
            state=AlertState.DRAFT,
            unit=actor.unit,
            author=actor,
            created_at=now,
            changed_at=now,
        )
        put_texts(alert, draft.texts)
        events.write(events.DRAFTED, subject_id=alert.pk, now=now, actor_id=actor.pk, data={"kind": alert.kind})
    return alert


def change_draft(*, alert_id: int, draft: Draft, actor: User, now: datetime, seen: datetime | None = None) -> Alert:
    """Change a draft. One that waited for a second person is a draft again: what they read is what goes out.

    `seen` is its changed_at as the actor has it before their eyes; Edited where it has been changed since.
    """
    fields = fields_of(draft, now=now)
    with transaction.atomic():
        alert = alert_for_work(alert_id=alert_id, actor=actor)
        refuse_unless_unsent(alert)
        refuse_edited(alert, seen)
        for name, value in fields.items():
            setattr(alert, name, value)
        # Whoever wrote the last word is its author, and cannot be its second person.
        alert.author, alert.changed_at = actor, now
        alert.state, alert.asked_at, alert.returned_note = AlertState.DRAFT, None, ""
        alert.save()
        put_texts(alert, draft.texts)
        events.write(events.CHANGED, subject_id=alert.pk, now=now, actor_id=actor.pk)
    return alert


def discard_draft(*, alert_id: int, actor: User, now: datetime) -> Alert:
    """Throw a draft away; it is kept for two years, and goes out no more."""
    with transaction.atomic():
        alert = alert_for_work(alert_id=alert_id, actor=actor)
        refuse_unless_unsent(alert)
        alert.state, alert.changed_at = AlertState.DISCARDED, now
        alert.save(update_fields=["state", "changed_at"])
        events.write(events.DISCARDED, subject_id=alert.pk, now=now, actor_id=actor.pk)
    return alert


# ------------------------------------------------------------------ what the other actions share


def require(actor: User, permission: Permission) -> None:
    """Raise NotAllowed unless the actor may do it."""
    if not may(actor, permission):
        raise NotAllowed


def alert_for_work(*, alert_id: int, actor: User, permission: Permission = Permission.ALERT) -> Alert:
    """Lock an alert that the actor may work on: of the own unit, or of any for who sees all desks; else NotAllowed."""
    require(actor, permission)
    alert = Alert.objects.workable_by(actor).select_for_update().filter(pk=alert_id).first()
    if alert is None:
        raise NotAllowed
    return alert


def refuse_unless_unsent(alert: Alert) -> None:
    """Raise MovedOn for what is out or thrown away."""
    if alert.state == AlertState.RELEASED:
        raise MovedOn("This alert is out already. Correct it by an update, or end it.")
    if alert.state == AlertState.DISCARDED:
        raise MovedOn("This draft was thrown away.")


def refuse_edited(alert: Alert, seen: datetime | None) -> None:
    """Raise Edited for a draft that is not as the actor has read it; None: they have read nothing."""
    if seen is not None and alert.changed_at != seen:
        raise Edited


def new_identifier() -> str:
    """Make a CAP identifier: no spaces, commas, < or &."""
    return f"cb-{new_token()}"


def fields_of(draft: Draft, *, now: datetime) -> dict[str, Any]:
    """Give the columns of a draft, checked; AlertError otherwise."""
    choices = (("status", Status), ("urgency", Urgency), ("severity", Severity), ("certainty", Certainty))
    for name, allowed in choices:
        if getattr(draft, name) not in allowed.values:
            raise AlertError("Choose one of the list.", name)
    if draft.kind not in KINDS:
        raise AlertError("Choose what it is about.", "kind")
    refuse_expiry(draft.expires_at, now)
    if draft.onset is not None and draft.onset >= draft.expires_at:
        raise AlertError("It begins after its end. Correct one of the two.", "onset")
    area = area_of_drawn(draft.drawn, is_large_meant=draft.is_large_meant)
    return {
        "kind": draft.kind,
        "status": draft.status,
        "urgency": draft.urgency,
        "severity": draft.severity,
        "certainty": draft.certainty,
        "onset": draft.onset,
        "expires_at": draft.expires_at.replace(microsecond=0),
        "to_partners": draft.to_partners,
        **area_fields(area, draft.drawn),
    }


def area_of_drawn(drawn: Drawn, *, is_large_meant: bool = False) -> Area:
    """Make the area of what was drawn; AlertError says what is wrong with it, or asks whether it is meant."""
    beats = dict(Beat.objects.filter(pk__in=drawn.beats).values_list("pk", "area"))
    if len(beats) < len(set(drawn.beats)):
        raise AlertError("One of the beats is no longer there. Choose again.", "area")
    try:
        area = make_area(polygons=drawn.polygons, circles=drawn.circles, beats=beats.values())
    except AreaError as error:
        raise AlertError(error.sentence, "area") from None
    if area.asks_twice and not is_large_meant:
        raise AlertError(
            f"This area has {area.square_km:,.0f} km². If you mean all of it, say so below and send it again.", "area"
        )
    return area


def area_fields(area: Area, drawn: Drawn) -> dict[str, Any]:
    """Give the columns of an area."""
    return {
        "area": area.geojson,
        "area_parts": {
            "polygons": [dict(one) for one in drawn.polygons],
            "circles": [list(one) for one in drawn.circles],
            "beats": list(drawn.beats),
        },
        "south": area.south,
        "west": area.west,
        "north": area.north,
        "east": area.east,
    }


def refuse_expiry(expires_at: datetime, now: datetime) -> None:
    """Raise AlertError unless an alert may run until then."""
    if expires_at <= now:
        raise AlertError("The end lies in the past. Choose a later one.", "expires_at")
    if not rules.is_fit_expiry(expires_at, now):
        raise AlertError("An alert runs for 5 minutes at least and 30 days at most.", "expires_at")


def put_texts(alert: Alert, texts: Mapping[str, Words]) -> None:
    """Store what an alert says, in place of what it said; AlertError where a text cannot be one."""
    rows = []
    for language, given in texts.items():
        headline = " ".join(clean_text(given.headline, HEADLINE).split())
        description = clean_text(given.description, DESCRIPTION)
        if not headline and not description:
            continue
        if headline == description:
            raise AlertError("The description says more than the headline.", f"description_{language}")
        rows.append(
            AlertText(
                alert=alert,
                language=language,
                headline=headline,
                description=description,
                instruction=clean_text(given.instruction, DESCRIPTION),
                area_desc=" ".join(clean_text(given.area_desc, AREA_DESC).split()),
            )
        )
    alert.texts.all().delete()
    AlertText.objects.bulk_create(rows)


def refuse_unready(alert: Alert, *, main_language: str, now: datetime) -> None:
    """Raise AlertError for what cannot go out yet: no text, gaps in one, an end that is past."""
    refuse_expiry(alert.expires_at, now)
    texts = {text.language: text for text in alert.texts.all()}
    if main_language not in texts:
        raise AlertError("Write the text in the site's main language.", f"headline_{main_language}")
    for language, text in texts.items():
        for name in ("headline", "description", "area_desc"):
            if not getattr(text, name):
                raise AlertError("Fill this in.", f"{name}_{language}")
        for name in ("headline", "description", "instruction", "area_desc"):
            gaps = gaps_in(getattr(text, name))
            if gaps:
                what = GAPS.get(gaps[0], gaps[0])
                raise AlertError(f"The text still has a gap, {{{gaps[0]}}}: {what}.", f"{name}_{language}")
