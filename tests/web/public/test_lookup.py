"""Coming back with a reference."""

from __future__ import annotations

import pytest
from django.test import Client

from commonbeat.foundation.ids import format_reference, new_reference
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.dialogue import answer_desk, ask_reporter, tell_reporter
from commonbeat.reports.actions.proxies import record_consent_at_desk
from commonbeat.reports.actions.work import add_note, move_report, verify_report
from commonbeat.reports.models import Message, MessageKind, OnBehalf, Report
from commonbeat.reports.proxy_models import NO_CONSENT
from commonbeat.web import throttle
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give a report on the officer's desk."""
    return make.make_report(unit=unit, text="my own words", place_name="behind my house")


def look(client: Client, reference: str, **more: str) -> str:
    response = client.post("/lookup/", {"reference": reference, **more})
    assert response.status_code == 200, response.content.decode()
    return str(response.content.decode())


def test_it_shows_the_steps_and_never_the_words(client: Client, report: Report, officer: User) -> None:
    officer.display_name = "Somebody Example"
    officer.save()
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=make.NOW)
    verify_report(report_id=report.pk, evidence="seen", independent_sources=2, actor=officer, now=make.NOW)
    add_note(report_id=report.pk, text="a note inside", actor=officer, now=make.NOW)
    move_report(report_id=report.pk, to_state="resolved", actor=officer, now=make.NOW)
    html = look(client, format_reference(report.reference).lower())
    assert "Your report arrived" in html and "An officer has read it" in html
    assert "found it to be right" in html and "It is resolved" in html
    assert "my own words" not in html and "behind my house" not in html and "a note inside" not in html
    assert officer.display_name not in html


def test_the_reason_of_a_refusal_is_told(client: Client, report: Report, officer: User) -> None:
    move_report(report_id=report.pk, to_state="rejected", reason="Not in our town", actor=officer, now=make.NOW)
    assert "Not in our town" in look(client, report.reference)


def test_the_topic_may_say_it_in_its_own_words(client: Client, unit: Unit, officer: User) -> None:
    topic = make.make_topic("own", workflow_texts={"resolved": {"en": "The light burns again."}})
    report = make.make_report(topic=topic, unit=unit)
    move_report(report_id=report.pk, to_state="triaged", actor=officer, now=make.NOW)
    move_report(report_id=report.pk, to_state="resolved", actor=officer, now=make.NOW)
    assert "The light burns again." in look(client, report.reference)


def test_a_question_is_answered_once(client: Client, report: Report, officer: User) -> None:
    ask_reporter(report_id=report.pk, text="How many lamps?", actor=officer, now=make.NOW)
    tell_reporter(report_id=report.pk, text="We are on it.", actor=officer, now=make.NOW)
    html = look(client, report.reference)
    assert "How many lamps?" in html and "We are on it." in html
    key = html.split('name="key" value="')[1].split('"')[0]
    for _ in range(3):
        html = look(client, report.reference, text="Three.", key=key)
    assert "has reached the desk" in html and "Three." in html
    assert Message.objects.filter(kind=MessageKind.ANSWER).count() == 1
    report.refresh_from_db()
    assert report.answer_waiting


@pytest.mark.parametrize("text", ["", "  ", "x" * 4_001])
def test_an_answer_that_cannot_be_taken_is_kept_on_the_page(client: Client, report: Report, text: str) -> None:
    response = client.post("/lookup/", {"reference": report.reference, "text": text})
    assert response.status_code == 422
    assert not Message.objects.exists()
    assert text.strip() in response.content.decode()


@pytest.mark.parametrize("typed", ["", "hello", "KX7M", "\x00", "x" * 500, "٣٤٥"])
def test_what_is_no_reference_gets_a_sentence(client: Client, typed: str) -> None:
    response = client.post("/lookup/", {"reference": typed})
    assert response.status_code == 422 and "error-summary" in response.content.decode()


def test_guessing_is_slowed_and_says_so(client: Client, report: Report) -> None:
    for _ in range(throttle.WRONG_REFERENCES.most):
        assert client.post("/lookup/", {"reference": new_reference()}).status_code == 422
    response = client.post("/lookup/", {"reference": report.reference})
    assert response.status_code == 429 and "wait an hour" in response.content.decode()
    other = client.post("/lookup/", {"reference": report.reference}, REMOTE_ADDR="198.51.100.9")
    assert other.status_code == 200, "another network is not held up"


def test_many_networks_together_are_slowed(client: Client, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = throttle.WRONG_REFERENCES_EVERYWHERE._replace(most=6)
    monkeypatch.setattr(throttle, "WRONG_REFERENCES_EVERYWHERE", everywhere)

    def guess(network: int) -> int:
        return client.post("/lookup/", {"reference": new_reference()}, REMOTE_ADDR=f"198.51.{network}.9").status_code

    assert [guess(network) for network in range(6)] == [422] * 6
    assert [guess(7) for _ in range(4)] == [422, 422, 422, 429]
    right = client.post("/lookup/", {"reference": report.reference}, REMOTE_ADDR="198.51.8.9")
    assert right.status_code == 200, "whoever has a reference still gets in"


def test_a_typing_error_costs_nothing(client: Client, report: Report) -> None:
    for _ in range(throttle.WRONG_REFERENCES.most + 2):
        client.post("/lookup/", {"reference": "not a reference"})
    look(client, report.reference)


def test_the_reference_is_in_no_address(client: Client, report: Report) -> None:
    assert client.get(f"/lookup/?reference={report.reference}").content.decode().count(report.reference) <= 1
    html = look(client, report.reference)
    assert f"={report.reference}" not in html and f"/{report.reference}" not in html


def test_what_the_desk_writes_to_the_reporter_is_told_and_what_the_house_notes_is_not(
    client: Client, report: Report, supervisor: User
) -> None:
    OnBehalf.objects.create(report=report, said_by="desk", asked_at=make.NOW)
    record_consent_at_desk(report_id=report.pk, consent="refused", actor=supervisor, now=make.NOW)
    report.refresh_from_db()
    assert report.state_reason == NO_CONSENT
    html = look(client, report.reference)
    assert "The desk did not take it up" in html
    assert "agree" not in html and "made for" not in html


def test_words_from_a_telephone_are_for_their_sender_alone(client: Client, unit: Unit, officer: User) -> None:
    contact = make.make_contact()
    report = make.make_report(unit=unit, contact=contact)
    ask_reporter(report_id=report.pk, text="Which house?", actor=officer, now=make.NOW)
    answer_desk(report_id=report.pk, text="number seven", client_key="a", sender_id=contact.pk, now=make.NOW)
    html = look(client, report.reference, text="The green one.", key="k" * 22)
    assert "number seven" not in html and "Only its sender has the words." in html
    # What was added with the reference alone may be read by whoever has it.
    assert "Which house?" in html and "The green one." in html
