"""E-mail sent: what stands in it, and what a server's answer means; the peer is a real SMTP server on loopback."""

from __future__ import annotations

import dataclasses
import email
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage, Message
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from commonbeat.channels.email.addresses import Purpose, read_recipient
from commonbeat.channels.email.quotes import without_history
from commonbeat.messaging.channel import Failed, Outbound, Sent, channels
from commonbeat.messaging.mail import Correspondent
from tests.channels.mails import ADDRESS, PERSON, with_mail
from tests.durability.site import free_port

MESSAGE = Outbound(recipient=PERSON, text="Your reference is KX7M-4QXP-2R. Është në rregull.", idempotency_key="in:7:0")


class Server:
    """A mail server that keeps what it is given, or answers what a test says."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, list[str], EmailMessage]] = []
        self.rcpt = self.data = ""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.data:
            return self.data
        message = email.message_from_bytes(envelope.content, policy=default)
        self.taken.append((envelope.mail_from, envelope.rcpt_tos, message))
        return "250 OK"


@pytest.fixture
def server(settings) -> Iterator[Server]:
    handler = Server()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port(), server_hostname="mx.example")
    controller.start()
    settings.COMMONBEAT = with_mail(
        settings.COMMONBEAT,
        mail_smtp_host="127.0.0.1",
        mail_smtp_port=controller.port,
        mail_smtp_security="none",
        site_name="Riverside\r\nBcc: x@y.example",
    )
    yield handler
    controller.stop()


@pytest.fixture(autouse=True)
def _nobody_known(monkeypatch) -> None:
    monkeypatch.setattr(channels()["email"], "correspondent", lambda address: Correspondent())


def test_a_mail_says_only_what_it_must(server: Server) -> None:
    sent = channels()["email"].send(MESSAGE)
    assert isinstance(sent, Sent)
    ((returns_to, to, message),) = server.taken
    assert to == [PERSON]
    assert message.get_content_type() == "text/plain"
    assert message["content-transfer-encoding"] == "quoted-printable"
    assert message.get_content().replace("\r", "").endswith("\n\n" + MESSAGE.text + "\n")
    assert message["subject"] == "Your message to Riverside Bcc: x@y.example"
    assert "bcc" not in message
    assert message["auto-submitted"] == "auto-replied"
    assert "reference" not in message["subject"]
    bounce = read_recipient(_options(), returns_to)
    assert bounce is not None
    # By this a returned mail finds the message.
    assert (bounce.purpose, bounce.payload.hex()) == (Purpose.BOUNCE, sent.provider_id)
    reply = read_recipient(_options(), message["reply-to"])
    assert reply is not None
    assert reply.purpose is Purpose.REPLY
    stop = message["list-unsubscribe"].strip()
    assert stop.startswith("<mailto:report+s")
    assert stop.endswith("?subject=STOP>")
    assert PERSON not in str(message).replace(f"To: {PERSON}", "")


def test_the_same_message_again_has_the_same_id_and_another_another(server: Server) -> None:
    channel = channels()["email"]
    for message in (MESSAGE, MESSAGE, dataclasses.replace(MESSAGE, idempotency_key="report:5:state")):
        channel.send(message)
    first, again, other = (message for _, _, message in server.taken)
    assert first["message-id"] == again["message-id"] != other["message-id"]
    assert first["reply-to"] == other["reply-to"]
    assert first["references"] == other["references"]
    # Whoever is forwarded a mail gets these; they must not open the conversation, nor make a message fail.
    for field in ("message-id", "references"):
        name = first[field].strip().strip("<>").partition("@")[0]
        assert name.startswith(Purpose.THREAD)
        found = read_recipient(_options(), f"report+{name}@town.example")
        assert found is not None
        assert found.purpose is None
    assert other["auto-submitted"] == "auto-generated"


def test_an_answer_stands_behind_what_it_answers_and_speaks_its_language(server: Server, monkeypatch) -> None:
    known = Correspondent(language="sq", thread="<1@people.example>")
    monkeypatch.setattr(channels()["email"], "correspondent", lambda address: known)
    channels()["email"].send(MESSAGE)
    message = server.taken[0][2]
    assert message["in-reply-to"] == "<1@people.example>"
    assert message["references"].endswith(" <1@people.example>")
    assert message["content-language"] == "sq"


def test_what_is_the_same_for_many_has_its_first_line_as_subject_and_a_thread_of_its_own(
    server: Server, monkeypatch
) -> None:
    known = Correspondent(language="sq", thread="<1@people.example>")
    monkeypatch.setattr(channels()["email"], "correspondent", lambda address: known)
    text = "A child is missing\r\nBcc: x@y.example " + "word " * 60 + "\n\nmore"
    first = dataclasses.replace(MESSAGE, text=text, idempotency_key="alert:5:7", topic="alert-5")
    after = dataclasses.replace(first, text=" " + "word " * 60, idempotency_key="alert:6:7")
    other = dataclasses.replace(first, idempotency_key="alert:8:7", topic="alert-8")
    for message in (first, after, other, MESSAGE):
        channels()["email"].send(message)
    mails = [message for _, _, message in server.taken]
    assert mails[0]["subject"] == "A child is missing"
    assert len(mails[1]["subject"]) <= 120
    assert "bcc" not in mails[0] and mails[0]["in-reply-to"] is None
    threads = [message["references"].split()[0] for message in mails]
    assert threads[0] == threads[1]
    assert len(set(threads)) == 3
    assert mails[3]["in-reply-to"] == "<1@people.example>"


def test_what_quotes_us_is_cut_again(server: Server) -> None:
    channels()["email"].send(MESSAGE)
    text = server.taken[0][2].get_content()
    assert without_history(f"the left one\n\n{text}") == "the left one"


@pytest.mark.parametrize(
    ("rcpt", "data", "outcome"),
    [
        ("550 5.1.1 No arta@people.example here", "", Failed("smtp 550", permanent=True)),
        ("450 4.2.0 greylisted", "", Failed("smtp 450", permanent=False)),
        ("", "554 5.7.1 arta@people.example is angry", Failed("smtp 554", permanent=True)),
        ("", "451 4.3.0 later", Failed("smtp 451", permanent=False)),
    ],
)
def test_for_good_or_for_now(server: Server, rcpt: str, data: str, outcome: Failed) -> None:
    server.rcpt, server.data = rcpt, data
    assert channels()["email"].send(MESSAGE) == outcome


@pytest.mark.parametrize(
    "address", ["a\r\nRCPT TO:<v@w.example>@b.example", "a b@c.example", "a,b@c.example", "ë@c.example"]
)
def test_an_odd_address_is_not_sent_to(server: Server, address: str) -> None:
    outcome = channels()["email"].send(dataclasses.replace(MESSAGE, recipient=address))
    assert outcome == Failed("address", permanent=True)
    assert server.taken == []


def test_a_server_without_tls_gets_neither_password_nor_mail(server: Server, settings) -> None:
    settings.COMMONBEAT = dataclasses.replace(
        settings.COMMONBEAT, mail_smtp_security="starttls", mail_smtp_username="u", mail_smtp_password="p"
    )
    outcome = channels()["email"].send(MESSAGE)
    assert isinstance(outcome, Failed)
    assert not outcome.permanent
    assert server.taken == []


def test_a_server_that_is_away_or_not_set_up_is_asked_again(settings) -> None:
    assert channels()["email"].send(MESSAGE) == Failed("not configured", permanent=False)
    settings.COMMONBEAT = with_mail(
        settings.COMMONBEAT, mail_smtp_host="127.0.0.1", mail_smtp_port=free_port(), mail_smtp_security="none"
    )
    assert channels()["email"].send(MESSAGE) == Failed("ConnectionRefusedError", permanent=False)


def test_a_wrong_password_is_for_the_operator(server: Server, settings, monkeypatch) -> None:
    def refuse(*args: object, **more: object) -> None:
        raise smtplib.SMTPAuthenticationError(535, b"no")

    monkeypatch.setattr(smtplib.SMTP, "login", refuse)
    settings.COMMONBEAT = dataclasses.replace(settings.COMMONBEAT, mail_smtp_username="u")
    assert channels()["email"].send(MESSAGE) == Failed("authorization", permanent=False)


def test_the_address_of_the_site_is_what_people_write_to(server: Server) -> None:
    channels()["email"].send(MESSAGE)
    message: Message = server.taken[0][2]
    assert ADDRESS in message["from"]


def _options():
    from django.conf import settings

    return settings.COMMONBEAT
