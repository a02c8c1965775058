"""The answer to an alert's letter: tied to its alert by the thread, from the letter that goes out to the desk."""

from __future__ import annotations

import email
import itertools
from email.message import EmailMessage
from email.policy import SMTP
from email.policy import default as modern
from typing import Any

import pytest

from commonbeat.alerts.actions.follow import end_alert
from commonbeat.alerts.models import Alert, Sighting
from commonbeat.foundation import clock
from commonbeat.intake import alert_texts, proxy_texts, texts
from commonbeat.messaging.actions import contact_for, record_outcomes, understand_batch
from commonbeat.messaging.actions.outbox import lease_batch
from commonbeat.messaging.channel import channels
from commonbeat.messaging.models import Contact, Outbound
from commonbeat.messaging.queries import text_of
from commonbeat.people.models import User
from commonbeat.reactions.inbound import handle
from commonbeat.reports.models import Report
from commonbeat.topics.queries import SIGHTING
from commonbeat.worker.mail import Intake, mail_intake
from tests import make
from tests.alerts.going_out import alert_out, draft_of, fan_out, subscriber
from tests.channels.mails import ADDRESS, PERSON, reply_address, with_mail
from tests.intake.look_outs import make_town
from tests.worker.test_mail import with_photo

pytestmark = pytest.mark.django_db
_ids = itertools.count(1)


@pytest.fixture
def intake(settings, unit, monkeypatch) -> Intake:
    settings.COMMONBEAT = with_mail(settings.COMMONBEAT, mail_smtp_host="127.0.0.1")
    monkeypatch.setattr("commonbeat.worker.mail.close_old_connections", lambda: None)
    # At noon, for at night alerts wait for the morning.
    monkeypatch.setattr(clock, "now", lambda: make.NOW)
    make_town()
    found = mail_intake(settings.COMMONBEAT, on_stored=lambda: None)
    assert found is not None
    return found


class Letters:
    """The mailboxes of people: what we send lands here."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []

    def __enter__(self) -> Letters:
        return self

    def __exit__(self, *how: object) -> None:
        return

    def sendmail(self, _from: str, _to: list[str], content: bytes) -> None:
        self.taken.append(email.message_from_bytes(content, policy=modern))

    def send(self) -> list[EmailMessage]:
        """Send what the outbox holds for e-mail."""
        self.taken = []
        leased = lease_batch(channel="email", limit=20, now=clock.now())
        record_outcomes([(one.id, channels()["email"].send(one.message)) for one in leased], now=clock.now())
        return self.taken


@pytest.fixture
def letters(monkeypatch) -> Letters:
    found = Letters()
    monkeypatch.setattr("commonbeat.channels.email.sending._connected", lambda options: found)
    return found


def mailbox(address: str = PERSON) -> Contact:
    contact = contact_for(kind="email", address=address, channel="email", language="en", now=clock.now())
    return subscriber(contact=contact, now=clock.now())


def goes_out(officer: User, **changes: Any) -> Alert:
    now = clock.now()
    alert = alert_out(officer, draft=draft_of(now=now, **{"kind": "look_out", **changes}), now=now)
    fan_out(alert, now=now)
    return alert


def answer(letter: EmailMessage, text: str, **heads: str) -> bytes:
    """Answer a letter as mail programs do: behind it, with what it says quoted below."""
    said = EmailMessage(policy=SMTP)
    quoted = "\n".join(f"> {line}" for line in letter.get_content().splitlines())
    fields = {
        "From": f"Arta <{PERSON}>",
        "To": str(letter["reply-to"]),
        "Subject": f"Re: {letter['subject']}",
        "Message-ID": f"<a{next(_ids)}@people.example>",
        "In-Reply-To": str(letter["message-id"]),
        "References": f"{letter['references']} {letter['message-id']}",
    }
    for name, value in {**fields, **{name.replace("_", "-"): value for name, value in heads.items()}}.items():
        if value:
            said[name] = value
    said.set_content(f"{text}\n\nOn Tue, 3 Mar 2026 at 10:00, Town <{ADDRESS}> wrote:\n{quoted}\n")
    return said.as_bytes()


def hear(intake: Intake, data: bytes, to: str = "") -> list[str]:
    before = set(Outbound.objects.values_list("pk", flat=True))
    intake.take(data, [to or str(email.message_from_bytes(data)["to"])], PERSON)
    understand_batch(handle, clock.now())
    return [text_of(row) for row in Outbound.objects.exclude(pk__in=before).order_by("id")]


def only_report() -> Report:
    return Report.objects.select_related("topic").get()


# ------------------------------------------------------------------ the letter


def test_an_alerts_letter_says_what_it_is_about_and_has_a_thread_of_its_own(
    intake: Intake, letters: Letters, officer: User
) -> None:
    mailbox()
    alert = goes_out(officer)
    (first,) = letters.send()
    assert first["subject"] == "Water cut in the old town"
    assert first["in-reply-to"] is None
    hear(intake, answer(first, "Two men in a white van"))
    (about_report,) = letters.send()
    fan_out(end_alert(alert_id=alert.pk, outcome="over", actor=officer, now=clock.now()), now=clock.now())
    (end,) = letters.send()
    assert end["references"] == first["references"] != about_report["references"].split()[0]
    assert about_report["in-reply-to"].startswith("<a")


# ------------------------------------------------------------------ the answer


def test_an_ordinary_answer_is_a_sighting_of_that_alert_and_holds_their_own_words(
    intake: Intake, letters: Letters, officer: User
) -> None:
    person = mailbox()
    goes_out(officer)
    meant = goes_out(officer, severity="Severe")
    goes_out(officer)
    letter = letters.send()[1]
    (said,) = hear(intake, answer(letter, "A white van with two men, no plates"))
    report = only_report()
    assert said.startswith("Thank you. Your reference is") and "Where was it?" in said
    assert (report.text, report.topic.code) == ("A white van with two men, no plates", SIGHTING)
    assert (report.contact, report.contact_confirmed) == (person, True)
    assert Sighting.objects.get().alert_id == meant.pk
    # What they answer to that says where it was, and a second answer to the alert adds to the first.
    (reply,) = letters.send()
    assert hear(intake, answer(reply, "Old Bridge")) == [texts.placed(place="Old Bridge")]
    hear(intake, answer(letter, "They had a dog with them"))
    report = only_report()
    assert report.place_name == "Old Bridge"
    assert [one.text for one in report.messages.all()] == ["They had a dog with them"]


def test_the_word_is_understood_in_an_answer_and_needs_no_list(intake: Intake, letters: Letters, officer: User) -> None:
    mailbox()
    goes_out(officer)
    meant = goes_out(officer)
    (said,) = hear(intake, answer(letters.send()[1], "SAW a white van"))
    assert "Which alert" not in said
    assert (only_report().text, Sighting.objects.get().alert_id) == ("a white van", meant.pk)


def test_without_in_reply_to_the_last_of_the_references_counts(intake: Intake, letters: Letters, officer: User) -> None:
    mailbox()
    alert = goes_out(officer)
    hear(intake, answer(letters.send()[0], "Two men in a white van", In_Reply_To=""))
    assert Sighting.objects.get().alert_id == alert.pk


def test_an_answer_to_something_else_in_the_thread_is_no_sighting(
    intake: Intake, letters: Letters, officer: User
) -> None:
    mailbox()
    goes_out(officer)
    (letter,) = letters.send()
    (said,) = hear(intake, answer(letter, "Two men in a white van", In_Reply_To="<somebody@elsewhere.example>"))
    # So short after the alert it is asked.
    assert "Is it about this alert" in said
    assert not Sighting.objects.exists()


def test_words_of_a_topic_are_asked_about_once(intake: Intake, letters: Letters, officer: User) -> None:
    mailbox()
    alert = goes_out(officer)
    (letter,) = letters.send()
    (said,) = hear(intake, answer(letter, "Somebody dumped old tyres at the Old Bridge"))
    assert "Is it about this alert: Water cut in the old town? YES or NO." in said
    assert not Sighting.objects.exists()
    assert only_report().topic.code != SIGHTING
    (question,) = letters.send()
    (noted,) = hear(intake, answer(question, "Yes"))
    assert noted.startswith(alert_texts.saw_noted()) and "alert" not in noted
    report = only_report()
    assert (report.topic.code, report.place_name) == (SIGHTING, "Old Bridge")
    assert (Sighting.objects.get().alert_id, Sighting.objects.get().report_id) == (alert.pk, report.pk)


def test_no_leaves_it_the_report_that_it_was(intake: Intake, letters: Letters, officer: User) -> None:
    mailbox()
    goes_out(officer)
    hear(intake, answer(letters.send()[0], "Somebody dumped old tyres"))
    topic = only_report().topic.code
    (said,) = hear(intake, answer(letters.send()[0], "no"))
    assert said.endswith(f"MENU. {proxy_texts.where()}")
    assert (only_report().topic.code, Sighting.objects.count()) == (topic, 0)


def test_a_picture_alone_is_a_sighting_and_not_our_own_words(intake: Intake, letters: Letters, officer: User) -> None:
    mailbox()
    alert = goes_out(officer)
    letter = letters.send()[0]
    quoted = email.message_from_bytes(answer(letter, ""), policy=SMTP)
    picture = email.message_from_bytes(with_photo(quoted.get_content()), policy=SMTP)
    for name in ("From", "To", "Subject", "Message-ID", "In-Reply-To"):
        del picture[name]
        picture[name] = quoted[name]
    hear(intake, picture.as_bytes())
    report = only_report()
    assert report.text == texts.photo_alone()
    assert report.report_photos.count() == 1
    assert Sighting.objects.get().alert_id == alert.pk


def test_nothing_said_is_answered_with_the_help_and_is_no_sighting(
    intake: Intake, letters: Letters, officer: User
) -> None:
    mailbox()
    goes_out(officer)
    (letter,) = letters.send()
    assert hear(intake, answer(letter, "")) == [texts.help_text(emergency="112")]
    assert hear(intake, answer(letter, "Thank you")) == []
    assert not Report.objects.exists()


def test_an_alert_that_does_not_ask_is_answered_by_a_report(intake: Intake, letters: Letters, officer: User) -> None:
    mailbox()
    goes_out(officer, kind="water")
    (said,) = hear(intake, answer(letters.send()[0], "My cellar is wet, too"))
    assert "alert" not in said
    assert only_report().topic.code != SIGHTING


def test_the_answer_to_an_end_is_no_sighting_and_one_to_what_is_over_is(
    intake: Intake, letters: Letters, officer: User
) -> None:
    mailbox()
    alert = goes_out(officer)
    (letter,) = letters.send()
    fan_out(end_alert(alert_id=alert.pk, outcome="over", actor=officer, now=clock.now()), now=clock.now())
    (end,) = letters.send()
    hear(intake, answer(end, "How good to read this"))
    assert not Sighting.objects.exists()
    Report.objects.all().delete()
    (said,) = hear(intake, answer(letter, "NEW two men in a white van"))
    assert not Sighting.objects.exists()
    (said,) = hear(intake, answer(letter, "saw them yesterday evening"))
    assert "No alert asks for this now" in said
    assert Sighting.objects.get().alert_id == alert.pk


def test_stop_alerts_in_an_answer_is_still_that(intake: Intake, letters: Letters, officer: User) -> None:
    person = mailbox()
    goes_out(officer)
    assert hear(intake, answer(letters.send()[0], "STOP ALERTS")) == [alert_texts.alerts_ended()]
    assert not person.subscriptions.exists()
    assert not Report.objects.exists()


# ------------------------------------------------------------------ machines and strangers


@pytest.mark.parametrize(
    "heads",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"X_Auto_Response_Suppress": "All"},
        {"Subject": "Automatic reply: Water cut in the old town"},
    ],
)
def test_an_out_of_office_notice_is_no_sighting(
    intake: Intake, letters: Letters, officer: User, heads: dict[str, str]
) -> None:
    mailbox()
    goes_out(officer)
    assert hear(intake, answer(letters.send()[0], "I am away until Monday", **heads)) == []
    assert not Report.objects.exists()


def test_an_answer_past_the_reply_address_is_tied_and_told_nothing(
    intake: Intake, letters: Letters, officer: User
) -> None:
    mailbox()
    meant = goes_out(officer)
    goes_out(officer)
    said = hear(intake, answer(letters.send()[0], "A white van with two men", To=ADDRESS))
    (told,) = said
    assert "Water cut" not in told and "alert" not in told
    report = only_report()
    assert (report.contact_confirmed, Sighting.objects.get().alert_id) == (False, meant.pk)
    # As anybody is told who has had none.
    reference = told.split("reference is ")[1].split(".")[0]
    assert told.startswith(alert_texts.saw_where(reference=reference, emergency="112"))


def test_words_of_a_topic_are_not_asked_about_of_an_unproven_sender(
    intake: Intake, letters: Letters, officer: User
) -> None:
    mailbox()
    goes_out(officer)
    (told,) = hear(intake, answer(letters.send()[0], "Somebody dumped old tyres", To=ADDRESS))
    assert "alert" not in told
    assert not Sighting.objects.exists()


def test_a_letter_that_went_to_somebody_else_ties_nothing(
    intake: Intake, letters: Letters, officer: User, settings
) -> None:
    mailbox()
    goes_out(officer)
    (letter,) = letters.send()
    other = "besa@people.example"
    for to in (ADDRESS, reply_address(settings.COMMONBEAT, other)):
        (told,) = hear(intake, answer(letter, "A white van with two men", From=other, To=to))
        assert "alert" not in told
    assert Report.objects.exists() and not Sighting.objects.exists()


def test_a_made_up_thread_ties_nothing(intake: Intake, letters: Letters, officer: User) -> None:
    mailbox()
    goes_out(officer)
    (letter,) = letters.send()
    mine = str(letter["message-id"])
    made_up = mine.replace(mine[2], "b" if mine[2] == "a" else "a", 1)
    for number, thread in enumerate((made_up, "<t@town.example>", "<>", "<@>", "none", mine.replace("town", "other"))):
        hear(intake, answer(letter, f"A white van, number {number}", To=ADDRESS, In_Reply_To=thread, References=""))
    assert Report.objects.count() == 6
    assert not Sighting.objects.exists()


def test_a_test_alert_is_tied_for_its_proven_recipient_alone(intake: Intake, letters: Letters, officer: User) -> None:
    mailbox()
    drill = goes_out(officer, status="Test")
    (letter,) = letters.send()
    hear(intake, answer(letter, "A white van with two men", To=ADDRESS))
    assert not Sighting.objects.exists()
    Report.objects.all().delete()
    hear(intake, answer(letter, "A white van with three men"))
    assert Sighting.objects.get().alert_id == drill.pk
