"""The LMTP listener with a real client: 250 after the commit, 4xx while the database is away, 5xx only for good."""

from __future__ import annotations

import dataclasses
import shutil
import smtplib
import socket
import subprocess
from collections.abc import Iterator

import pytest
from django.db import OperationalError

from commonbeat.messaging.models import Inbound
from commonbeat.worker.mail import MAIL_BYTES, Intake, mail_intake
from commonbeat.worker.mail_lmtp import CONNECTIONS, LmtpListener
from tests.channels.mails import ADDRESS, PERSON, mail, with_mail
from tests.durability.site import free_port

pytestmark = pytest.mark.django_db(transaction=True)
SWAKS = shutil.which("swaks")


@pytest.fixture
def woken() -> list[int]:
    return []


@pytest.fixture
def intake(settings, woken: list[int]) -> Intake:
    settings.COMMONBEAT = with_mail(settings.COMMONBEAT, mail_lmtp_port=free_port())
    found = mail_intake(settings.COMMONBEAT, on_stored=lambda: woken.append(1))
    assert found is not None
    return found


@pytest.fixture
def listener(settings, intake: Intake) -> Iterator[LmtpListener]:
    listener = LmtpListener(settings.COMMONBEAT, intake)
    listener.start()
    assert listener.is_listening.wait(5)
    yield listener
    listener.stop()
    assert not listener._thread.is_alive()


def client(listener: LmtpListener) -> smtplib.LMTP:
    return smtplib.LMTP("127.0.0.1", listener.port, local_hostname="mx.example", timeout=10)


def test_a_mail_is_on_the_disk_when_it_is_acknowledged(listener: LmtpListener, woken: list[int]) -> None:
    with client(listener) as server:
        assert server.sendmail(PERSON, [ADDRESS], mail()) == {}
        assert Inbound.objects.count() == 1
        assert server.sendmail(PERSON, [ADDRESS], mail()) == {}
        server.sendmail("", [ADDRESS], mail(Message_ID="<2@x.example>"))
    assert Inbound.objects.count() == 2
    assert len(woken) == 2


def test_mail_for_others_is_refused_for_good(listener: LmtpListener) -> None:
    with client(listener) as server, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        server.sendmail(PERSON, ["else@town.example"], mail())
    assert refused.value.recipients["else@town.example"][0] == 550
    assert not Inbound.objects.exists()


def test_of_two_recipients_the_second_comes_again(listener: LmtpListener) -> None:
    other = ADDRESS.replace("@", "+x@")
    with client(listener) as server:
        assert server.sendmail(PERSON, [ADDRESS, other], mail())[other][0] == 452
        assert server.sendmail(PERSON, [other], mail()) == {}
    # Both name the same mail.
    assert Inbound.objects.count() == 1


def test_while_the_database_is_away_the_server_comes_again(listener: LmtpListener, monkeypatch, caplog) -> None:
    def away(**more: object) -> bool:
        raise OperationalError("no connection to arta@people.example")

    with client(listener) as server:
        with monkeypatch.context() as patch, pytest.raises(smtplib.SMTPDataError) as refused:
            patch.setattr("commonbeat.worker.mail.receive", away)
            server.sendmail(PERSON, [ADDRESS], mail())
        assert refused.value.smtp_code == 451
        assert "arta" not in caplog.text + str(refused.value.smtp_error)
        assert server.sendmail(PERSON, [ADDRESS], mail()) == {}
    assert Inbound.objects.count() == 1


def test_ten_megabytes_are_taken_and_thirty_are_not(listener: LmtpListener) -> None:
    with client(listener) as server:
        assert server.sendmail(PERSON, [ADDRESS], mail("word " * 2_000_000)) == {}
        with pytest.raises(smtplib.SMTPException) as refused:
            server.sendmail(PERSON, [ADDRESS], b"Subject: x\r\n\r\n" + b"0123456789abcd\r\n" * (MAIL_BYTES // 16 + 1))
    assert "552" in str(refused.value)
    assert Inbound.objects.count() == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"x\x00y",
        bytes(range(256)) * 4,
        b"Subject: x\r\n\r\n" + b"y" * 900_000 + b"\r\n",
        b"From: a@b.example\r\n"
        + b"".join(b"Content-Type: multipart/x; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(1000)),
    ],
)
def test_whatever_comes_is_stored(listener: LmtpListener, data: bytes) -> None:
    with client(listener) as server:
        assert server.sendmail(PERSON, [ADDRESS], data) == {}
    assert Inbound.objects.count() == 1


def test_what_is_no_lmtp_harms_nobody(listener: LmtpListener) -> None:
    for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 5_000, b"LHLO x\r\nDATA\r\n", b"x" * 2_000_000):
        with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as connection:
            connection.sendall(noise)
    with client(listener) as server:
        assert server.sendmail(PERSON, [ADDRESS], mail()) == {}


def test_a_crowd_is_told_to_come_again(listener: LmtpListener) -> None:
    crowd = [client(listener) for _ in range(CONNECTIONS)]
    with pytest.raises((smtplib.SMTPException, OSError)):
        client(listener).sendmail(PERSON, [ADDRESS], mail())
    for one in crowd:
        one.close()
    assert not Inbound.objects.exists()


def test_a_port_in_use_is_waited_for_and_ends_when_asked(
    listener: LmtpListener, intake: Intake, settings, caplog
) -> None:
    options = dataclasses.replace(settings.COMMONBEAT, mail_lmtp_port=listener.port)
    second = LmtpListener(options, intake)
    second.start()
    assert not second.is_listening.wait(0.3)
    second.stop()
    assert not second._thread.is_alive()
    assert "Mail is not taken" in caplog.text


@pytest.mark.skipif(SWAKS is None, reason="swaks is absent (Debian: apt install swaks)")
def test_swaks_delivers(listener: LmtpListener) -> None:
    assert SWAKS is not None
    command = [SWAKS, "--protocol", "LMTP", "--server", f"127.0.0.1:{listener.port}", "--to", ADDRESS, "--from", PERSON]
    done = subprocess.run([*command, "--helo", "mx.example"], capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout
    assert Inbound.objects.count() == 1


def test_the_worker_listens_and_ends_in_good_order(settings) -> None:
    from commonbeat.worker.run import Worker

    options = with_mail(settings.COMMONBEAT, mail_lmtp_port=free_port(), mail_imap_host="imap.invalid")
    worker = Worker(options)
    assert [loop.name for loop in worker._loops][-1] == "mailbox"
    assert worker._lmtp is not None
    worker._lmtp.start()
    assert worker._lmtp.is_listening.wait(5)
    worker._lmtp.stop()
    assert Worker(dataclasses.replace(options, mail_address=""))._lmtp is None
