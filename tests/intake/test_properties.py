"""The step alone: what it promises for any text, in any state."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from commonbeat.foundation.text import clean_text, segments
from commonbeat.intake.alert_intents import AlertPlace, LookOut
from commonbeat.intake.commands import Word, parse_command
from commonbeat.intake.contact_intents import Erasable, EraseAll, EraseReport, Home
from commonbeat.intake.dialogue import TEXT_LIMIT, step
from commonbeat.intake.proxy_intents import ProxyStanding, SayWhy, Unanswered
from commonbeat.intake.state import (
    REFERENCE_MARK,
    Answer,
    Asks,
    Heard,
    LanguageBy,
    Question,
    SetPlace,
    SetTopic,
    Standing,
    Start,
    State,
    Stop,
    Submit,
    dump_state,
    finish,
    load_state,
    seconds,
)
from tests.intake.fake_world import PLACES, TOPICS, FakeWorld
from tests.make import NOW

LANGUAGES = ("en", "sq", "ar")
REFERENCE = "KX7M-4QXP-2R"
CODES = tuple(topic.code for topic in TOPICS)

states = st.builds(
    State,
    asks=st.sampled_from(Asks),
    report_id=st.integers(0, 9),
    topic=st.sampled_from(("", *CODES)),
    options=st.one_of(st.just(CODES), st.just(("1", "2")), st.just(LANGUAGES), st.just(())),
    unsorted=st.booleans(),
    sensitive=st.booleans(),
    tries=st.integers(0, 3),
    last_report_id=st.integers(0, 9),
    last_at=st.sampled_from((0, seconds(NOW) - 60, seconds(NOW) - 86_400)),
    misses=st.integers(0, 9),
    misses_at=st.sampled_from((0, seconds(NOW) - 60)),
    guessed=st.booleans(),
    unplaced=st.booleans(),
    language_by=st.sampled_from(LanguageBy),
    leaning=st.sampled_from(("", *LANGUAGES)),
    on_behalf=st.booleans(),
    beat_id=st.sampled_from((0, 7, 8, 99)),
    asked_at=st.sampled_from((0, seconds(NOW) - 60)),
    then=st.sampled_from((Asks.NOTHING, Asks.PLACE, Asks.PICK, Asks.CORRECT, Asks.TOPIC)),
    later=st.one_of(st.just(CODES), st.just(("1", "2")), st.just(("1", "99")), st.just(())),
)
worlds = st.builds(
    FakeWorld,
    language=st.sampled_from(("", *LANGUAGES)),
    stopped=st.booleans(),
    question=st.sampled_from((None, Question(5, 50))),
    own=st.sampled_from((None, Standing(7, "KX7M4QXP2R", "rejected", "r" * 300))),
    as_proxy=st.sampled_from((None, ProxyStanding(1, True), ProxyStanding(1, False, seconds(NOW)))),
    without_consent=st.sampled_from(((), tuple(Unanswered(number, REFERENCE) for number in range(10)))),
    movable=st.sampled_from(((), tuple(range(10)))),
    alert_places=st.sampled_from(
        (
            (),
            (AlertPlace(1, "Old Bridge"), AlertPlace(2, "", is_everywhere=True)),
            tuple(AlertPlace(number, "h" * 40) for number in range(3)),
        )
    ),
    at_home=st.sampled_from((None, Home("h" * 40, 7))),
    mine=st.sampled_from(
        (
            (),
            (Erasable(1, REFERENCE),),
            tuple(Erasable(number, REFERENCE, number > 3, is_kept=number == 2) for number in range(10)),
        )
    ),
    wanted=st.sampled_from(
        (
            (),
            (LookOut(1, "A child is missing", seconds(NOW) - 60), LookOut(2, "w" * 160)),
            (LookOut(3, "A white van"),),
            (LookOut(4, "Over", seconds(NOW) - 60, is_active=False),),
        )
    ),
    in_thread=st.sampled_from(
        (
            None,
            LookOut(5, "A child is missing", seconds(NOW) - 60),
            LookOut(6, "Seen already", seconds(NOW) - 60, report_id=3),
            LookOut(7, "Of an unproven sender"),
            LookOut(8, "w" * 160, seconds(NOW) - 60, is_active=False),
        )
    ),
)
_pieces = st.sampled_from(
    ["STOP", "DUMP", "light", "0", "2", "٢", "#", "NEW", "status", "Old Bridge", "School", "42.38 20.43", "violence",
     REFERENCE, "نفايات", "ë", "\x00", "\u202e", "😀", "?", "\n", "https://", "mattress near the river", "ndihmë",
     "BEHALF", "ne emer te", "نيابة عن", "RESIGN", "5", "4 danger", "ALERTS", "alert", "NJOFTIME", "تنبيهات",
     "STOP ALERTS", "STOP 1", "SAW", "I saw", "pashë", "رأيت", "ALL", "water",
     "OFFICER", "officer", "OFICERI", "الضابط", "ERASE", "FSHIJ", "امسح", "YES"]
)  # fmt: skip
said = st.one_of(
    st.text(max_size=300),
    st.lists(_pieces, max_size=6).map(" ".join),
    st.tuples(_pieces, st.integers(1, 6_000)).map(lambda pair: (pair[0] * pair[1])[:30_000]),
)


@given(states, said, worlds)
def test_any_message_in_any_state_is_answered_briefly_and_never_lost(state: State, text: str, world: FakeWorld) -> None:
    turn = step(state, Heard(text), world, NOW)
    replies = finish(turn, report_id=3, reference=REFERENCE).replies
    assert len(replies) <= 2
    assert all(0 < segments(reply).parts <= 3 for reply in replies)
    assert all(REFERENCE_MARK not in reply for reply in replies)
    # It asks one thing at most, and never two in a row.
    assert sum(reply.count("?") for reply in replies) <= 1
    assert load_state(dump_state(turn.state)) == turn.state
    cleaned = clean_text(text, TEXT_LIMIT)
    command = parse_command(cleaned, LANGUAGES)
    kept = [intent for intent in turn.intents if isinstance(intent, Submit | Answer | SetPlace | SetTopic | SayWhy)]
    if command is None and not kept and not world.stopped:
        # Whatever is not stored is answered: the help, a list, a lookup, or the question what happened.
        assert replies
    if world.stopped and not any(isinstance(intent, Start) for intent in turn.intents):
        assert replies == ()


@given(states, st.text(alphabet=st.characters(categories=["L"]), min_size=40, max_size=200), worlds)
def test_many_letters_are_always_stored_whole(state: State, text: str, world: FakeWorld) -> None:
    turn = step(state, Heard(text), world, NOW)
    stored = "\n".join(intent.text for intent in turn.intents if isinstance(intent, Submit | Answer | SayWhy))
    assert clean_text(text, TEXT_LIMIT) in stored


@given(states, said, worlds)
def test_a_sentence_survives_whatever_stands_before_it(state: State, text: str, world: FakeWorld) -> None:
    sentence = "seven zebras quarrel on my balcony"
    turn = step(state, Heard(f"{text[:3_000]} {sentence}"), world, NOW)
    assert sentence in "\n".join(i.text for i in turn.intents if isinstance(i, Submit | Answer | SayWhy))


@given(states, said, worlds)
def test_the_state_never_holds_what_was_said(state: State, text: str, world: FakeWorld) -> None:
    secret = "Zanzibarquartz"
    turn = step(state, Heard(f"{text} {secret}"), world, NOW)
    assert secret.lower() not in str(dump_state(turn.state)).lower()


@given(states, said, worlds)
def test_nothing_is_erased_but_by_a_yes_that_answers_the_question(state: State, text: str, world: FakeWorld) -> None:
    turn = step(state, Heard(text), world, NOW)
    command = parse_command(clean_text(text, TEXT_LIMIT), LANGUAGES)
    erased = [intent for intent in turn.intents if isinstance(intent, EraseReport | EraseAll)]
    if erased:
        assert command is not None and command.word is Word.YES
        assert state.asks in (Asks.ERASE, Asks.ERASE_ALL) and seconds(NOW) - state.asked_at <= 30 * 60
        assert turn.state.report_id == turn.state.last_report_id == 0
    if command is None or command.word not in (Word.ERASE, Word.YES):
        asks_which = state.asks is Asks.ERASE_WHICH and turn.state.asks is Asks.ERASE
        assert asks_which or turn.state.asks not in (Asks.ERASE, Asks.ERASE_ALL)


STOPS = (
    "STOP",
    "stop",
    "Stop.",
    " stop! ",
    "STPO",
    "stop please",
    "STOP ALL",
    "ndal",
    "Ndalo!",
    "توقف",
    "أوقف",
    "إيقاف",
)


@given(states, st.sampled_from(STOPS), st.sampled_from(["", " ", "\n", "!", "...", "\u200f"]), worlds)
def test_stop_always_stops_and_is_confirmed_once(state: State, word: str, noise: str, world: FakeWorld) -> None:
    turn = step(state, Heard(noise + word + noise), world, NOW)
    assert Stop() in turn.intents
    assert not any(isinstance(intent, Submit | Answer | SayWhy) for intent in turn.intents)
    assert len(turn.replies) == (0 if world.stopped else 1)
    assert turn.state.asks is Asks.NOTHING


@given(states, said, worlds)
def test_a_sensitive_report_is_answered_with_the_emergency_number_and_nothing_of_it(
    state: State, text: str, world: FakeWorld
) -> None:
    turn = step(state, Heard(text), world, NOW)
    for intent in turn.intents:
        if isinstance(intent, Submit) and intent.topic == "violence" and turn.replies:
            assert "112" in turn.replies[0]
            # The place that was found is named, for a wrong one would send help astray; nothing else of the text is.
            named = {spot.label for spot in PLACES if spot.label in turn.replies[0]}
            if turn.state.asks is not Asks.PICK:
                assert named == ({intent.spot.label} & {spot.label for spot in PLACES} if intent.spot else set())
            assert "iolence" not in turn.replies[0]
