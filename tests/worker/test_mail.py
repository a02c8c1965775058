"""E-mail from the letter box to the answer: whose word it is, nothing lost, nothing doubled, nobody flooded."""

from __future__ import annotations

import dataclasses
import io
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from PIL import Image

from commonbeat.channels.email.addresses import Purpose, address_with
from commonbeat.foundation import clock
from commonbeat.messaging.actions import contact_for, record_sent, stop_contact, understand_batch
from commonbeat.messaging.channel import Channel, Sent, channels
from commonbeat.messaging.channel import Outbound as Message
from commonbeat.messaging.models import Contact, Inbound, Outbound
from commonbeat.messaging.queries import text_of
from commonbeat.reactions.inbound import handle
from commonbeat.reactions.letters import ANSWERS_LIMIT
from commonbeat.reports.models import Report, ReportPhoto
from commonbeat.worker.mail import WRONG_TOKENS, Intake, TooManyWrongTokens, correspondent, mail_intake
from tests import make
from tests.channels.mails import ADDRESS, PERSON, mail, reply_address, with_mail

pytestmark = pytest.mark.django_db


@pytest.fixture
def intake(settings, unit, monkeypatch) -> Intake:
    settings.COMMONBEAT = with_mail(settings.COMMONBEAT)
    # A test's transaction must not end with the connection.
    monkeypatch.setattr("commonbeat.worker.mail.close_old_connections", lambda: None)
    make.make_topic("other")
    found = mail_intake(settings.COMMONBEAT, on_stored=lambda: None)
    assert found is not None
    return found


def hear(intake: Intake, data: bytes, to: str = ADDRESS, envelope: str = PERSON) -> list[str]:
    """Take a mail in, understand it, and give the answers to it."""
    before = set(Outbound.objects.values_list("pk", flat=True))
    intake.take(data, [to], envelope)
    understand_batch(handle, clock.now())
    return [text_of(row) for row in Outbound.objects.exclude(pk__in=before).order_by("id")]


def token_address(settings) -> str:
    return reply_address(settings.COMMONBEAT)


def numbered(text: str, number: int, **heads: str) -> bytes:
    return mail(text, Message_ID=f"<n{number}@people.example>", **heads)


# ------------------------------------------------------------------ a report


def test_a_mail_is_a_report_that_is_not_yet_confirmed(intake: Intake) -> None:
    (answer,) = hear(intake, mail())
    report = Report.objects.get()
    assert report.text == "The lamp at the bridge is dark."
    assert report.channel == "email"
    assert not report.contact_confirmed
    assert "YES" in answer


def test_234_times_the_same_mail_is_one_report(intake: Intake, settings) -> None:
    for number in range(234):
        data = b"Received: way %d\r\n" % number + mail(To=ADDRESS, Cc=token_address(settings))
        intake.take(data, [ADDRESS if number % 2 else token_address(settings)], PERSON)
    understand_batch(handle, clock.now())
    assert Inbound.objects.count() == Report.objects.count() == Outbound.objects.count() == 1


def test_nothing_of_a_mail_stands_in_the_database_in_clear(intake: Intake) -> None:
    hear(intake, mail("Something very particular happened."))
    row = Inbound.objects.get()
    assert b"particular" not in bytes(row.body_sealed)
    assert b"arta" not in bytes(Contact.objects.get().address_sealed)
    assert "arta" not in row.provider_id


def test_a_photo_comes_along_and_is_made_anew(intake: Intake) -> None:
    letter = with_photo("A dump at the bridge.")
    hear(intake, letter)
    assert ReportPhoto.objects.filter(report=Report.objects.get()).count() == 1
    assert ReportPhoto.objects.get().photo.draft_key == ""


def test_a_photo_without_words_is_a_report(intake: Intake) -> None:
    hear(intake, with_photo("", subject=""))
    assert ReportPhoto.objects.filter(report=Report.objects.get()).count() == 1


def test_what_is_no_picture_is_told_and_the_words_are_kept(intake: Intake) -> None:
    letter = EmailMessage(policy=SMTP)
    letter["From"], letter["To"] = PERSON, ADDRESS
    letter.set_content("A dump at the bridge.")
    letter.add_attachment(b"\xff\xd8\xff" + b"x" * 5_000, maintype="image", subtype="jpeg", filename="a.jpg")
    answers = hear(intake, letter.as_bytes())
    assert ReportPhoto.objects.filter(report=Report.objects.get()).count() == 0
    assert any("/report/" in answer for answer in answers)


def with_photo(text: str, subject: str = "Dump") -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((200, 200), 90).convert("RGB").save(buffer, "JPEG")
    letter = EmailMessage(policy=SMTP)
    letter["From"], letter["To"], letter["Subject"], letter["Message-ID"] = PERSON, ADDRESS, subject, "<p@x.example>"
    letter.set_content(text)
    letter.add_attachment(buffer.getvalue(), maintype="image", subtype="jpeg", filename="a.jpg")
    return letter.as_bytes()


# ------------------------------------------------------------------ the From line proves nothing


def test_status_needs_the_token(intake: Intake, settings) -> None:
    contact = contact_for(kind="email", address=PERSON, channel="email", now=clock.now())
    report = make.make_report(contact=contact, contact_confirmed=True)
    (answer,) = hear(intake, numbered("STATUS", 1, Subject=""))
    assert "answer this message" in answer
    (answer,) = hear(intake, numbered(report.reference, 2, Subject=""))
    assert "answer this message" in answer
    (answer,) = hear(intake, numbered("STATUS", 3, Subject=""), token_address(settings))
    assert report.reference[:4] in answer


@pytest.mark.parametrize("word", ["STOP", "START", "YES", "SHQIP", "0"])
def test_a_forged_from_line_changes_nothing(intake: Intake, word: str) -> None:
    contact = contact_for(kind="email", address=PERSON, channel="email", language="en", now=clock.now())
    make.make_report(contact=contact, contact_confirmed=False)
    hear(intake, numbered(word, 1, Subject=""))
    contact.refresh_from_db()
    assert (contact.stopped_at, contact.language) == (None, "en")
    assert not Report.objects.filter(contact_confirmed=True).exists()


def test_a_forger_cannot_answer_the_desk_and_the_owner_still_can(intake: Intake, settings, officer) -> None:
    from commonbeat.intake.actions import expect_answer
    from commonbeat.reports.models import MessageKind

    contact = contact_for(kind="email", address=PERSON, channel="email", language="en", now=clock.now())
    report = make.make_report(contact=contact, contact_confirmed=True)
    report.messages.create(kind=MessageKind.QUESTION, text="Which lamp?", created_at=clock.now(), author=officer)
    expect_answer(contact=contact, report_id=report.pk, now=clock.now())
    hear(intake, numbered("It was nothing, forget it.", 1, Subject=""))
    assert not report.messages.filter(kind=MessageKind.ANSWER).exists()
    assert Report.objects.count() == 2
    hear(intake, numbered("the left one", 2, Subject="Re: x"), token_address(settings))
    assert report.messages.get(kind=MessageKind.ANSWER).text == "the left one"


def test_answering_our_mail_confirms_the_report(intake: Intake, settings) -> None:
    hear(intake, numbered("The lamp is dark.", 1))
    hear(intake, numbered("Market Street", 2, Subject="Re: Lamp"), token_address(settings))
    assert Report.objects.get().contact_confirmed


def test_yes_confirms_and_stop_does_not(intake: Intake, settings) -> None:
    hear(intake, numbered("The lamp is dark.", 1))
    hear(intake, numbered("STOP", 2, Subject=""), address_with_stop(settings))
    assert Contact.objects.get().stopped_at is not None
    assert not Report.objects.get().contact_confirmed
    hear(intake, numbered("START", 3, Subject=""), token_address(settings))
    hear(intake, numbered("The lamp is dark again.", 4))
    (answer,) = hear(intake, numbered("YES", 5, Subject=""), token_address(settings))
    assert not Report.objects.filter(contact_confirmed=False).exists()
    assert answer


def address_with_stop(settings) -> str:
    from commonbeat.messaging.sealing import address_hash

    options = settings.COMMONBEAT
    return address_with(options, Purpose.STOP, address_hash(options.secret, "email", PERSON)[:10])


def test_an_answer_from_another_address_is_still_the_same_persons(intake: Intake, settings) -> None:
    hear(intake, numbered("The lamp is dark.", 1))
    hear(intake, numbered("Market Street", 2, From="arta@work.example", Subject="Re: x"), token_address(settings))
    assert Contact.objects.count() == Report.objects.count() == 1


def test_guessing_tokens_is_slowed(intake: Intake) -> None:
    wrong = "report+r" + "a" * 32 + "@town.example"
    for number in range(WRONG_TOKENS):
        intake.take(numbered("The lamp is dark.", number), [wrong], PERSON)
    with pytest.raises(TooManyWrongTokens):
        intake.take(numbered("The lamp is dark.", 99), [wrong], PERSON)
    assert intake.take(numbered("The lamp is dark.", 100), [ADDRESS], PERSON)


# ------------------------------------------------------------------ machines and loops


def test_a_machine_is_never_answered_and_what_it_wrote_is_kept(intake: Intake, settings) -> None:
    hear(intake, numbered("The lamp is dark.", 1))
    for number, heads in enumerate([{"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}], 2):
        assert hear(intake, numbered("I am away.", number, **heads), token_address(settings)) == []
    assert hear(intake, numbered("x", 9), token_address(settings), envelope="<>") == []
    assert hear(intake, numbered("Sorry", 10, From="MAILER-DAEMON@mx.example"), envelope="") == []
    assert Report.objects.count() == 1
    assert set(Inbound.objects.values_list("state", flat=True)) == {"understood"}
    assert Inbound.objects.count() == 5


def test_our_own_mail_that_comes_back_ends_there(intake: Intake, settings) -> None:
    from commonbeat.channels.email.sending import compose

    message = Message(recipient=PERSON, text="hello", idempotency_key="in:1:0")
    options = settings.COMMONBEAT
    own = compose(options, message, payload=b"0" * 10, conversation=b"1" * 10, correspondent=correspondent("x@y.z"))
    assert hear(intake, own.as_bytes(), envelope=PERSON) == []
    assert not Report.objects.exists()


def test_two_machines_that_do_not_say_so_come_to_an_end(intake: Intake, settings) -> None:
    answers = 0
    for number in range(3 * ANSWERS_LIMIT):
        answers += len(hear(intake, numbered(f"We received your mail {number}.", number), token_address(settings)))
    assert answers <= ANSWERS_LIMIT
    assert Inbound.objects.filter(state="understood").count() == 3 * ANSWERS_LIMIT


def test_after_stop_a_mail_is_kept_and_not_answered(intake: Intake, settings) -> None:
    contact = contact_for(kind="email", address=PERSON, channel="email", now=clock.now())
    stop_contact(contact=contact, now=clock.now())
    assert hear(intake, mail("STATUS", Subject="")) == []
    assert hear(intake, mail(Message_ID="<2@x.example>")) == []
    assert Report.objects.count() == 1


def send_anywhere(channel: Channel, message: Message, monkeypatch) -> str:
    """Send without a server, and give the id under which a returned mail finds the message."""

    class Server:
        def __enter__(self) -> Server:
            return self

        def __exit__(self, *how: object) -> None:
            return

        def sendmail(self, *what: object) -> None:
            return

    monkeypatch.setattr("commonbeat.channels.email.sending._connected", lambda options: Server())
    sent = channel.send(message)
    assert isinstance(sent, Sent)
    return sent.provider_id


def test_a_returned_mail_makes_its_message_fail(intake: Intake, settings, monkeypatch) -> None:
    hear(intake, mail())
    row = Outbound.objects.get()
    options = settings.COMMONBEAT
    settings.COMMONBEAT = options = dataclasses.replace(options, mail_smtp_host="127.0.0.1")
    channel = channels()["email"]
    sent = send_anywhere(channel, Message(recipient=PERSON, text="x", idempotency_key=row.idempotency_key), monkeypatch)
    record_sent(outbound_id=row.pk, provider_id=sent, now=clock.now())
    bounce = (
        b'From: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        b"Action: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )
    for _ in range(3):
        hear(intake, bounce, address_with(options, Purpose.BOUNCE, bytes.fromhex(sent)), envelope="")
    row.refresh_from_db()
    assert (row.state, row.error) == ("failed", "bounce 5.1.1")
    assert Inbound.objects.count() == 2


# ------------------------------------------------------------------ threads


def test_an_answer_knows_the_mail_that_it_answers(intake: Intake) -> None:
    assert correspondent(PERSON).thread == ""
    hear(intake, mail("Somebody has broken the lamp at the bridge again."))
    found = correspondent(PERSON.upper())
    assert found.thread == "<1@people.example>"


def test_a_site_without_an_address_takes_no_mail(settings) -> None:
    assert mail_intake(settings.COMMONBEAT, on_stored=lambda: None) is None


def test_the_limit_of_answers_lasts_an_hour(intake: Intake, settings) -> None:
    for number in range(2 * ANSWERS_LIMIT):
        hear(intake, numbered("HELP", number, Subject=""), token_address(settings))
    Outbound.objects.update(created_at=clock.now() - timedelta(minutes=61))
    assert hear(intake, numbered("HELP", 999, Subject=""), token_address(settings)) != []
    assert dataclasses.is_dataclass(correspondent(PERSON))
