"""Load and store where each conversation stands."""

from __future__ import annotations

from datetime import datetime, timedelta

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
        Session.objects.filter(contact=contact).delete()
        return
    Session.objects.update_or_create(contact=contact, defaults={"state": dump_state(state), "updated_at": now})


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
    ended: dict[LanguageBy, list[int]] = {}
    for pk, stored in Session.objects.filter(updated_at__lte=now - LIFETIME).values_list("pk", "state"):
        state = load_state(stored)
        if state.language_by is LanguageBy.NOBODY or state != State(language_by=state.language_by):
            ended.setdefault(state.language_by, []).append(pk)
    deleted, _by_model = Session.objects.filter(pk__in=ended.pop(LanguageBy.NOBODY, ())).delete()
    for language_by, pks in ended.items():
        deleted += Session.objects.filter(pk__in=pks).update(state=dump_state(State(language_by=language_by)))
    return deleted
