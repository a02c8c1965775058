"""What an e-mail may do: anybody can write anybody's address into its From line, so that alone proves nothing.

A report needs no proof. What tells of a person's reports or changes how we write to them needs the token that only
their mailbox was sent (docs/decisions/0018).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.utils import translation

from commonbeat.foundation.ids import parse_reference
from commonbeat.intake import state as dialogue
from commonbeat.intake import texts
from commonbeat.intake.alert_intents import AnswersAlert, EndAlertKind, EndAlerts, GetAlerts
from commonbeat.intake.alert_words import alerts_in
from commonbeat.intake.commands import Word, parse_command
from commonbeat.intake.world import SiteWorld
from commonbeat.media.models import Photo
from commonbeat.messaging import channel as contract
from commonbeat.messaging.models import Contact, ContactKind
from commonbeat.messaging.queries import replies_since
from commonbeat.reports.actions.submit import PHOTO_LIMIT

# Two machines that answer each other, or a forger who would have us write to somebody, come to an end.
ANSWERS_LIMIT, ANSWERS_WINDOW = 10, timedelta(hours=1)
_OPEN_TO_ALL = frozenset({Word.HELP, Word.MENU, Word.GREETING})
# STOP must not confirm what somebody else reported; YES is the dialogue's own answer.
_CONFIRM_NOTHING = frozenset({Word.STOP, Word.YES})
_OF_ALERTS = (dialogue.Asks.ALERT_PLACE, dialogue.Asks.ALERT_PICK)


class ClaimedWorld(SiteWorld):
    """Answer the dialogue for a sender who has proved nothing: of the person who owns the address it knows nothing."""

    is_proven = False

    def standing(self, reference: str) -> dialogue.Standing | None:
        """Know no report."""
        del reference
        return None

    def latest(self) -> dialogue.Standing | None:
        """Know no report."""
        return None

    def since_stop(self) -> Sequence[str]:
        """Know no report."""
        return ()

    def open_question(self) -> dialogue.Question | None:
        """Know no question."""
        return None

    def unconfirmed(self) -> dialogue.Unconfirmed | None:
        """Let nothing be confirmed."""
        return None


def needs_proof(text: str) -> bool:
    """Tell whether a message asks for what only the owner of the address may have."""
    command = parse_command(text, tuple(settings.COMMONBEAT.languages))
    if command is None:
        asked = alerts_in(text)
        # Other words behind ALERTS may make a report of it: that is for the dialogue to tell, see claimed_turn.
        is_asked = asked is not None and (not asked.rest or (asked.ends and asked.rest.isdecimal()))
        return parse_reference(text) is not None or is_asked
    return command.word not in _OPEN_TO_ALL or parse_reference(text) is not None


def ask_for_proof(contact: Contact, *, now: datetime) -> Sequence[str]:
    """Ask the owner of the address to say it again, in an answer to us; nothing after STOP, and not too often."""
    if contact.stopped_at is not None or not may_answer(contact, now=now):
        return ()
    with translation.override(_language(contact)):
        return (texts.prove_sender(),)


def confirms_by_answering(contact: Contact, text: str) -> bool:
    """Tell whether an answer to our mail also says that the reports made from this address were its owner's."""
    if contact.kind != ContactKind.EMAIL:
        return False
    command = parse_command(text, tuple(settings.COMMONBEAT.languages))
    return command is None or command.word not in _CONFIRM_NOTHING


def claimed_state(known: dialogue.State) -> dialogue.State:
    """Give the state in which an unproven message is heard: nothing was asked of it."""
    return dialogue.State(misses=known.misses, misses_at=known.misses_at, language_by=known.language_by)


def is_continued(known: dialogue.State, claimed: dialogue.State) -> bool:
    """Tell whether a proven message goes on where an unproven one of the same address was answered with a question.

    What the owner was asked comes first: nobody who writes in their name can put another question in its place.
    """
    return claimed.asks is not dialogue.Asks.NOTHING and known.asks is dialogue.Asks.NOTHING


def continued(known: dialogue.State, claimed: dialogue.State) -> dialogue.State:
    """Give the state in which that message is heard."""
    return msgspec.structs.replace(
        claimed, misses=known.misses, misses_at=known.misses_at, language_by=known.language_by, leaning=known.leaning
    )


def known_after(known: dialogue.State, turn: dialogue.Turn) -> dialogue.State:
    """Give the owner's state after an unproven message: as it was, but for what such messages are counted by."""
    sets_language = any(isinstance(intent, dialogue.SetLanguage) for intent in turn.intents)
    return msgspec.structs.replace(
        known,
        misses=turn.state.misses,
        misses_at=turn.state.misses_at,
        language_by=turn.state.language_by if sets_language else known.language_by,
    )


def claimed_turn(turn: dialogue.Turn, contact: Contact) -> dialogue.Turn:
    """Leave to an unproven message its report alone."""
    if turn.state.asks in _OF_ALERTS or any(isinstance(i, GetAlerts | EndAlerts | EndAlertKind) for i in turn.intents):
        # What alerts come is for the owner of the address to say.
        with translation.override(_language(contact)):
            asks = (texts.prove_sender(),) if turn.replies else ()
        nothing = msgspec.structs.replace(turn.state, asks=dialogue.Asks.NOTHING, options=())
        return dialogue.Turn(nothing, asks)
    intents = tuple(
        intent
        for intent in turn.intents
        if isinstance(intent, dialogue.Submit | dialogue.SubmitCoded | AnswersAlert)
        or (isinstance(intent, dialogue.SetLanguage) and not contact.language)
    )
    has_report = any(isinstance(intent, dialogue.Submit | dialogue.SubmitCoded) for intent in intents)
    replies = turn.replies
    if has_report and replies:
        with translation.override(_language(contact, intents)):
            replies = (f"{replies[0]}\n\n{texts.answer_to_hear()}", *replies[1:])
    return dataclasses.replace(turn, replies=replies, intents=intents)


def may_answer(contact: Contact, *, now: datetime) -> bool:
    """Tell whether an address has not yet been answered too often."""
    if contact.kind != ContactKind.EMAIL:
        return True
    return replies_since(contact, now - ANSWERS_WINDOW) < ANSWERS_LIMIT


def words_of(message: contract.Inbound) -> str:
    """Give what was said; a photo says something, too."""
    if message.text.strip() or not message.photos:
        return message.text
    with translation.override(settings.COMMONBEAT.languages[0]):
        return texts.photo_alone()


def photo_ids(message: contract.Inbound) -> list[int]:
    """Find the pictures that came along; a report takes up three at most."""
    if not message.photos:
        return []
    keys = message.photos[:PHOTO_LIMIT]
    return list(Photo.objects.filter(draft_key__in=keys).order_by("id").values_list("pk", flat=True))


def _language(contact: Contact, intents: Sequence[dialogue.Intent] = ()) -> str:
    known = settings.COMMONBEAT.languages
    said = next((intent.language for intent in intents if isinstance(intent, dialogue.SetLanguage)), "")
    return next((code for code in (said, contact.language) if code in known), known[0])
