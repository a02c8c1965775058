"""Whole conversations, through inbox, dialogue and outbox: “> ” is what a resident sends, “< ” what comes back.

What comes back is named by its sentence in commonbeat.intake.texts, in the language of the conversation, so that the
transcripts read alike before and after a translation is improved. {ref} is the reference of the newest report.
"""

from __future__ import annotations

import pytest
from django.utils import translation

from commonbeat.foundation.ids import format_reference
from commonbeat.intake import alert_texts, contact_texts, proxy_texts, texts
from commonbeat.intake.actions import purge_sessions
from commonbeat.intake.own import beat_by_id
from commonbeat.messaging.models import Contact, Outbound
from commonbeat.places.models import Beat, PlaceName
from commonbeat.reports.models import Message, PlaceSource, Report
from commonbeat.topics.queries import offered_topics
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.intake.phone import Phone

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _town(unit: object) -> None:
    install_ready_made(make.NOW)
    make.make_place(
        names={"en": "Old Bridge", "sq": "Ura e Vjetër", "ar": "الجسر القديم"}, latitude=42.381, longitude=20.43
    )
    make.make_place(
        names={"en": "Market Street", "sq": "Rruga e Tregut", "ar": "شارع السوق"}, latitude=42.39, longitude=20.44
    )
    make.make_place(names={"en": "School North"}, latitude=42.40, longitude=20.45)
    make.make_place(names={"en": "School South"}, latitude=42.36, longitude=20.45)


def talk(transcript: str, *, language: str = "en", phone: Phone | None = None) -> Phone:
    """Play a transcript, and compare each answer."""
    phone = phone or Phone()
    waiting: list[str] = []
    for line in filter(None, map(str.strip, transcript.splitlines())):
        if line.startswith(">"):
            assert waiting == [], f"unexpected before {line}"
            waiting = phone.say(line[1:].strip())
        else:
            assert waiting, f"nothing came for {line}"
            assert waiting.pop(0) == sentence(line[1:].strip(), language)
    assert waiting == []
    return phone


def sentence(call: str, language: str) -> str:
    """Make the sentence that a line of a transcript names: name(key=value; …), or several with " + " between them."""
    if " + " in call:
        return " ".join(sentence(part, language) for part in call.split(" + "))
    name, _bracket, rest = call.rstrip(")").partition("(")
    given: dict[str, object] = {}
    given.update(pair.split("=", 1) for pair in rest.split("; ") if pair)
    newest = Report.objects.order_by("-id").first()
    if newest is not None:
        known = {"{ref}": format_reference(newest.reference), "{refs}": [format_reference(newest.reference)]}
        given = {k: known.get(str(v), v) for k, v in given.items()}
    if given.get("topics") == "all":
        given["topics"] = [topic.name_in(language) for topic in offered_topics()]
    for listed in {"places", "alerts"} & given.keys():
        given[listed] = [each for each in str(given[listed]).split("|") if each]
    if "references" in given and isinstance(given["references"], str):
        newest_first = Report.objects.order_by("-id").values_list("reference", flat=True)
        given["references"] = [format_reference(each) for each in newest_first]
    if "beat" in given:
        given["beat"] = beat_by_id(Beat.objects.get(name=given["beat"]).pk)
    with translation.override(language):
        module = next(each for each in (texts, proxy_texts, alert_texts, contact_texts) if hasattr(each, name))
        return texts.for_phone(getattr(module, name)(**given))


def only_report() -> Report:
    return Report.objects.get()


# ------------------------------------------------------------------ English


def test_a_complete_report_in_one_text() -> None:
    talk("""
        > DUMP old mattress near the Old Bridge
        < thanks_placed(reference={ref}; place=Old Bridge)
        > STATUS
        < standing(reference={ref}; state=new)
    """)
    report = only_report()
    assert report.topic.code == "illegal-dump"
    assert report.text == "old mattress near the Old Bridge"
    assert (report.latitude, report.place_source) == (42.381, PlaceSource.NAMED)
    assert report.contact == Contact.objects.get()
    assert report.channel == "demo_sms"


def test_free_text_is_placed_and_sorted_step_by_step() -> None:
    talk("""
        > somebody has painted over the sign again
        < thanks_where(reference={ref})
        > market street
        < placed_topic(place=Market Street; topics=all)
        > 2
        < sorted_as(topic=Street light)
        > and the lamp beside it
        < added(reference={ref})
        > thanks
    """)
    report = only_report()
    assert (report.topic.code, report.latitude) == ("street-light", 42.39)
    assert [m.text for m in report.messages.all()] == ["and the lamp beside it"]


def test_a_place_of_which_there_are_two() -> None:
    talk("""
        > light broken since monday
        < thanks_where(reference={ref})
        > school
        < which_place(places=School North|School South)
        > 2
        < placed(place=School South)
    """)
    assert only_report().latitude == 42.36


def test_a_place_that_nobody_knows_stays_with_the_desk() -> None:
    talk("""
        > light broken since monday
        < thanks_where(reference={ref})
        > behind kiosk Qendra
        < unknown_place()
        > 42.3771, 20.4412
        < placed(place=42.37710, 20.44120)
    """)
    report = only_report()
    assert (report.latitude, report.place_source) == (42.3771, PlaceSource.COORDINATES)
    assert [m.text for m in report.messages.all()] == ["behind kiosk Qendra"]


def test_a_topic_word_in_the_middle_and_words_of_a_place_that_is_everywhere() -> None:
    yard = make.make_place(names={"en": "Waste yard"}, latitude=42.35, longitude=20.45)
    PlaceName.objects.create(place=yard, folded="dump")
    phone = talk("""
        > DUMP old car at Market Street
        < thanks_placed(reference={ref}; place=Market Street)
        > NEW Broken lamp by the old bridge
        < thanks_guessed(reference={ref}; topic=Street light; place=Old Bridge)
        > NEW DUMP old tyres
        < thanks_where(reference={ref})
        > NEW the old bridge lamp out at Market Street
        < thanks_guessed(reference={ref}; topic=Street light; place=Market Street)
        > NEW a lamp is out, old bridge, market street
        < thanks_which(reference={ref}; places=Old Bridge|Market Street)
        > 1
        < placed_guessed(place=Old Bridge; topic=Street light)
        > NEW Stolen bicycle at school north
        < thanks_placed(reference={ref}; place=School North)
    """)
    assert [r.text for r in Report.objects.order_by("id")][:3] == [
        "old car at Market Street", "Broken lamp by the old bridge", "old tyres"
    ]  # fmt: skip
    assert [r.topic.code for r in Report.objects.order_by("id")][-1] == "stolen-goods"
    assert phone.say("menu") == [sentence("menu(topics=all)", "en")]


def test_violence_is_answered_without_a_word_of_it() -> None:
    phone = talk("""
        > violence my neighbour is beaten near the old bridge
        < sensitive(reference={ref}; emergency=112; place=Old Bridge)
    """)
    assert only_report().topic.code == "violence"
    assert all("neighbour" not in text for text in phone.say("it is at night, by the Old Bridge"))


def test_the_menu_and_leaving_it() -> None:
    talk("""
        > MENU
        < menu(topics=all)
        > 0
        < left()
        > 0
        < nothing_to_leave()
        > hello
        < help_text(emergency=112)
        > MENU
        < menu(topics=all)
        > 1
        < tell_us()
        > sacks beside the river, Market Street
        < thanks_placed(reference={ref}; place=Market Street)
    """)
    assert only_report().topic.code == "illegal-dump"


def test_stop_is_confirmed_once_and_reports_are_kept_in_silence() -> None:
    phone = talk("""
        > light broken in Market Street
        < thanks_placed(reference={ref}; place=Market Street)
    """)
    phone.wait(hours=1)
    talk("""
        > stop
        < stopped()
        > STOP
        > HELP
        > the dump at the old bridge grows
    """, phone=phone)  # fmt: skip
    assert Report.objects.count() == 2
    talk("""
        > START
        < started(references={refs})
        > HELP
        < help_text(emergency=112)
    """, phone=phone)  # fmt: skip


# ------------------------------------------------------------------ Albanian, Arabic


def test_a_report_in_albanian() -> None:
    talk(
        """
        > mbeturina shumë afër ura e vjetër që dje në mbrëmje
        < thanks_placed(reference={ref}; place=Ura e Vjetër)
        > gjendja
        < standing(reference={ref}; state=new)
        > ndihmë
        < help_text(emergency=112)
        > NDAL
        < stopped()
        """,
        language="sq",
    )
    assert only_report().language == "sq"
    assert Contact.objects.get().language == "sq"
    assert only_report().topic.code == "illegal-dump"
    assert set(Outbound.objects.values_list("encoding", flat=True)) == {"GSM-7"}


def test_a_report_in_arabic_with_arabic_digits() -> None:
    talk(
        """
        > نفايات كثيرة في الشارع منذ أسبوع
        < thanks_where(reference={ref})
        > الجسر القديم
        < placed(place=الجسر القديم)
        > القائمة
        < menu(topics=all)
        > ٢
        < tell_us()
        > لا يوجد ضوء في شارع السوق
        < thanks_placed(reference={ref}; place=شارع السوق)
        > حالة البلاغ
        < standing(reference={ref}; state=new)
        > توقف
        < stopped()
        """,
        language="ar",
    )
    first, second = Report.objects.order_by("id")
    assert (first.topic.code, first.latitude, first.language) == ("illegal-dump", 42.381, "ar")
    assert (second.topic.code, second.latitude) == ("street-light", 42.39)


def test_the_language_is_switched_and_kept() -> None:
    phone = Phone()
    assert phone.say("SHQIP") == [sentence("language_set()", "sq")]
    phone.wait(days=30)
    assert phone.say("the lamp is broken here since Monday evening") == [
        sentence("thanks_guessed_where(reference={ref}; topic=Ndriçim rruge)", "sq")
    ]
    phone.wait(days=30)
    purge_sessions(now=phone.now)
    for _ in range(2):
        phone.wait(hours=3)
        phone.say("NEW somebody has painted over the sign again")
    assert phone.contact.language == "sq"


def test_who_wrote_albanian_and_now_writes_english_is_answered_in_english() -> None:
    phone = Phone()
    phone.say("mbeturina shumë afër ura e vjetër që dje në mbrëmje")
    phone.wait(hours=3)
    assert phone.say("NEW the lamp is broken here since Monday evening") == [
        sentence("thanks_guessed_where(reference={ref}; topic=Street light)", "en")
    ]


# ------------------------------------------------------------------ what must not go wrong


def test_the_same_gateway_message_fifty_times_is_one_report_and_one_reply() -> None:
    phone = Phone()
    assert len(phone.say("DUMP at the Old Bridge", provider_id="gw-1", times=50)) == 1
    assert Report.objects.count() == 1
    assert Outbound.objects.count() == 1


def test_another_telephone_reads_no_more_than_the_state() -> None:
    phone, stranger = Phone(), Phone("+38344999888")
    phone.say("DUMP at the Old Bridge")
    report = only_report()
    Report.objects.update(state="rejected", state_reason="private ground")
    reference = format_reference(report.reference)
    assert stranger.say(f"STATUS {reference}") == [sentence("standing(reference={ref}; state=rejected)", "en")]
    assert "private ground" in phone.say(f"STATUS {reference}")[0]
    assert stranger.say("STATUS") == [sentence("no_report_yet()", "en")]


def test_a_dialogue_ends_after_two_days() -> None:
    phone = Phone()
    phone.say("somebody has painted over the sign again")
    phone.wait(hours=48)
    phone.say("Market Street")
    assert Report.objects.count() == 2
    assert Report.objects.order_by("id")[0].latitude is None


def test_the_desk_keeps_the_place_that_it_has_set() -> None:
    phone = Phone()
    phone.say("somebody has painted over the sign again")
    Report.objects.update(place_source=PlaceSource.DESK, latitude=42.3, longitude=20.4)
    phone.say("market street")
    assert only_report().latitude == 42.3
    assert Message.objects.get().text == "Market Street"


def test_a_topic_that_the_desk_has_taken_up_is_not_changed_by_text() -> None:
    phone = Phone()
    phone.say("somebody has painted over the sign in Market Street")
    Report.objects.update(state="triaged")
    phone.say("2")
    assert only_report().topic.code == "other"
    assert Message.objects.get().text == "Street light"


def test_a_full_thread_makes_a_report_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commonbeat.reports.actions.dialogue.THREAD_LIMIT", 1)
    phone = Phone()
    phone.say("DUMP at the Old Bridge")
    phone.say("and a fridge, too")
    phone.say("and now a whole kitchen")
    phone.say("and the sink of it, too")
    assert [r.text for r in Report.objects.order_by("id")] == ["at the Old Bridge", "and now a whole kitchen"]
    assert [m.text for m in Message.objects.order_by("id")] == ["and a fridge, too", "and the sink of it, too"]


def test_control_characters_and_thirty_kilobytes_are_taken() -> None:
    phone = Phone()
    assert len(phone.say("\x00\x1b[2J the lamp\u202e is broken \x07 here")) == 1
    phone.wait(hours=1)
    assert len(phone.say("long story " * 3_000)) == 1
    texts_stored = list(Report.objects.order_by("id").values_list("text", flat=True))
    assert "\x00" not in texts_stored[0] and "lamp is broken" in texts_stored[0]
    assert 9_000 < len(texts_stored[1]) <= 10_000


def test_the_session_holds_none_of_the_words() -> None:
    phone = Phone()
    phone.say("somebody has painted over the sign again")
    phone.say("behind the blue kiosk")
    stored = str(phone.contact.session.state)
    assert "kiosk" not in stored and "painted" not in stored


def test_each_message_costs_a_bounded_number_of_queries(django_assert_max_num_queries) -> None:
    phone = Phone()
    phone.say("DUMP at the Old Bridge")
    for number in range(20):
        make.make_report(contact=phone.contact, client_key=f"more-{number}")
    with django_assert_max_num_queries(70):
        phone.say("light broken in Market Street")
