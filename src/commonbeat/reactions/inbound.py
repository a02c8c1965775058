"""When somebody writes: hear it, carry out what the dialogue decided, and say what it says."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import Q
from django.utils import translation

from commonbeat.foundation.ids import format_reference
from commonbeat.intake import state as dialogue
from commonbeat.intake import texts
from commonbeat.intake.actions import load_claimed, load_session, save_claimed, save_session
from commonbeat.intake.alert_intents import AnswersAlert, EndAlertKind, EndAlerts, GetAlerts
from commonbeat.intake.contact_intents import EraseAll, EraseReport
from commonbeat.intake.dialogue import step
from commonbeat.intake.world import CONFIRM_DAYS, SiteWorld
from commonbeat.messaging import channel as contract
from commonbeat.messaging.actions import set_language, start_contact, stop_contact
from commonbeat.messaging.models import Contact
from commonbeat.messaging.sealing import stored_provider_id
from commonbeat.reactions import alert_signups, alerting, letters, proxies
from commonbeat.reactions.erasing import erase_after_reply, erase_report_after_reply
from commonbeat.reactions.reporters import send_question
from commonbeat.reactions.spellings import learn_spelling
from commonbeat.reports.actions.contacts import confirm_contact
from commonbeat.reports.actions.dialogue import answer_desk
from commonbeat.reports.actions.proxies import put_on_behalf
from commonbeat.reports.actions.resend import resend_report
from commonbeat.reports.actions.sort import sort_report
from commonbeat.reports.actions.submit import NOWHERE, Whereabouts, place_report, submit_report
from commonbeat.reports.errors import MoveNotPossible, ReportError
from commonbeat.reports.models import Message, PlaceSource, Report
from commonbeat.topics.models import Topic, TopicVersion
from commonbeat.topics.queries import SIGHTING, UNLISTED
from commonbeat.topics.ready_made import ensure_ready_made

# Two less than the column holds: an answer's key is this one with a letter before it.
KEY_LIMIT = 78


def handle(contact: Contact, message: contract.Inbound, now: datetime) -> Sequence[str]:
    """Take one message inside the caller's transaction; give the replies.

    The contact's channel is the one that the message came by; the same message is one report, whatever happens.
    """
    if message.is_automatic:
        return ()
    channel = message.heard_on or contact.channel
    key = message_key(channel, message.provider_id)
    if message.attachments and not letters.words_of(message).strip():
        return _attachments_left_out(contact) if letters.may_answer(contact, now=now) else ()
    if not message.is_proven and letters.needs_proof(message.text):
        return letters.ask_for_proof(contact, now=now)
    state = known = load_session(contact=contact, now=now)
    signed_up = alert_signups.confirm_by_yes(contact, message, known, now=now)
    if signed_up:
        return signed_up
    kind = SiteWorld if message.is_proven else letters.ClaimedWorld
    world = kind(contact, now=now, answers=message.answers)
    claimed = load_claimed(contact=contact, now=now)
    if not message.is_proven:
        state = letters.claimed_state(known)
    elif letters.is_continued(known, claimed):
        # The owner of the address answers what was asked in answer to a letter of theirs.
        state = letters.continued(known, claimed)
        save_claimed(contact=contact, state=None, now=now)
    if message.is_proven and letters.confirms_by_answering(contact, message.text):
        waiting = world.unconfirmed()
        if waiting is not None:
            _confirm(contact, waiting.question.message_id if waiting.question else 0, now=now)
    turn = step(state, dialogue.Heard(letters.words_of(message)), world, now)
    if not message.is_proven:
        turn = letters.claimed_turn(turn, contact)
    report = _carry_out(turn, message, world=world, channel=channel, key=key, now=now)
    if report is not None:
        turn = dialogue.finish(turn, report_id=report.pk, reference=format_reference(report.reference))
        # A full thread makes a report of its own; what follows belongs to that one.
        turn = dataclasses.replace(turn, state=msgspec.structs.replace(turn.state, last_report_id=report.pk))
    if message.is_proven:
        save_session(contact=contact, state=turn.state, now=now)
        learn_spelling(state, turn, world=world, now=now)
    else:
        save_session(contact=contact, state=letters.known_after(known, turn), now=now)
        if report is not None or turn.state.asks is not dialogue.Asks.NOTHING:
            save_claimed(contact=contact, state=turn.state, now=now)
    if not letters.may_answer(contact, now=now):
        return ()
    # Photos go with a report; those that come with an answer are not kept.
    is_left_out = message.attachments or (message.photos and not any(_submits(turn)))
    return (*turn.replies, *_attachments_left_out(contact)) if is_left_out else turn.replies


def message_key(channel: str, provider_id: str) -> str:
    """Give the key under which a gateway's message is one report; hashed where it is long or odd."""
    key = f"{channel}:{provider_id}"
    if len(key) <= KEY_LIMIT and key.isascii() and key.isprintable():
        return key
    return f"{channel}:h:{hashlib.blake2b(ascii(provider_id).encode(), digest_size=24).hexdigest()}"


def _attachments_left_out(contact: Contact) -> Sequence[str]:
    """Say how a photo gets to the desk, for the chat does not bring it there."""
    if contact.stopped_at is not None:
        return ()
    site = settings.COMMONBEAT
    with translation.override(contact.language if contact.language in site.languages else site.languages[0]):
        return (texts.for_phone(texts.only_text(link=f"{site.site_url.rstrip('/')}/report/")),)


def _row_of(message: contract.Inbound, channel: str) -> Q:
    """Find the stored row of the message that is being answered."""
    stored = stored_provider_id(settings.COMMONBEAT.secret, message.provider_id)
    return Q(channel=channel, provider_id=stored)


def _submits(turn: dialogue.Turn) -> Iterator[bool]:
    return (isinstance(intent, dialogue.Submit | dialogue.SubmitCoded) for intent in turn.intents)


def _carry_out(
    turn: dialogue.Turn, message: contract.Inbound, *, world: SiteWorld, channel: str, key: str, now: datetime
) -> Report | None:
    """Carry out the intents, in order; give the report that the replies speak of."""
    contact = world.contact
    about: Report | None = None
    for intent in turn.intents:
        match intent:
            case dialogue.Submit():
                about = _submit(intent, message, world=world, channel=channel, key=key, now=now)
            case dialogue.SubmitCoded():
                about = _submit_coded(intent, message, world=world, channel=channel, key=key, now=now)
            case dialogue.Answer():
                about = _add(intent, message, world=world, channel=channel, key=key, now=now)
            case dialogue.SetPlace():
                _place(intent, world=world, key=key, now=now)
            case dialogue.SetTopic():
                _sort(intent, world=world, key=key, now=now)
            case dialogue.SetLanguage(language):
                set_language(contact=contact, language=language)
            case dialogue.Stop():
                stop_contact(contact=contact, now=now)
            case dialogue.Start():
                start_contact(contact=contact, now=now)
            case dialogue.Confirm(question_id):
                _confirm(contact, question_id, now=now)
            case EraseReport(report_id):
                if world.is_proven:
                    mine = _row_of(message, channel)
                    erase_report_after_reply(report_id=report_id, contact_id=contact.pk, answering=mine, now=now)
            case EraseAll():
                if world.is_proven:
                    erase_after_reply(contact_id=contact.pk, now=now)
            case GetAlerts() | EndAlerts() | EndAlertKind() | AnswersAlert():
                alerting.carry_out(intent, contact, about=about, now=now)
            case _:
                about = proxies.carry_out(intent, contact, now=now) or about
    return about


def _submit(
    intent: dialogue.Submit, message: contract.Inbound, *, world: SiteWorld, channel: str, key: str, now: datetime
) -> Report:
    topic = ensure_ready_made(intent.topic, now) if intent.topic in UNLISTED else world.topic(intent.topic)
    report, _is_new = submit_report(
        version=_version(topic),
        text=intent.text,
        language=intent.language,
        channel=channel,
        client_key=key,
        where=_whereabouts(intent.spot),
        beat_id=intent.beat_id or None,
        contact_id=world.contact.pk,
        contact_confirmed=message.is_proven,
        photo_ids=letters.photo_ids(message),
        acknowledged=True,
        now=now,
    )
    if intent.on_behalf:
        put_on_behalf(report_id=report.pk, contact_id=world.contact.pk, now=now)
    return report


def _submit_coded(
    intent: dialogue.SubmitCoded, message: contract.Inbound, *, world: SiteWorld, channel: str, key: str, now: datetime
) -> Report:
    coded = intent.coded
    where = _whereabouts(coded.spot)
    if coded.spot is not None:
        # The reporter's own place, by its own name, whether the gazetteer knows it or not.
        where = dataclasses.replace(where, source=PlaceSource.NAMED, name=coded.spot.label)
    told: dict[str, Any] = {
        "version": _version(world.topic(coded.topic.code)),
        "title": "" if coded.topic.sensitive else coded.said,
        "text": coded.text,
        "answers": coded.answers,
        "categories": coded.categories,
        "where": where,
        "client_key": key,
        "now": now,
    }
    if coded.corrects:
        try:
            return resend_report(report_id=coded.corrects, **told)[0]
        except MoveNotPossible:
            # The desk closed it a moment ago: what is said now is a report of its own, for nothing is lost.
            pass
    return submit_report(
        language=intent.language,
        channel=channel,
        contact_id=world.contact.pk,
        contact_confirmed=message.is_proven,
        photo_ids=letters.photo_ids(message),
        acknowledged=True,
        is_structured=True,
        **told,
    )[0]


def _add(
    intent: dialogue.Answer, message: contract.Inbound, *, world: SiteWorld, channel: str, key: str, now: datetime
) -> Report:
    report = Report.objects.filter(pk=intent.report_id).first()
    if report is not None:
        try:
            _say(report.pk, intent.text, world=world, key=f"a:{key}", now=now)
            return report
        except ReportError:
            # The thread takes no more; what was said becomes a report of its own, for nothing is lost.
            pass
    # The report may be gone (its retention, an erasure): then this is the first of a new one.
    language = world.contact.language or settings.COMMONBEAT.languages[0]
    submit = dialogue.Submit("", intent.text, report.language if report is not None else language)
    return _submit(submit, message, world=world, channel=channel, key=key, now=now)


def _confirm(contact: Contact, question_id: int, *, now: datetime) -> None:
    confirm_contact(contact_id=contact.pk, since=now - timedelta(days=CONFIRM_DAYS), now=now)
    message = Message.objects.select_related("report").filter(pk=question_id, report__contact=contact).first()
    if message is not None:
        # After the reply to YES, which is queued later and goes first; and once, should the journal bring it as well.
        send_question(report=message.report, contact=contact, message=message, now=now, priority=1)


def _say(report_id: int, text: str, *, world: SiteWorld, key: str, now: datetime) -> None:
    sender_id = world.contact.pk if world.is_proven else None
    answer_desk(report_id=report_id, text=text, client_key=key, now=now, sender_id=sender_id)


def _place(intent: dialogue.SetPlace, *, world: SiteWorld, key: str, now: datetime) -> None:
    report = Report.objects.filter(pk=intent.report_id).first()
    if report is None:
        return
    if intent.spot is None:
        # A name that nobody could find; the words themselves stand in the thread.
        if not report.has_place:
            where = Whereabouts(source=PlaceSource.NAMED, name=intent.name)
            place_report(report_id=report.pk, where=where, actor_id=None, now=now)
        return
    if report.place_source == PlaceSource.DESK:
        # The desk has placed it; what the person adds is for the desk to judge.
        _say(report.pk, intent.spot.label, world=world, key=f"p:{key}", now=now)
        return
    place_report(report_id=report.pk, where=_whereabouts(intent.spot), actor_id=None, now=now)


def _sort(intent: dialogue.SetTopic, *, world: SiteWorld, key: str, now: datetime) -> None:
    if not Report.objects.filter(pk=intent.report_id).exists():
        return
    topic = alerting.sighting_topic(now) if intent.topic == SIGHTING else world.topic(intent.topic)
    if not sort_report(report_id=intent.report_id, version=_version(topic), now=now):
        name = topic.name_in(settings.COMMONBEAT.languages[0])
        _say(intent.report_id, name, world=world, key=f"t:{key}", now=now)


def _version(topic: Topic) -> TopicVersion:
    assert topic.current is not None, "the queries give topics with a version only"
    return topic.current


def _whereabouts(spot: dialogue.Spot | None) -> Whereabouts:
    if spot is None:
        return NOWHERE
    if not spot.place_id:
        return Whereabouts(PlaceSource.COORDINATES, "", spot.latitude, spot.longitude)
    return Whereabouts(PlaceSource.NAMED, spot.label, spot.latitude, spot.longitude)
