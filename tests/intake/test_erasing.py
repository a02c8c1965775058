"""ERASE by message: only one's own, only after a YES, and what the law keeps is said to be kept."""

from __future__ import annotations

import pytest

from commonbeat.foundation.ids import format_reference, new_reference, parse_reference
from commonbeat.intake import contact_texts, texts
from commonbeat.intake.commands import ALL, Command, Word, parse_command
from commonbeat.intake.contact_intents import Erasable, EraseAll, EraseReport
from commonbeat.intake.dialogue import step
from commonbeat.intake.standing import MISSES
from commonbeat.intake.state import Asks, Heard, Standing, State, seconds
from commonbeat.journal.models import Entry
from commonbeat.messaging.models import Contact, Erasure, Inbound, Outbound, OutboundState
from commonbeat.people.models import Unit, User
from commonbeat.reactions.erasing import finish_erasures
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.retention import end_hold, place_hold
from commonbeat.reports.models import Message, Publication, Report
from tests import make
from tests.intake.fake_world import FakeWorld
from tests.intake.look_outs import make_town
from tests.intake.phone import Phone
from tests.intake.test_transcripts import talk
from tests.make import NOW
from tests.reactions.handset import Handset

db = pytest.mark.django_db
LANGUAGES = ("en", "sq", "ar")
MINE, ALSO_MINE, OTHERS = "NWKG-W3P6-ZA", "CX3Q-9M6H-4Q", "TD6P-BX4V-Y7"
WORDS = {"en": ("ERASE", "YES"), "sq": ("FSHIJ", "PO"), "ar": ("امسح", "نعم")}
TOLD = {
    "en": "lamp near the Old Bridge is broken since monday",
    "sq": "llamba nuk punon afër Ura e Vjetër që të hënën",
    "ar": "المصباح لا يعمل قرب الجسر القديم منذ يومين",
}
BRIDGE = {"en": "Old Bridge", "sq": "Ura e Vjetër", "ar": "الجسر القديم"}


@pytest.fixture
def town(unit: Unit) -> None:
    make_town()


def world(*mine: Erasable) -> FakeWorld:
    known = {str(parse_reference(OTHERS)): Standing(9, str(parse_reference(OTHERS)), "new")}
    return FakeWorld(mine=mine, reports=known)


def after(*said: str, world: FakeWorld, state: State | None = None):
    state = state or State()
    for text in said:
        turn = step(state, Heard(text), world, NOW)
        state = turn.state
    return turn


def send_off(now=NOW) -> None:
    """Let all that waits in the outbox go out, and what waits for that be done."""
    Outbound.objects.filter(state=OutboundState.QUEUED).update(state=OutboundState.SENT, sent_at=now)
    finish_erasures(now)


# ------------------------------------------------------------------ words


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("ERASE", Command(Word.ERASE, "en")),
        ("delete my report", Command(Word.ERASE, "en")),
        (f"erase {MINE}", Command(Word.ERASE, "en", "NWKGW3P6ZA")),
        (f"fshije {MINE} ju lutem", Command(Word.ERASE, "sq", "NWKGW3P6ZA")),
        (f"احذف {MINE}", Command(Word.ERASE, "ar", "NWKGW3P6ZA")),
        ("deleet all", Command(Word.ERASE, "en", ALL)),
        ("FSHIJ TË GJITHA", Command(Word.ERASE, "sq", ALL)),
        ("امسح الكل", Command(Word.ERASE, "ar", ALL)),
        ("erase KX7M-4QXP-2Z", Command(Word.ERASE, "en", misread=True)),
        ("erase the paint at the bridge", None),
        (f"erase {MINE} because the lamp is lit again", None),
    ],
)
def test_the_word_is_understood(text: str, command: Command | None) -> None:
    assert parse_command(text, LANGUAGES) == command


# ------------------------------------------------------------------ the step


def test_a_reference_is_asked_about_and_yes_erases() -> None:
    mine = world(Erasable(1, MINE), Erasable(2, ALSO_MINE))
    turn = after(f"ERASE {MINE}", world=mine)
    assert turn.replies == (contact_texts.erase_sure(reference=MINE),) and turn.intents == ()
    turn = after(f"ERASE {MINE}", "yes", world=mine)
    assert turn.intents == (EraseReport(1),) and turn.replies == (contact_texts.erased(reference=MINE),)
    assert turn.state == State()


@pytest.mark.parametrize(
    "between", ["0", "no", "HELP", "thanks", "STATUS", "hm", "STOP", "SHQIP", "and the bridge, too"]
)
def test_only_a_yes_that_comes_next_erases(between: str) -> None:
    mine = world(Erasable(1, MINE))
    assert after(f"ERASE {MINE}", between, "YES", world=mine).intents == ()
    if between in ("0", "no"):
        assert after(f"ERASE {MINE}", between, world=mine).replies == (contact_texts.erase_left(),)


def test_a_yes_that_comes_hours_later_is_asked_about_again() -> None:
    asked = State(asks=Asks.ERASE, report_id=1, asked_at=seconds(NOW) - 3_600)
    turn = after("YES", world=world(Erasable(1, MINE)), state=asked)
    assert turn.intents == () and turn.replies == (contact_texts.erase_sure(reference=MINE),)
    assert after("YES", "YES", world=world(Erasable(1, MINE)), state=asked).intents == (EraseReport(1),)


def test_anothers_reference_and_none_are_answered_and_counted_alike() -> None:
    mine = world(Erasable(1, MINE))
    unknown = format_reference(new_reference())
    anothers, nobodys = (after(f"ERASE {each}", world=mine) for each in (OTHERS, unknown))
    assert anothers == nobodys and anothers.replies == (texts.bad_reference(),) and anothers.state.misses == 1
    state = State()
    for _ in range(MISSES):
        state = after(f"ERASE {OTHERS}", world=mine, state=state).state
    # From now on not even one's own is looked for.
    for reference in (OTHERS, unknown, MINE):
        assert after(f"ERASE {reference}", world=mine, state=state).replies == (texts.too_many_tries(),)


def test_without_a_reference_the_only_open_one_is_offered_else_it_is_asked() -> None:
    one = world(Erasable(1, MINE, is_open=False), Erasable(2, ALSO_MINE))
    assert after("ERASE", world=one).replies == (contact_texts.erase_sure(reference=ALSO_MINE),)
    two = world(Erasable(1, MINE), Erasable(2, ALSO_MINE))
    assert after("ERASE", world=two).replies == (contact_texts.erase_which(references=[MINE, ALSO_MINE]),)
    assert after("ERASE", "2", world=two).replies == (contact_texts.erase_sure(reference=ALSO_MINE),)
    assert after("ERASE", "٢", "YES", world=two).intents == (EraseReport(2),)
    assert after("ERASE", "0", world=two).replies == (contact_texts.erase_left(),)
    assert after("ERASE", "YES", world=two).intents == ()
    assert after("ERASE", world=world()).replies == (contact_texts.erase_none(),)


def test_everything_is_asked_about_too() -> None:
    mine = world(Erasable(1, MINE), Erasable(2, ALSO_MINE, is_kept=True))
    assert after("ERASE ALL", world=mine).replies == (contact_texts.erase_all_sure_kept(),)
    turn = after("ERASE ALL", "YES", world=mine)
    assert turn.intents == (EraseAll(),) and turn.replies == (contact_texts.erased_all_kept(),)
    assert after("ERASE ALL", "YES", world=world()).replies == (contact_texts.erased_all(),)


def test_delete_it_is_an_answer_where_the_desk_asks() -> None:
    waiting = State(asks=Asks.ANSWER, report_id=5, last_report_id=5, last_at=seconds(NOW))
    assert after("delete it", world=world(Erasable(1, MINE)), state=waiting).replies == (texts.answered(),)
    assert after("ERASE", world=world(Erasable(1, MINE)), state=waiting).state.asks is Asks.ERASE


# ------------------------------------------------------------------ the house


@db
@pytest.mark.parametrize("language", ["en", "sq", "ar"])
def test_the_only_report_goes_at_once_and_the_person_once_the_answer_is_out(language: str, town: None) -> None:
    erase, yes = WORDS[language]
    phone = talk(
        f"""
        > {TOLD[language]}
        < thanks_placed(reference={{ref}}; place={BRIDGE[language]})
        """,
        language=language,
    )
    reference = format_reference(Report.objects.get().reference)
    talk(f"> {erase} {reference}\n< erase_sure(reference={reference})", language=language, phone=phone)
    talk(f"> {yes}\n< erased(reference={reference})", language=language, phone=phone)
    assert not Report.objects.exists() and Contact.objects.exists()
    send_off()
    assert not Contact.objects.exists() and not Outbound.objects.exists()
    assert all(bytes(row.body_sealed) == b"" for row in Inbound.objects.all())
    assert Entry.objects.filter(kind="reports.erased").count() == 1


@db
def test_who_has_reported_more_stays(town: None) -> None:
    phone = Phone()
    for text in (TOLD["en"], "NEW DUMP old car at Market Street"):
        phone.say(text)
    phone.say("behind the second house")
    first, second = Report.objects.order_by("pk")
    talk(
        f"> ERASE {format_reference(second.reference)}\n< erase_sure(reference={format_reference(second.reference)})",
        phone=phone,
    )
    talk(f"> YES\n< erased(reference={format_reference(second.reference)})", phone=phone)
    assert list(Report.objects.all()) == [first] and not Message.objects.exists() and not Erasure.objects.exists()
    send_off()
    assert phone.contact == first.contact
    # What comes next is no addition to what is gone.
    (said,) = phone.say("somebody has painted over the sign again")
    assert "Added" not in said


@db
def test_a_stranger_learns_nothing_and_erases_nothing(town: None) -> None:
    phone, stranger = Phone(), Phone("+38344999888")
    phone.say(TOLD["en"])
    reference = format_reference(Report.objects.get().reference)
    unknown = format_reference(new_reference())
    assert stranger.say(f"ERASE {reference}") == stranger.say(f"ERASE {unknown}") == [texts.bad_reference()]
    stranger.say("YES")
    assert Report.objects.count() == 1
    # A number that somebody typed into the web form has not made the report.
    made = make.make_report(contact=stranger.contact, contact_confirmed=False)
    assert stranger.say(f"ERASE {format_reference(made.reference)}") == [texts.bad_reference()]


@db
def test_what_was_published_is_public_no_more(town: None, officer: User) -> None:
    phone = Phone()
    phone.say(TOLD["en"])
    Report.objects.update(unit=officer.unit)
    report = Report.objects.get()
    publish_report(report_id=report.pk, title="A lamp", text="It is dark", actor=officer, now=NOW)
    phone.say("ERASE")
    phone.say("YES")
    assert not Publication.objects.public(NOW).exists()
    assert (Report.objects.get().text, Publication.objects.get().text) == ("", "")
    assert phone.say("ERASE") == [contact_texts.erase_none()]


@db
def test_what_the_law_keeps_is_said_to_be_kept_and_goes_when_that_ends(town: None, supervisor: User) -> None:
    phone = Phone()
    phone.say(TOLD["en"])
    report = Report.objects.get()
    reference = format_reference(report.reference)
    place_hold(report_id=report.pk, reason="Case 12/26", until=NOW.date(), actor=supervisor, now=NOW)
    talk(
        f"""
        > ERASE
        < erase_sure_kept(reference={reference})
        > YES
        < erased_kept(reference={reference})
        """,
        phone=phone,
    )
    send_off()
    report.refresh_from_db()
    assert report.text and report.contact is None and not Contact.objects.exists()
    end_hold(report_id=report.pk, now=NOW, actor=supervisor)
    assert not Report.objects.exists()


@db
def test_everything_goes_by_erase_all(town: None) -> None:
    phone = Phone()
    for text in (TOLD["en"], "NEW DUMP old car at Market Street", "ALERTS Old Bridge"):
        phone.say(text)
    talk("> ERASE ALL\n< erase_all_sure()\n> YES\n< erased_all()", phone=phone)
    assert Report.objects.count() == 2
    send_off()
    assert not Report.objects.exists() and not Contact.objects.exists()


@db
def test_by_ussd_the_same(town: None) -> None:
    handset = Handset()
    handset.dial()
    handset.whole(handset.enter(TOLD["en"]))
    reference = format_reference(Report.objects.get().reference)
    handset.dial()
    asked = handset.whole(handset.enter("ERASE"))
    assert asked == (contact_texts.erase_sure(reference=reference), True)
    # The session breaks, and the next one asks again.
    assert handset.whole(handset.dial()) == asked
    assert handset.whole(handset.enter("YES")) == (contact_texts.erased(reference=reference), False)
    assert not Report.objects.exists()
    send_off()
    assert not Contact.objects.exists()
