"""When somebody dials: the same dialogue as by text message, on screens, answered within the call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.db import transaction
from django.utils import translation

from commonbeat.foundation.ids import format_reference
from commonbeat.foundation.text import ascii_digits
from commonbeat.intake import alert_texts, contact_texts, proxy_texts, screens, texts
from commonbeat.intake.actions import load_session
from commonbeat.intake.dialogue import LANGUAGE_NAMES
from commonbeat.intake.language import by_script
from commonbeat.intake.state import Asks, State
from commonbeat.intake.world import SiteWorld
from commonbeat.messaging import channel as contract
from commonbeat.messaging import sealing
from commonbeat.messaging.actions.calls import Answer, hear_in_call, last_heard
from commonbeat.messaging.actions.contacts import normalised
from commonbeat.messaging.dialling import Dialled
from commonbeat.messaging.models import Contact, ContactKind
from commonbeat.messaging.queries import find_contact
from commonbeat.reactions import sentences
from commonbeat.reactions.inbound import handle
from commonbeat.reactions.trust import DOOR
from commonbeat.reports.models import Message, Report

# No session lasts this many entries; older ones are not looked for.
_MOST_ENTRIES = 60
# Where one of these is asked for, "0" says no more than that the person is done.
_NOTHING_ASKED = (Asks.NOTHING, Asks.CORRECT)
_LISTS = frozenset(
    {Asks.MENU, Asks.TOPIC, Asks.PICK, Asks.LANGUAGE, Asks.CONSENT, Asks.ALERT_PICK, Asks.WHICH_ALERT}
    | {Asks.ABOUT_ALERT, Asks.OFFICER_PICK}
)


@dataclass(frozen=True, slots=True)
class Screen:
    """What the telephone shows; goes_on tells whether it then waits for an entry."""

    text: str
    goes_on: bool


def dial(channel: str, step: Dialled, now: datetime) -> Screen:
    """Answer one step of a session; raise AddressError where the caller has no number.

    A provider repeats all that was entered, and its request where it did not hear the answer: what was heard before
    is found by session and entries, and only what is behind it is new.
    """
    return _Call(channel, step, now).screen()


class _Call:
    """Hold one step while it is answered."""

    def __init__(self, channel: str, step: Dialled, now: datetime) -> None:
        self.channel = channel
        self.now = now
        # Half an emoji is no text that could be stored.
        self.session, entered = (part.encode("utf-8", "replace").decode() for part in (step.session, step.entered))
        self.sender = normalised(ContactKind.PHONE, step.sender, settings.COMMONBEAT.region)
        self.entries = entered.split("*") if entered else []
        self.contact = find_contact(kind=ContactKind.PHONE, address=self.sender)

    def screen(self) -> Screen:
        """Give the screen: the next page, what was answered before, or the answer to what is new."""
        with translation.override(_language(self.contact)):
            count, before = self._heard_before()
            rest = self.entries[count:]
            if not count and (not rest or rest[0] == screens.MORE):
                before = Answer(_opening(self.contact, self._state, self.now), goes_on=True)
            if before is not None and (not rest or rest[0] == screens.MORE):
                shown = screens.pages(before.text)
                page = 0
                while rest and rest[0] == screens.MORE and page + 1 < len(shown):
                    page, rest = page + 1, rest[1:]
                if not rest:
                    return Screen(shown[page], goes_on=before.goes_on or page + 1 < len(shown))
            elif count and not rest:
                return Screen(screens.comes_later(), goes_on=False)
            return self._hear("*".join(rest))

    def _hear(self, entered: str) -> Screen:
        state, said = self._state, entered
        key = ascii_digits(entered.strip())
        if key == screens.LEAVE and state.asks in _NOTHING_ASKED:
            return Screen(texts.for_phone(texts.left()), goes_on=False)
        if state.asks in _NOTHING_ASKED:
            said = screens.START_WORDS.get(key, entered)
        message = contract.Inbound(
            provider_id=self._id(len(self.entries)),
            sender=self.sender,
            text=said,
            sent_at=self.now,
            heard_on=self.channel,
        )

        def respond(contact: Contact) -> Answer:
            return _respond(contact, message, before=state, is_leaving=key == screens.LEAVE, now=self.now)

        answer = hear_in_call(channel=self.channel, message=message, respond=respond, now=self.now, door=DOOR)
        if answer is None:
            return Screen(screens.comes_later(), goes_on=False)
        with translation.override(_language(find_contact(kind=ContactKind.PHONE, address=self.sender))):
            shown = screens.pages(answer.text)
        return Screen(shown[0], goes_on=answer.goes_on or len(shown) > 1)

    def _heard_before(self) -> tuple[int, Answer | None]:
        """Give how many of the entries were heard, and what was answered to the last of them."""
        counts = range(max(1, len(self.entries) - _MOST_ENTRIES), len(self.entries) + 1)
        ids = {self._id(count): count for count in counts}
        last = last_heard(channel=self.channel, provider_ids=tuple(ids))
        return (ids[last[0]], last[1]) if last is not None else (0, None)

    def _id(self, count: int) -> str:
        # Keyed, for numbers and short entries could be guessed from a plain hash.
        parts = (self.session, self.sender, "*".join(self.entries[:count]))
        return sealing.stored_provider_id(settings.COMMONBEAT.secret, "\x00".join(parts))

    @cached_property
    def _state(self) -> State:
        if self.contact is None:
            return State()
        with transaction.atomic():
            return load_session(contact=self.contact, now=self.now)


def _respond(contact: Contact, message: contract.Inbound, *, before: State, is_leaving: bool, now: datetime) -> Answer:
    """Let the dialogue hear a message, and make one text of what it says and what can be entered next."""
    replies = handle(contact, message, now)
    contact.refresh_from_db(fields=["language", "stopped_at"])
    after = load_session(contact=contact, now=now)
    with translation.override(contact.language or by_script(message.text, _languages()) or _languages()[0]):
        said = screens.in_lines(replies) or texts.for_phone(_unsaid(contact))
        said = screens.menu_in_lines(said, len(after.options))
        # The desk's question takes every answer, "0" too.
        has_left = is_leaving and before.asks is not Asks.ANSWER
        if after.asks is Asks.NOTHING and (has_left or before.asks is Asks.LANGUAGE):
            return Answer(screens.in_lines([said, screens.choices()]), goes_on=True)
        if after.asks is Asks.CORRECT:
            said = screens.in_lines([said, texts.for_phone(screens.end())])
        elif after.asks in _LISTS:
            said = screens.in_lines([said, texts.for_phone(screens.back())])
        return Answer(said, goes_on=after.asks is not Asks.NOTHING)


def _unsaid(contact: Contact) -> str:
    # After STOP the dialogue is silent; but whoever dials has asked, and a screen cannot be empty.
    return f"{texts.noted()} {texts.stopped()}" if contact.stopped_at is not None else texts.noted()


def _opening(contact: Contact | None, state: State, now: datetime) -> str:
    """Give the first screen: what an earlier message or session was still asked, else the start."""
    if contact is None or contact.blocked_at is not None:
        return _start()
    language = _language(contact)
    world = SiteWorld(contact, now=now)
    lines: list[str] = []
    match state.asks:
        case Asks.PLACE:
            report = Report.objects.filter(pk=state.report_id, contact=contact).first()
            lines = [screens.where_still(reference=format_reference(report.reference))] if report else []
        case Asks.PICK | Asks.ALERT_PICK | Asks.OFFICER_PICK:
            spots = [world.place(int(option), language) for option in state.options if option.isdecimal()]
            if spots and all(spots):
                lines = [texts.which_place(places=[spot.label for spot in spots if spot]), screens.back()]
        case Asks.TOPIC | Asks.MENU:
            names = {choice.code: choice.name for choice in world.topics(language)}
            if all(option in names for option in state.options):
                lines = [texts.menu(topics=[names[option] for option in state.options]), screens.back()]
        case Asks.TEXT:
            lines = [proxy_texts.tell_us_behalf() if state.on_behalf else texts.tell_us()]
        case Asks.ALERT_PLACE:
            lines = [alert_texts.alerts_none()] if not world.alerts().places else []
        case Asks.OFFICER_PLACE | Asks.OFFICER_TEXT:
            lines = [_of_officer(world, state)]
        case Asks.ERASE | Asks.ERASE_ALL | Asks.ERASE_WHICH:
            lines = list(_of_erasing(world, state))
        case Asks.SAW:
            lines = [alert_texts.tell_what_you_saw(emergency=settings.COMMONBEAT.emergency_number)]
        case Asks.WHICH_ALERT:
            known = {str(each.alert_id): each.headline for each in world.look_outs(language)}
            if all(option in known for option in state.options):
                lines = [alert_texts.which_alert(alerts=[known[option] for option in state.options]), screens.back()]
        case Asks.ABOUT_ALERT:
            known = {str(each.alert_id): each.headline for each in world.look_outs(language)}
            lines = [alert_texts.about_alert(alert=known[option]) for option in state.options if option in known]
            lines += [screens.back()] if lines else []
        case Asks.CONSENT:
            open_ones = [each.reference for each in world.unanswered() if each.report_id == state.report_id]
            danger = settings.COMMONBEAT.emergency_number
            lines = [proxy_texts.consent(reference=each) for each in open_ones]
            if state.sensitive:
                lines = [proxy_texts.consent_danger(reference=each, emergency=danger) for each in open_ones]
            lines += [screens.back()] if lines else []
        case Asks.WHY:
            lines = [proxy_texts.why()]
        case Asks.LANGUAGE:
            names = {code: LANGUAGE_NAMES.get(code, code) for code in state.options}
            lines = [texts.which_language(names=list(names.values())), screens.back()]
        case Asks.ANSWER:
            question = world.open_question()
            message = (
                Message.objects.select_related("report").filter(pk=question.message_id).first() if question else None
            )
            lines = [sentences.question(message.report, message.text)] if message else []
    if not lines:
        return _start()
    return screens.menu_in_lines(texts.for_phone(screens.in_lines(lines)), len(state.options))


def _of_officer(world: SiteWorld, state: State) -> str:
    danger = settings.COMMONBEAT.emergency_number
    if state.asks is Asks.OFFICER_PLACE:
        home = world.home() if state.beat_id else None
        if home is not None and home.beat_id == state.beat_id:
            return contact_texts.officer_where_or(emergency=danger, place=home.label)
        return contact_texts.officer_where(emergency=danger)
    beat = world.beat(state.beat_id) if state.beat_id else None
    return contact_texts.officer_here(beat=beat) if beat is not None else contact_texts.officer_no_beat()


def _of_erasing(world: SiteWorld, state: State) -> Iterator[str]:
    if state.asks is Asks.ERASE_ALL:
        yield contact_texts.erase_all_sure()
    elif state.asks is Asks.ERASE:
        for each in world.erasable(report_id=state.report_id):
            ask = contact_texts.erase_sure_kept if each.is_kept else contact_texts.erase_sure
            yield ask(reference=each.reference)
    else:
        known = {str(each.report_id): each.reference for each in world.erasable()}
        if all(option in known for option in state.options):
            yield contact_texts.erase_which(references=[known[option] for option in state.options])


def _start() -> str:
    options = settings.COMMONBEAT
    return screens.start(site=options.site_name, emergency=options.emergency_number)


def _language(contact: Contact | None) -> str:
    return contact.language if contact is not None and contact.language in _languages() else _languages()[0]


def _languages() -> tuple[str, ...]:
    return tuple(settings.COMMONBEAT.languages)
