"""One dialogue for every channel that carries text: a pure step from what was heard to what is said and done.

No ORM and no clock: what the step may know of the site comes through World, and what it wants done goes out as
intents. Whatever is no command ends in an intent that stores it; only what says nothing gets the help instead.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime

from django.utils import translation
from msgspec.structs import replace

from commonbeat.foundation.ids import find_reference, format_reference, parse_reference
from commonbeat.foundation.text import clean_text, fold
from commonbeat.intake import alert_texts, texts
from commonbeat.intake.alerting import alerts_turn
from commonbeat.intake.asked import World
from commonbeat.intake.behalf import behalf_in, is_resigning
from commonbeat.intake.coded import coded_turn
from commonbeat.intake.commands import (
    Command,
    Word,
    is_new,
    is_new_alone,
    leaves_question,
    number_in,
    parse_command,
    without_command_word,
    without_new,
)
from commonbeat.intake.consent import behalf_alone, consent_turn, late_answer, resign
from commonbeat.intake.erasing import SURE, erase_turn
from commonbeat.intake.officer import officer_answered, officer_asked
from commonbeat.intake.placing import place_given, placed
from commonbeat.intake.scene import Scene, idle, says_nothing
from commonbeat.intake.sighting import ask_about_alert, sighting_turn
from commonbeat.intake.speaking import PLACES_HEARD, listen
from commonbeat.intake.standing import confirm, is_slowed, missed, tell_standing
from commonbeat.intake.state import (
    REFERENCE_MARK,
    Answer,
    Asks,
    Heard,
    LanguageBy,
    SetLanguage,
    SetTopic,
    Standing,
    Start,
    State,
    Stop,
    TopicChoice,
    Turn,
    seconds,
)
from commonbeat.intake.submitting import submit, submit_unsorted

TEXT_LIMIT = 10_000
LANGUAGE_NAMES = {"en": "ENGLISH", "sq": "SHQIP", "ar": "عربي"}


def step(state: State, message: Heard, world: World, now: datetime) -> Turn:
    """Take one message; give the next state, at most two replies, and what is to be done."""
    text = clean_text(message.text, TEXT_LIMIT)
    command = parse_command(text, tuple(world.languages))
    # Its words are codes: amoxicillin and 12:30 are of no language.
    coded = world.code_language(text) if command is None else None
    spoken = listen(state, text, world, command, code_language=coded, now=now)
    scene = Scene(state, text, world, spoken.language, seconds(now))
    language_by = spoken.language_by
    with translation.override(spoken.language):
        turn = coded_turn(scene) if coded is not None else _turn(scene, command)
        intents = turn.intents
        if any(isinstance(intent, SetLanguage) for intent in intents):
            language_by = LanguageBy.CHOSEN
        elif spoken.recognised is not None:
            intents = (SetLanguage(spoken.recognised), *intents)
        # After STOP only START is answered; what else is said is kept all the same.
        silent = world.stopped and not any(isinstance(intent, Start) for intent in intents)
        replies = () if silent else tuple(texts.for_phone(reply) for reply in turn.replies)
    return Turn(replace(turn.state, language_by=language_by, leaning=spoken.leaning), replies, intents)


def _turn(scene: Scene, command: Command | None) -> Turn:
    turn = erase_turn(scene, command)
    if turn is not None:
        return turn
    if scene.state.asks in SURE:
        # Only a YES that comes next erases anything.
        scene = dataclasses.replace(scene, state=idle(scene.state))
    state = scene.state
    if command is not None and command.word in (
        Word.STOP,
        Word.START,
        Word.HELP,
        Word.MENU,
        Word.STATUS,
        Word.LANGUAGE,
    ):
        return _obey(scene, command)
    if not scene.text:
        return _help(scene)
    if parse_reference(scene.text) is not None:
        return tell_standing(scene, find_reference(scene.text) or "")
    marked = is_new(scene.text)
    reference = None if marked or is_slowed(scene) else find_reference(scene.text)
    if reference is not None:
        standing = scene.world.standing(reference)
        if standing is not None:
            return _add_to(scene, standing)
        # Counted like a wrong STATUS: otherwise "AAAA-AAAA-AA hello" would tell which references exist.
        scene = dataclasses.replace(scene, state=missed(scene))
        state = scene.state
    turn = None if marked else _own_words(scene, command)
    turn = turn or _as_proxy(scene, command, marked=marked)
    if turn is None and not marked:
        turn = officer_answered(scene, command)
    if turn is not None:
        return turn
    # The desk's question takes every answer, "0", "no" and "ok" too; only the word CANCEL itself leaves it.
    if state.asks is Asks.ANSWER and not marked:
        if leaves_question(scene.text):
            return _leave(scene)
        return _answer(scene, state.report_id)
    if command is not None:
        if command.word is Word.YES:
            return confirm(scene)
        if command.word is Word.CANCEL:
            if state.asks is Asks.CORRECT and scene.is_soon and not fold(scene.text).isdigit():
                # "Place: Old Bridge. If that is wrong …" - "No."
                return Turn(replace(state, asks=Asks.PLACE), (texts.where_then(),))
            return _leave(scene)
        return _help(scene) if command.word is Word.GREETING else Turn(state)
    told = _told(scene, marked=marked)
    return told if marked else ask_about_alert(scene, told)


def _own_words(scene: Scene, command: Command | None) -> Turn | None:
    """Take what begins with a word of ours that is no command: ALERTS, OFFICER, SAW."""
    return alerts_turn(scene, command) or officer_asked(scene, command) or sighting_turn(scene, command)


def _as_proxy(scene: Scene, command: Command | None, *, marked: bool) -> Turn | None:
    """Take what somebody says who reports for others; to everybody else these words mean nothing."""
    if is_resigning(scene.text):
        return resign(scene)
    behalf = behalf_in(scene.text)
    if behalf is not None:
        proxy = scene.world.proxy()
        if proxy is not None and proxy.is_active:
            if says_nothing(behalf[1]):
                return behalf_alone(scene)
            state = replace(idle(scene.state), on_behalf=True)
            return _told(dataclasses.replace(scene, text=behalf[1], state=state), marked=True)
    if scene.state.asks in (Asks.CONSENT, Asks.WHY) and not marked and behalf is None:
        return consent_turn(scene, command)
    return None


def _obey(scene: Scene, command: Command) -> Turn:
    state, world = scene.state, scene.world
    match command.word:
        case Word.STOP:
            # The counted misses stay: STOP and START are no way around them.
            said = alert_texts.stopped_all() if world.alerts().places else texts.stopped()
            return Turn(State(misses=state.misses, misses_at=state.misses_at), (said,), (Stop(),))
        case Word.START if not world.stopped:
            # The first word of a chat ("/start"), and nobody has been away.
            return Turn(idle(state), (texts.help_text(emergency=world.emergency_number),), (Start(),))
        case Word.START:
            said = texts.started(references=world.since_stop())
            # What was asked for before STOP was kept, in silence.
            again = f" {alert_texts.alerts_again()}" if world.alerts().places else ""
            return Turn(idle(state), (f"{said}{again}",), (Start(),))
        case Word.MENU:
            return _menu(scene)
        case Word.STATUS:
            if command.misread:
                return Turn(state, (texts.bad_reference(),))
            return tell_standing(scene, command.argument)
        case Word.LANGUAGE if command.argument:
            asks = Asks.NOTHING if state.asks is Asks.LANGUAGE else state.asks
            return Turn(replace(state, asks=asks), (texts.language_set(),), (SetLanguage(command.argument),))
        case Word.LANGUAGE:
            options = tuple(world.languages)
            names = [LANGUAGE_NAMES.get(code, code) for code in options]
            return Turn(replace(idle(state), asks=Asks.LANGUAGE, options=options), (texts.which_language(names=names),))
        case _:
            return _help(scene)


def _menu(scene: Scene) -> Turn:
    """Offer the topics: to begin with one, or for the report that has none yet, or a wrong one."""
    state, world = scene.state, scene.world
    choices = world.topics(scene.language)
    names, options = [choice.name for choice in choices], tuple(choice.code for choice in choices)
    is_asked = state.asks is Asks.TOPIC or (state.asks in (Asks.PLACE, Asks.PICK) and scene.is_soon)
    if state.unsorted and state.report_id and is_asked:
        # "What is it about?" - "MENU.": of that report, and said so, for its text needs not be told again.
        latest = world.latest()
        reply = texts.menu(topics=names)
        if latest is not None and latest.report_id == state.report_id:
            reply = texts.menu_for(reference=format_reference(latest.reference), topics=names)
        return Turn(replace(state, asks=Asks.TOPIC, options=options, tries=0), (reply,))
    if state.guessed and scene.is_soon and state.report_id == state.last_report_id:
        # "Topic: … If that is wrong, text MENU.": of the report just made, not of a new one.
        return Turn(replace(state, asks=Asks.TOPIC, options=options), (texts.menu(topics=names),))
    asking = replace(idle(state), asks=Asks.MENU, options=options, on_behalf=state.on_behalf)
    return Turn(asking, (texts.menu(topics=names),))


def _told(scene: Scene, *, marked: bool) -> Turn:
    """Take what is no command: an answer to what was asked, a new report, or more about the last one."""
    state, world = scene.state, scene.world
    chosen = _chosen(scene)
    if not marked:
        turn = _by_number(scene, chosen)
        if turn is None and state.asks in PLACES_HEARD:
            turn = place_given(scene)
        if turn is not None:
            return turn
    if state.asks is Asks.TEXT and not marked and not says_nothing(scene.text):
        topic = next((each for each in world.topics(scene.language) if each.code == state.topic), None)
        # After NEW alone this is what would have stood behind it.
        return submit(scene, topic, scene.text) if topic is not None else _told(scene, marked=True)
    body = _body(scene) if marked else scene.text
    keyword = world.keyword_topic(body, scene.language)
    if keyword is not None and world.is_keyword_alone(body, scene.language):
        return _sort(scene, keyword) if state.asks is Asks.TOPIC else _ask_text(scene, keyword)
    if is_new_alone(scene.text):
        return Turn(replace(idle(state), asks=Asks.TEXT), (texts.tell_us(),))
    if keyword is not None and state.asks is Asks.TOPIC and scene.is_soon and not marked:
        # "light broken" after "what is it about?": the topic, with something to add.
        turn = _sort(scene, keyword)
        return Turn(turn.state, turn.replies, (*turn.intents, Answer(state.report_id, scene.text)))
    if keyword is not None:
        length = world.keyword_length(body, keyword, scene.language)
        return submit(scene, keyword, without_command_word(body, length, marked=scene.text.startswith("#")))
    if marked:
        return submit_unsorted(scene, body)
    question = world.open_question()
    if question is not None and question.message_id != state.left_question:
        return _answer(scene, question.report_id)
    if says_nothing(scene.text):
        return late_answer(scene) or _help(scene)
    if scene.is_soon:
        return _add(scene)
    return submit_unsorted(scene, scene.text)


def _body(scene: Scene) -> str:
    """Give a message without its NEW or #; but "New Street is dark" is no new "Street is dark"."""
    body = without_new(scene.text)
    if body == scene.text or scene.text.startswith("#") or scene.text.split()[0].isupper():
        return body
    is_name = any(spot.position == 0 for spot in scene.world.places_in_text(scene.text, scene.language))
    return scene.text if is_name else body


# ------------------------------------------------------------------ a report


def _add(scene: Scene) -> Turn:
    """Add to the last report; whoever carries the intent out puts its reference into the reply."""
    state = scene.state
    reply = texts.added(reference=REFERENCE_MARK)
    return Turn(replace(state, last_at=scene.at), (reply,), (Answer(state.last_report_id, scene.text),))


def _answer(scene: Scene, report_id: int) -> Turn:
    state = replace(idle(scene.state), last_report_id=report_id, last_at=scene.at)
    return Turn(state, (texts.answered(),), (Answer(report_id, scene.text),))


def _add_to(scene: Scene, standing: Standing) -> Turn:
    """Take "KX7M-4QXP-2R the lamp is dark again" into the thread of that report."""
    state = replace(idle(scene.state), last_report_id=standing.report_id, last_at=scene.at)
    reply = texts.added(reference=format_reference(standing.reference))
    return Turn(state, (reply,), (Answer(standing.report_id, scene.text),))


# ------------------------------------------------------------------ numbers, topics


def _chosen(scene: Scene) -> tuple[str, str] | None:
    """Give the option that the message's number means, and what follows the number."""
    found = number_in(scene.text)
    if found is None or not 1 <= found[0] <= len(scene.state.options):
        return None
    return scene.state.options[found[0] - 1], found[1]


def _by_number(scene: Scene, chosen: tuple[str, str] | None) -> Turn | None:
    state, world = scene.state, scene.world
    if chosen is None:
        return None
    option, rest = chosen
    if state.asks is Asks.MENU:
        topic = next((each for each in world.topics(scene.language) if each.code == option), None)
        if topic is None:
            return None
        return _ask_text(scene, topic) if says_nothing(rest) else submit(scene, topic, rest)
    if rest:
        return None
    if state.asks is Asks.TOPIC:
        topic = next((each for each in world.topics(scene.language) if each.code == option), None)
        return _sort(scene, topic) if topic else None
    if state.asks is Asks.PICK and option.isdecimal():
        spot = world.place(int(option), scene.language)
        return placed(scene, spot) if spot else None
    if state.asks is Asks.LANGUAGE and option in world.languages:
        with translation.override(option):
            return Turn(idle(state), (texts.language_set(),), (SetLanguage(option),))
    return None


def _sort(scene: Scene, topic: TopicChoice) -> Turn:
    state = replace(
        scene.state,
        asks=Asks.CORRECT,
        options=(),
        topic=topic.code,
        unsorted=False,
        sensitive=topic.sensitive,
        last_at=scene.at,
        guessed=False,
    )
    reply = texts.sorted_as(topic=topic.name)
    if state.unplaced and (scene.state.guessed or scene.state.unsorted) and not topic.sensitive:
        # MENU came before the place.
        state, reply = replace(state, asks=Asks.PLACE), texts.sorted_where(topic=topic.name)
    if topic.sensitive:
        reply = texts.noted_danger(emergency=scene.world.emergency_number)
    return Turn(state, (reply,), (SetTopic(scene.state.report_id, topic.code),))


def _ask_text(scene: Scene, topic: TopicChoice) -> Turn:
    state = replace(idle(scene.state), asks=Asks.TEXT, topic=topic.code, on_behalf=scene.state.on_behalf)
    if topic.sensitive:
        return Turn(state, (texts.tell_us_danger(emergency=scene.world.emergency_number),))
    return Turn(state, (texts.tell_us(),))


# ------------------------------------------------------------------ status, help, leaving


def _leave(scene: Scene) -> Turn:
    state = scene.state
    question = scene.world.open_question()
    if state.asks in (Asks.NOTHING, Asks.CORRECT) and (question is None or question.message_id == state.left_question):
        return Turn(idle(state), (texts.nothing_to_leave(),))
    after = idle(state)
    if state.asks not in (Asks.OFFICER_PLACE, Asks.OFFICER_PICK, Asks.OFFICER_TEXT):
        # There it is the officer whom somebody leaves, and no question of the desk.
        after = replace(after, left_question=question.message_id if question else state.left_question)
    return Turn(after, (texts.left(),))


def _help(scene: Scene) -> Turn:
    return Turn(scene.state, (texts.help_text(emergency=scene.world.emergency_number),))
