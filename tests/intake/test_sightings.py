"""Who saw something, by message: which alert it answers, and what nobody learns."""

from __future__ import annotations

import pytest

from commonbeat.alerts.actions.follow import end_alert
from commonbeat.alerts.models import Sighting
from commonbeat.foundation.ids import format_reference
from commonbeat.intake import alert_texts, proxy_texts, texts
from commonbeat.messaging.models import Contact, Outbound
from commonbeat.people.models import User
from commonbeat.reports.models import Report
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import SIGHTING, forget_topics
from tests.alerts.going_out import fan_out
from tests.intake.look_outs import look_out, make_town
from tests.intake.phone import Phone
from tests.intake.test_transcripts import talk

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _town(unit: object) -> None:
    make_town()


def only_sighting() -> Sighting:
    return Sighting.objects.get()


def test_of_several_alerts_it_asks_which_and_then_where(officer: User) -> None:
    phone = talk("> ALERTS Old Bridge\n< alerts_here(place=Old Bridge)")
    first = look_out(officer, phone)
    second = look_out(officer, phone, kind="missing_person", severity="Moderate")
    phone.new()
    talk(
        """
        > saw a man in a red coat
        < saw_which_alert(reference={ref}; emergency=112; alerts=Water cut in the old town|Water cut in the old town)
        > he had a dog
        < added(reference={ref})
        > 2
        < saw_noted() + where()
        > market street
        < placed(place=Market Street)
        """,
        phone=phone,
    )
    report = Report.objects.get()
    assert (only_sighting().alert_id, report.latitude) == (first.pk, 42.39)
    assert [message.text for message in report.messages.all()] == ["he had a dog"]
    assert second.pk != first.pk


def test_a_stranger_is_heard_as_well_and_learns_nothing_of_who_was_asked(officer: User) -> None:
    home, stranger = Phone(), Phone("+38344999888")
    home.say("ALERTS Old Bridge")
    alert = look_out(officer, home)
    home.new()
    said = [phone.say("SAW white van, no plates") for phone in (stranger, home)]
    references = [format_reference(report.reference) for report in Report.objects.order_by("pk")]
    for (reply,), reference in zip(said, references, strict=True):
        assert reply == texts.for_phone(alert_texts.saw_where(reference=reference, emergency="112"))
    assert set(Sighting.objects.values_list("alert_id", flat=True)) == {alert.pk}
    assert {report.text for report in Report.objects.all()} == {"white van, no plates"}


def test_a_test_is_answered_by_those_alone_who_had_it(officer: User) -> None:
    home, stranger = Phone(), Phone("+38344999888")
    home.say("ALERTS Old Bridge")
    drill = look_out(officer, home, status="Test")
    home.new()
    home.say("SAW white van, no plates")
    assert only_sighting().alert_id == drill.pk
    (said,) = stranger.say("SAW white van, no plates")
    assert "No alert asks for this now" in said
    assert Sighting.objects.count() == 1


def test_what_was_seen_for_an_alert_that_is_over_is_taken_and_said_so(officer: User) -> None:
    phone = talk("> ALERTS Old Bridge\n< alerts_here(place=Old Bridge)")
    alert = look_out(officer, phone)
    phone.wait(minutes=10)
    fan_out(end_alert(alert_id=alert.pk, outcome="over", actor=officer, now=phone.now), now=phone.now)
    phone.new()
    phone.wait(minutes=10)
    (said,) = phone.say("I saw the van yesterday in Market Street")
    report = Report.objects.get()
    assert said == texts.for_phone(
        alert_texts.saw(
            reference=format_reference(report.reference), emergency="112", place="Market Street", is_over=True
        )
    )
    assert (report.topic.code, only_sighting().alert_id) == (SIGHTING, alert.pk)


def test_saw_without_any_alert_is_a_report_that_nothing_is_published_of() -> None:
    phone = Phone()
    (said,) = phone.say("SAW white van near the Old Bridge")
    assert "No alert asks for this now" in said
    report = Report.objects.get()
    assert (report.topic.code, report.topic.counts_only) == (SIGHTING, True)
    assert not Sighting.objects.exists()


def test_saw_alone_asks_what_and_a_hundred_times_the_same_message_is_one_sighting(officer: User) -> None:
    alert = look_out(officer)
    phone = talk("> SAW\n< tell_what_you_saw(emergency=112)\n> 0\n< left()\n> saw\n< tell_what_you_saw(emergency=112)")
    assert len(phone.say("light blue car, two men", provider_id="gw-7", times=100)) == 1
    report = Report.objects.get()
    assert (report.topic.code, report.text) == (SIGHTING, "light blue car, two men")
    assert only_sighting().alert_id == alert.pk


def test_i_saw_long_after_an_alert_is_a_report(officer: User) -> None:
    phone = Phone()
    phone.say("ALERTS Old Bridge")
    look_out(officer, phone, hours=24 * 20)
    phone.new()
    phone.wait(hours=49)
    phone.say("I saw that the sign at the Old Bridge is gone")
    assert Report.objects.get().topic.code != SIGHTING


def test_what_says_no_word_shortly_after_an_alert_is_asked_about_once(officer: User) -> None:
    phone = Phone()
    phone.say("ALERTS Old Bridge")
    alert = look_out(officer, phone)
    phone.new()
    phone.wait(minutes=90)
    talk(
        """
        > two men in a white van
        < saw_about(reference={ref}; emergency=112; alert=Water cut in the old town)
        > they had a dog
        < added(reference={ref})
        > Yes
        < saw_noted() + where()
        > market street
        < placed(place=Market Street)
        """,
        phone=phone,
    )
    report = Report.objects.get()
    assert (only_sighting().alert_id, report.topic.code, report.latitude) == (alert.pk, SIGHTING, 42.39)
    assert [message.text for message in report.messages.all()] == ["they had a dog"]


def test_no_and_nothing_leave_it_a_report_like_any_other(officer: User) -> None:
    phone = Phone()
    phone.say("ALERTS Old Bridge")
    look_out(officer, phone)
    phone.new()
    (said,) = phone.say("two cats sit on our roof")
    assert "Is it about this alert" in said
    (said,) = phone.say("no")
    assert said == texts.for_phone(f"{alert_texts.saw_noted()} {proxy_texts.where()}")
    phone.say("Old Bridge")
    report = Report.objects.get()
    assert (report.place_name, report.topic.code) == ("Old Bridge", "other")
    other = Phone("+38344999888")
    other.say("ALERTS Old Bridge")
    look_out(officer, other)
    other.new()
    talk(
        "> two dogs bark all night\n"
        "< saw_about(reference={ref}; emergency=112; alert=Water cut in the old town)\n> 0\n< left()",
        phone=other,
    )
    assert not Sighting.objects.exists()


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("two men in a white van", 121),
        ("NEW two men in a white van", 5),
        ("the lamp at the Old Bridge is broken", 5),
        ("they were attacked at the Old Bridge", 5),
    ],
)
def test_what_comes_late_or_speaks_of_something_else_is_not_asked_about(officer: User, text: str, minutes: int) -> None:
    phone = Phone()
    phone.say("ALERTS Old Bridge")
    look_out(officer, phone)
    phone.new()
    phone.wait(minutes=minutes)
    (said,) = phone.say(text)
    assert "alert" not in said
    assert Report.objects.count() == 1 and not Sighting.objects.exists()


def test_who_has_had_no_alert_and_who_is_in_a_conversation_is_not_asked(officer: User) -> None:
    home, stranger = Phone(), Phone("+38344999888")
    home.say("ALERTS Old Bridge")
    home.say("two men sleep in the yard")
    look_out(officer, home)
    home.new()
    home.wait(minutes=5)
    # It belongs to the report of a moment ago.
    home.say("they are still there now")
    (said,) = stranger.say("two men in a white van")
    assert "alert" not in said
    assert Report.objects.count() == 2 and not Sighting.objects.exists()


def test_an_older_site_gets_the_topic_with_the_first_sighting() -> None:
    Topic.objects.filter(code=SIGHTING).update(current=None)
    Topic.objects.filter(code=SIGHTING).delete()
    forget_topics()
    Phone().say("SAW white van near the Old Bridge")
    assert Report.objects.get().topic.code == SIGHTING


def test_each_message_about_alerts_costs_a_bounded_number_of_queries(
    officer: User, django_assert_max_num_queries
) -> None:
    phone = Phone()
    phone.say("ALERTS Old Bridge")
    for minutes in range(12):
        look_out(officer, phone, hours=5 + minutes)
    phone.wait(minutes=1)
    with django_assert_max_num_queries(75):
        phone.say("SAW white van, no plates")
    assert Outbound.objects.filter(contact=Contact.objects.get()).count() > 1
