"""Release an alert: by one person where that is enough, by two where it is immediate and severe."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from commonbeat.alerts import events, rules
from commonbeat.alerts.actions.drafts import alert_for_work, refuse_edited, refuse_unless_unsent, refuse_unready
from commonbeat.alerts.actions.fanning import start_fan_out
from commonbeat.alerts.errors import AlertError, MovedOn, NeedsSecond
from commonbeat.alerts.models import Alert, AlertState
from commonbeat.foundation.text import clean_text
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission
from commonbeat.people.queries import works_alone

REASON = 300


def ask_second(*, alert_id: int, actor: User, now: datetime, seen: datetime | None = None) -> Alert:
    """Ask for a second person; asked again, the minute does not begin anew."""
    with transaction.atomic():
        alert = alert_for_work(alert_id=alert_id, actor=actor)
        refuse_unless_unsent(alert)
        if alert.state == AlertState.WAITING:
            return alert
        refuse_edited(alert, seen)
        refuse_unready(alert, main_language=settings.COMMONBEAT.languages[0], now=now)
        alert.state, alert.asked_at, alert.changed_at, alert.returned_note = AlertState.WAITING, now, now, ""
        alert.save(update_fields=["state", "asked_at", "changed_at", "returned_note"])
        events.write(events.ASKED, subject_id=alert.pk, now=now, actor_id=actor.pk)
    return alert


def send_back(*, alert_id: int, note: str, actor: User, now: datetime, seen: datetime | None = None) -> Alert:
    """Give an alert back to its author, as the second person, and say why; it is a draft again."""
    note = clean_text(note, REASON)
    if not note:
        raise AlertError("Say in a few words what is to be changed.", "note")
    with transaction.atomic():
        alert = alert_for_work(alert_id=alert_id, actor=actor, permission=Permission.RELEASE_ALERT)
        refuse_unless_unsent(alert)
        refuse_edited(alert, seen)
        if alert.state != AlertState.WAITING:
            raise MovedOn("This alert waits for nobody: it is a draft.")
        alert.state, alert.asked_at, alert.changed_at, alert.returned_note = AlertState.DRAFT, None, now, note
        alert.save(update_fields=["state", "asked_at", "changed_at", "returned_note"])
        events.write(events.SENT_BACK, subject_id=alert.pk, now=now, actor_id=actor.pk)
    return alert


def release(*, alert_id: int, actor: User, now: datetime, seen: datetime | None = None) -> Alert:
    """Let an alert go out. NeedsSecond where the actor wrote it and it takes two; MovedOn where it is out already.

    `seen` is its changed_at as the actor has read it; Edited where it says something else by now.
    """
    with transaction.atomic():
        alert = alert_for_work(alert_id=alert_id, actor=actor, permission=Permission.RELEASE_ALERT)
        refuse_unless_unsent(alert)
        refuse_edited(alert, seen)
        is_second = alert.author_id != actor.pk
        if alert.needs_second and not is_second:
            raise NeedsSecond
        send_out(alert, actor=actor, now=now, by="two" if is_second else "one")
    return alert


def release_alone(*, alert_id: int, reason: str, actor: User, now: datetime, seen: datetime | None = None) -> Alert:
    """Let an alert go out that takes two people, because nobody answered, or because the unit has one person.

    The overseer finds it, with the reason, on their first page and in the journal.
    """
    reason = clean_text(reason, REASON)
    if not reason:
        raise AlertError("Say in a few words why it cannot wait for a second person.", "reason")
    with transaction.atomic():
        alert = alert_for_work(alert_id=alert_id, actor=actor, permission=Permission.RELEASE_ALERT)
        refuse_unless_unsent(alert)
        refuse_edited(alert, seen)
        if not alert.needs_second:
            raise AlertError("This alert needs no second person. Release it as it is.")
        is_single = is_only_one(alert, actor)
        may_alone = rules.may_release_alone(asked_at=alert.asked_at, now=now, is_single=is_single, status=alert.status)
        if not may_alone:
            raise AlertError("Ask for a second person first, and give them a minute to answer.")
        alert.alone_reason = reason
        by = "single" if is_single else "alone"
        send_out(alert, actor=actor, now=now, by=by)
        data: events.Data = {"by": by, "unit": alert.unit_id}
        events.write(events.RELEASED_ALONE, subject_id=alert.pk, now=now, actor_id=actor.pk, data=data)
    return alert


def is_only_one(alert: Alert, actor: User) -> bool:
    """Tell whether the actor is the one person of the alert's unit, which the oversight body has set so."""
    return alert.unit_id is not None and alert.unit_id == actor.unit_id and works_alone(alert.unit)


def send_out(alert: Alert, *, actor: User, now: datetime, by: str) -> None:
    """Release an alert that the caller has locked and whose actor it has judged; part of the caller's transaction."""
    refuse_unready(alert, main_language=settings.COMMONBEAT.languages[0], now=now)
    if alert.root_id is not None:
        root = lock_chain(alert.root_id)
        refuse_ended(root, latest_of(root), now)
        if latest_of(root).pk != alert.previous_id:
            raise MovedOn("Somebody else has followed the alert up meanwhile. Load the page again.")
    alert.state, alert.released_by, alert.changed_at = AlertState.RELEASED, actor, now
    # CAP's times have no fractions, and references name this one.
    alert.released_at = now.replace(microsecond=0)
    alert.save()
    start_fan_out(alert_id=alert.pk, now=now)
    kind = events.RELEASED if alert.root_id is None else events.UPDATED
    data: events.Data = {"kind": alert.kind, "by": by, "root": alert.root_id_or_own}
    events.write(kind, subject_id=alert.pk, now=now, actor_id=actor.pk, data=data)


def lock_chain(root_id: int) -> Alert:
    """Lock the first message of a chain: whoever follows up or ends it waits for whoever does so, too."""
    return Alert.objects.select_for_update().get(pk=root_id)


def latest_of(root: Alert) -> Alert:
    """Give the newest message of a chain that is out."""
    later = Alert.objects.filter(root=root, state=AlertState.RELEASED).order_by("-pk").first()
    return later or root


def refuse_ended(root: Alert, latest: Alert, now: datetime) -> None:
    """Raise MovedOn for a chain that a person or time has ended."""
    if root.state != AlertState.RELEASED:
        raise MovedOn("This alert has not gone out. Change its draft instead.")
    if root.ended_at is not None:
        raise MovedOn("This alert has ended already.")
    if latest.expires_at <= now:
        raise MovedOn("This alert has expired. Write a new one.")
