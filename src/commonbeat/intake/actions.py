"""Load and store where each conversation stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from msgspec.structs import replace

from commonbeat.intake.models import Session
from commonbeat.intake.state import Asks, LanguageBy, State, dump_state, load_state, seconds
from commonbeat.messaging.models import Contact

LIFETIME = timedelta(hours=48)


def load_session(*, contact: Contact, now: datetime) -> State:
    """Give the state of a contact's dialogue and lock it until the transaction ends; fresh after 48 hours."""
    session = Session.objects.select_for_update().filter(contact=contact).first()
    if session is None:
        return State()
    state = load_state(session.state)
    # How the language came to be known outlives the dialogue: a chosen one is for good.
    return State(language_by=state.language_by) if session.updated_at <= now - LIFETIME else state


def save_session(*, contact: Contact, state: State, now: datetime) -> None:
    """Store the state of a contact's dialogue; a fresh one takes no row."""
    if state == State():
        Session.objects.filter(contact=contact, claimed_at__isnull=True).delete()
        Session.objects.filter(contact=contact).update(state={}, updated_at=now)
        return
    Session.objects.update_or_create(contact=contact, defaults={"state": dump_state(state), "updated_at": now})


def load_claimed(*, contact: Contact, now: datetime) -> State:
    """Give what somebody who only claims to be the contact was last asked; fresh after 48 hours."""
    session = Session.objects.filter(contact=contact, claimed_at__gt=now - LIFETIME).first()
    return load_state(session.claimed) if session is not None else State()


def save_claimed(*, contact: Contact, state: State | None, now: datetime) -> None:
    """Store what somebody who only claims to be the contact was asked, or forget it."""
    kept: dict[str, Any] = {} if state is None else {"claimed": dump_state(state), "claimed_at": now}
    if kept:
        Session.objects.update_or_create(
            contact=contact, defaults=kept, create_defaults={**kept, "state": {}, "updated_at": now}
        )
        return
    Session.objects.filter(contact=contact, state={}).delete()
    Session.objects.filter(contact=contact).update(claimed={}, claimed_at=None)


def expect_answer(*, contact: Contact, report_id: int, now: datetime) -> None:
    """Take the next message of a contact as the answer to the desk's question about a report."""
    with transaction.atomic():
        state = load_session(contact=contact, now=now)
        asking = replace(
            State(misses=state.misses, misses_at=state.misses_at, language_by=state.language_by, leaning=state.leaning),
            asks=Asks.ANSWER,
            report_id=report_id,
            last_report_id=report_id,
            last_at=seconds(now),
        )
        save_session(contact=contact, state=asking, now=now)


def purge_sessions(*, now: datetime) -> int:
    """Delete the dialogues that have ended; of a chosen or guessed language that fact alone stays."""
    Session.objects.filter(claimed_at__lte=now - LIFETIME).update(claimed={}, claimed_at=None)
    ended: dict[LanguageBy, list[int]] = {}
    old = Session.objects.filter(updated_at__lte=now - LIFETIME, claimed_at__isnull=True)
    for pk, stored in old.values_list("pk", "state"):
        state = load_state(stored)
        if state.language_by is LanguageBy.NOBODY or state != State(language_by=state.language_by):
            ended.setdefault(state.language_by, []).append(pk)
    deleted, _by_model = Session.objects.filter(pk__in=ended.pop(LanguageBy.NOBODY, ())).delete()
    for language_by, pks in ended.items():
        deleted += Session.objects.filter(pk__in=pks).update(state=dump_state(State(language_by=language_by)))
    return deleted
