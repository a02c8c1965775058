"""A mailbox read by IMAP, from a small server of our own that speaks as much as is asked."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import OperationalError
from imap_tools import BaseMailBox, MailBoxUnencrypted

from commonbeat.config.options import Options
from commonbeat.messaging.models import Inbound
from commonbeat.worker.mail import MAIL_BYTES, WRONG_TOKENS, Intake, mail_intake
from commonbeat.worker.mail_imap import ImapReader
from tests.channels.mails import mail, with_mail

pytestmark = pytest.mark.django_db


class Mailbox:
    """Hold mails, and which are seen."""

    def __init__(self) -> None:
        self.mails: dict[int, bytes] = {}
        self.sizes: dict[int, int] = {}
        self.seen: set[int] = set()
        self.password = "word"
        self.said: list[str] = []

    def add(self, data: bytes, *, size: int = 0) -> None:
        number = len(self.mails) + 1
        self.mails[number] = data
        self.sizes[number] = size or len(data)

    def answer(self, tag: str, line: str) -> list[bytes]:
        self.said.append(line)
        word, _, rest = line.partition(" ")
        done = f"{tag} OK done".encode()
        if word.upper() == "CAPABILITY":
            return [b"* CAPABILITY IMAP4rev1", done]
        if word.upper() == "LOGIN":
            return [done] if self.password in rest else [f"{tag} NO wrong".encode()]
        if word.upper() == "SELECT":
            return [f"* {len(self.mails)} EXISTS".encode(), f"{tag} OK [READ-WRITE] done".encode()]
        if word.upper() == "LOGOUT":
            return [b"* BYE", done]
        if word.upper() == "UID":
            return [*self._by_uid(rest), done]
        return [done]

    def _by_uid(self, rest: str) -> list[bytes]:
        word, _, what = rest.partition(" ")
        if word.upper() == "SEARCH":
            return [("* SEARCH " + " ".join(str(n) for n in self.mails if n not in self.seen)).encode()]
        number = int(re.match(r"\d+", what).group())  # type: ignore[union-attr]  # a test's own client
        if word.upper() == "STORE":
            assert "Seen" in what
            self.seen.add(number)
            return [f"* {number} FETCH (UID {number} FLAGS (\\Seen))".encode()]
        if "SIZE" in what.upper():
            return [f"* {number} FETCH (UID {number} RFC822.SIZE {self.sizes[number]})".encode()]
        data = self.mails[number]
        return [b"* %d FETCH (UID %d BODY[] {%d}\r\n%s)" % (number, number, len(data), data)]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def port(mailbox: Mailbox) -> Iterator[int]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"* OK ready\r\n")
            for raw in self.rfile:
                tag, _, line = raw.decode().strip().partition(" ")
                self.wfile.write(b"".join(each + b"\r\n" for each in mailbox.answer(tag, line)))
                if line.upper() == "LOGOUT":
                    return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


@pytest.fixture
def intake(settings, monkeypatch) -> Intake:
    settings.COMMONBEAT = with_mail(
        settings.COMMONBEAT, mail_imap_host="imap.invalid", mail_imap_username="report", mail_imap_password="word"
    )
    # A test's transaction must not end with the connection.
    monkeypatch.setattr("commonbeat.worker.mail.close_old_connections", lambda: None)
    monkeypatch.setattr("commonbeat.worker.mail.connection", type("Kept", (), {"close": staticmethod(lambda: None)}))
    found = mail_intake(settings.COMMONBEAT, on_stored=lambda: None)
    assert found is not None
    return found


@pytest.fixture
def reader(settings, intake: Intake, port: int) -> ImapReader:
    def connect(options: Options) -> BaseMailBox:
        return MailBoxUnencrypted("127.0.0.1", port, timeout=5)

    return ImapReader(lambda: settings.COMMONBEAT, intake, connect=connect)


def test_what_is_unseen_is_stored_and_then_marked(reader: ImapReader, mailbox: Mailbox) -> None:
    mailbox.add(mail())
    mailbox.add(mail(Message_ID="<2@people.example>"))
    assert reader.read_batch() == 2
    assert mailbox.seen == {1, 2}
    assert Inbound.objects.count() == 2
    assert reader.read_batch() == 0
    assert not any("EXPUNGE" in line or "Deleted" in line for line in mailbox.said)


def test_what_was_stored_and_not_marked_is_read_again_and_recognised(reader: ImapReader, mailbox: Mailbox) -> None:
    mailbox.add(mail())
    reader.read_batch()
    mailbox.seen.clear()
    assert reader.read_batch() == 1
    assert Inbound.objects.count() == 1


def test_while_the_database_is_away_a_mail_stays_unseen(reader: ImapReader, mailbox: Mailbox, monkeypatch) -> None:
    def away(**more: object) -> bool:
        raise OperationalError

    mailbox.add(mail())
    with monkeypatch.context() as patch, pytest.raises(OperationalError):
        patch.setattr("commonbeat.worker.mail.receive", away)
        reader.read_batch()
    assert mailbox.seen == set()
    assert reader.read_batch() == 1


def test_a_mail_that_is_too_large_is_left_and_does_not_stop_the_next(reader: ImapReader, mailbox: Mailbox) -> None:
    mailbox.add(mail(), size=MAIL_BYTES + 1)
    mailbox.add(mail(Message_ID="<2@people.example>"))
    assert reader.read_batch() == 1
    assert mailbox.seen == {1, 2}


def test_a_hostile_mail_does_not_stop_the_next(reader: ImapReader, mailbox: Mailbox) -> None:
    mailbox.add(bytes(range(256)) * 10)
    mailbox.add(mail())
    assert reader.read_batch() == 2


def test_a_mail_that_cannot_be_read_at_all_does_not_hold_up_the_others(
    reader: ImapReader, mailbox: Mailbox, monkeypatch, caplog
) -> None:
    def breaks(data: bytes) -> bool:
        if b"<bad@people.example>" in data:
            raise LookupError("what the person wrote")
        return take(data)

    take = reader._intake.take
    monkeypatch.setattr(reader._intake, "take", breaks)
    mailbox.add(mail(Message_ID="<bad@people.example>"))
    mailbox.add(mail())
    assert reader.read_batch() == 1
    # It stays unread for whoever looks into the mailbox, and is tried again later.
    assert mailbox.seen == {2}
    assert "LookupError" in caplog.text
    assert "the person wrote" not in caplog.text


def test_guessed_tokens_stay_unseen_and_do_not_hold_up_the_others(reader: ImapReader, mailbox: Mailbox) -> None:
    wrong, more = "report+r" + "a" * 32 + "@town.example", 60
    for number in range(WRONG_TOKENS + more):
        mailbox.add(mail(Message_ID=f"<w{number}@people.example>", To=wrong))
    mailbox.add(mail())
    assert reader.read_batch() == WRONG_TOKENS + 1
    assert len(mailbox.mails) in mailbox.seen
    assert len(mailbox.mails) - len(mailbox.seen) == more
    mailbox.said.clear()
    assert reader.read_batch() == 0
    assert not any("FETCH" in line for line in mailbox.said)


def test_a_wrong_password_is_said_once_and_without_the_name(reader: ImapReader, mailbox: Mailbox, caplog) -> None:
    mailbox.password = "another"
    mailbox.add(mail())
    assert [reader.read_batch() for _ in range(3)] == [0, 0, 0]
    assert caplog.text.count("mailbox cannot be read") == 1
    assert "word" not in caplog.text
    mailbox.password = "word"
    assert reader.read_batch() == 1


def test_a_server_that_is_away_is_asked_again(settings, intake: Intake) -> None:
    def connect(options: Options) -> BaseMailBox:
        raise ConnectionRefusedError

    assert ImapReader(lambda: settings.COMMONBEAT, intake, connect=connect).read_batch() == 0


def test_a_mailbox_is_read_as_soon_as_it_is_set(settings, intake: Intake, port: int, mailbox: Mailbox) -> None:
    options = replace(settings.COMMONBEAT, mail_imap_host="")
    reader = ImapReader(lambda: options, intake, connect=lambda given: MailBoxUnencrypted("127.0.0.1", port, timeout=5))
    mailbox.add(mail())
    assert reader.read_batch() == 0
    options = settings.COMMONBEAT
    assert reader.read_batch() == 1
