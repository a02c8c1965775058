"""What follows an alert that is out: a correction, more time, its end; each is a message of its own.

All of it goes to everybody whom an earlier message of the chain has reached, by the same channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from commonbeat.alerts import events, rules
from commonbeat.alerts.actions.drafts import (
    HEADLINE,
    Draft,
    Words,
    alert_for_work,
    fields_of,
    new_identifier,
    put_texts,
    refuse_expiry,
    refuse_unready,
)
from commonbeat.alerts.actions.fanning import start_fan_out
from commonbeat.alerts.actions.release import latest_of, lock_chain, refuse_ended, send_out
from commonbeat.alerts.ending_texts import GOOD_NEWS, ending_of
from commonbeat.alerts.errors import AlertError, MovedOn
from commonbeat.alerts.models import Alert, AlertState, MsgType, Urgency
from commonbeat.foundation.text import clean_text
from commonbeat.people.models import User
from commonbeat.people.permissions import Permission

# How long an end is shown, and worth being told.
END_LASTS = timedelta(days=1)
_COPIED = (
    "kind", "status", "urgency", "severity", "certainty", "onset", "expires_at", "area", "area_parts", "south", "west",
    "north", "east", "to_partners",
)  # fmt: skip


def update_alert(*, alert_id: int, draft: Draft, actor: User, now: datetime, after: int | None = None) -> Alert:
    """Correct an alert. Where the correction is immediate and severe, it waits for a second person as a draft does.

    `after` is the newest message as the actor has it before their eyes; MovedOn where another has followed since, or a
    correction waits already.
    """
    fields = fields_of(draft, now=now)
    with transaction.atomic():
        root, latest = _chain_for_work(alert_id, actor, now, after)
        if root.chain.filter(state__in=(AlertState.DRAFT, AlertState.WAITING)).exists():
            raise MovedOn(
                "A correction of this alert waits to be released already. Release that one, or throw it away."
            )
        if fields["status"] != latest.status:
            raise AlertError("A test cannot become an alert, nor an alert a test. Write a new one.", "status")
        alert = _follow(root, latest, actor, now, **fields)
        put_texts(alert, draft.texts)
        if alert.needs_second:
            refuse_unready(alert, main_language=settings.COMMONBEAT.languages[0], now=now)
            events.write(events.ASKED, subject_id=alert.pk, now=now, actor_id=actor.pk, data={"root": root.pk})
        else:
            send_out(alert, actor=actor, now=now, by="one")
    return alert


def extend(*, alert_id: int, expires_at: datetime, actor: User, now: datetime, after: int | None = None) -> Alert:
    """Give an alert more time, or less, and change nothing else; one person may, for two have read its words."""
    refuse_expiry(expires_at, now)
    with transaction.atomic():
        root, latest = _chain_for_work(alert_id, actor, now, after)
        alert = _follow(root, latest, actor, now, expires_at=expires_at.replace(microsecond=0))
        put_texts(alert, _words_of(latest))
        send_out(alert, actor=actor, now=now, by="one")
    return alert


def cancel_alert(*, alert_id: int, actor: User, now: datetime, texts: Mapping[str, Words] | None = None) -> Alert:
    """Take an alert back that was a mistake. What is still waiting is not sent; those reached are told."""
    return _end(alert_id, "mistake", actor, now, texts)


def end_alert(
    *, alert_id: int, outcome: str, actor: User, now: datetime, texts: Mapping[str, Words] | None = None
) -> Alert:
    """Say that it is over, and how it ended: one of rules.GIVEN_OUTCOMES; without texts in the words of the house."""
    if outcome not in rules.GIVEN_OUTCOMES:
        raise AlertError("Choose how it ended.", "outcome")
    return _end(alert_id, outcome, actor, now, texts)


def expire_alerts(*, now: datetime, limit: int = 200) -> int:
    """End the chains whose time is over; give their number."""
    count = 0
    goes_on = Alert.objects.filter(state=AlertState.RELEASED, root_id=OuterRef("pk"), expires_at__gt=now)
    overdue = Alert.objects.filter(~Exists(goes_on), state=AlertState.RELEASED, root=None, ended_at=None)
    overdue = overdue.filter(expires_at__lte=now)
    for root_id in overdue.order_by("expires_at").values_list("pk", flat=True)[:limit]:
        with transaction.atomic():
            root = lock_chain(root_id)
            latest = latest_of(root)
            if not rules.is_due_to_end(latest.expires_at, root.ended_at, now):
                continue
            root.ended_at, root.outcome = latest.expires_at, rules.EXPIRED
            root.save(update_fields=["ended_at", "outcome"])
            events.write(events.ENDED, subject_id=root.pk, now=now, data={"outcome": rules.EXPIRED, "message": None})
            count += 1
    return count


def _end(alert_id: int, outcome: str, actor: User, now: datetime, texts: Mapping[str, Words] | None) -> Alert:
    with transaction.atomic():
        root, latest = _chain_for_work(alert_id, actor, now)
        changes: dict[str, Any] = {"expires_at": (now + END_LASTS).replace(microsecond=0), "onset": None}
        if outcome in GOOD_NEWS:
            changes["urgency"] = Urgency.PAST
        alert = _follow(root, latest, actor, now, msg_type=MsgType.CANCEL, **changes)
        put_texts(alert, texts or _ending(outcome, latest))
        refuse_unready(alert, main_language=settings.COMMONBEAT.languages[0], now=now)
        # Not send_out: who ends an alert of two people may be one.
        alert.state, alert.released_by, alert.released_at = AlertState.RELEASED, actor, now.replace(microsecond=0)
        alert.save()
        root.ended_at, root.outcome = now, outcome
        root.save(update_fields=["ended_at", "outcome"])
        start_fan_out(alert_id=alert.pk, now=now)
        if outcome == "mistake":
            data: events.Data = {"root": root.pk, "kind": alert.kind}
            events.write(events.CANCELLED, subject_id=alert.pk, now=now, actor_id=actor.pk, data=data)
        ended: events.Data = {"outcome": outcome, "message": alert.pk}
        events.write(events.ENDED, subject_id=root.pk, now=now, actor_id=actor.pk, data=ended)
    return alert


def _chain_for_work(alert_id: int, actor: User, now: datetime, after: int | None = None) -> tuple[Alert, Alert]:
    """Lock a chain of which any message is named; give its first and its newest."""
    named = alert_for_work(alert_id=alert_id, actor=actor, permission=Permission.RELEASE_ALERT)
    root = lock_chain(named.root_id_or_own)
    latest = latest_of(root)
    refuse_ended(root, latest, now)
    if after is not None and latest.pk != after:
        raise MovedOn("This alert was followed up already since you loaded the page. Look at it as it is now.")
    return root, latest


def _follow(root: Alert, latest: Alert, actor: User, now: datetime, **changes: Any) -> Alert:
    fields = {name: getattr(latest, name) for name in _COPIED} | {"msg_type": MsgType.UPDATE} | changes
    return Alert.objects.create(
        **fields,
        identifier=new_identifier(),
        root=root,
        previous=latest,
        state=AlertState.WAITING,
        asked_at=now,
        unit=root.unit,
        author=actor,
        created_at=now,
        changed_at=now,
    )


def _words_of(alert: Alert) -> dict[str, Words]:
    return {
        text.language: Words(text.headline, text.description, text.area_desc, text.instruction)
        for text in alert.texts.all()
    }


def _ending(outcome: str, latest: Alert) -> dict[str, Words]:
    words = {}
    for language, said in _words_of(latest).items():
        template = ending_of(outcome, language, said.headline)
        headline = clean_text(template.headline, HEADLINE)
        words[language] = Words(headline, template.description, said.area_desc, template.instruction)
    return words
