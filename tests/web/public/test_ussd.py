"""The address that a USSD provider calls: who may, what is refused, and what it answers."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from commonbeat.messaging.models import Contact, Inbound, Outbound
from commonbeat.reactions import dialling
from commonbeat.reports.models import Report
from commonbeat.topics.ready_made import install_ready_made
from tests import make

pytestmark = pytest.mark.django_db

SECRET = "theEndOfTheAddress1"
ADDRESS = f"/ussd/africastalking_ussd/{SECRET}"


@pytest.fixture(autouse=True)
def _town(unit: object, settings) -> None:
    install_ready_made(make.NOW)
    settings.COMMONBEAT = replace(settings.COMMONBEAT, africastalking_ussd_secret=SECRET)


def step(text: str = "", *, address: str = ADDRESS, client: Client | None = None, **fields: str):
    body = {
        "sessionId": "ATUid_1",
        "serviceCode": "*384*1550#",
        "phoneNumber": "+38344123456",
        "networkCode": "63902",
        "text": text,
        **fields,
    }
    caller = client or Client(enforce_csrf_checks=True)
    return caller.post(
        address, urlencode(body, errors="surrogateescape"), content_type="application/x-www-form-urlencoded"
    )


def test_a_session_begins_goes_on_and_ends() -> None:
    opened = step()
    assert opened.status_code == 200
    assert opened.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert opened.headers["Cache-Control"] == "no-store"
    assert opened.content.startswith(b"CON ")
    assert not opened.cookies
    assert step("DUMP old mattress").content.startswith(b"CON Thank you.")
    assert step("DUMP old mattress*0").content.startswith(b"CON ")
    assert step("DUMP old mattress*0*0").content.startswith(b"END ")
    assert Report.objects.get().text == "old mattress"


def test_the_language_of_the_callers_headers_does_not_matter() -> None:
    answer = step(client=Client(enforce_csrf_checks=True, headers={"accept-language": "ar"}))
    assert b"In danger call 112" in answer.content


def test_the_slash_at_the_end_makes_no_redirect() -> None:
    assert step(address=f"{ADDRESS}/").status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/ussd/africastalking_ussd/wrong",
        "/ussd/africastalking_ussd/%FF",
        f"/ussd/africastalking_ussd/{SECRET}x",
        f"/ussd/kannel_sms/{SECRET}",
        f"/ussd/nothing/{SECRET}",
        f"/ussd/africastalking_ussd/{SECRET}/more",
    ],
)
def test_whoever_does_not_know_the_secret_is_refused(address: str) -> None:
    answer = step("DUMP at the bridge", address=address)
    assert answer.status_code in (403, 404)
    assert not Inbound.objects.exists()


@pytest.mark.parametrize("secret", ["", "short"])
def test_without_a_good_secret_nobody_is_let_in(settings, secret: str) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, africastalking_ussd_secret=secret)
    assert step(address=f"/ussd/africastalking_ussd/{secret or '-'}").status_code == 403


def test_only_the_named_networks_are_let_in(settings) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, ussd_networks=("203.0.113.0/24", "2001:db8::/32"))
    assert step().status_code == 403
    for address, status in (
        ("203.0.113.9", 200),
        ("::ffff:203.0.113.9", 200),
        ("2001:db8::5", 200),
        ("198.51.100.1", 403),
    ):
        assert step(client=Client(REMOTE_ADDR=address)).status_code == status
    settings.COMMONBEAT = replace(settings.COMMONBEAT, trusted_proxies=1)
    behind = Client(REMOTE_ADDR="127.0.0.1", headers={"x-forwarded-for": "198.51.100.1, 203.0.113.9"})
    assert step(client=behind).status_code == 200


def test_only_post_is_answered() -> None:
    answer = Client().get(ADDRESS)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "fields",
    [
        {"sessionId": ""},
        {"phoneNumber": ""},
        {"phoneNumber": "private"},
        {"phoneNumber": "\x00"},
        {"sessionId": "x" * 300},
        {"text": "x" * 5_000},
        {"text": "x" * 100_000},
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(fields: dict[str, Any]) -> None:
    answer = step(**fields)
    assert 400 <= answer.status_code < 500
    assert answer.content.decode().strip().endswith(".")
    assert not Inbound.objects.exists()
    assert not Contact.objects.exists()


def test_many_fields_and_odd_bytes_are_no_traceback() -> None:
    caller = Client(raise_request_exception=True)
    for body in (
        b"a=1&" * 500,
        b"\xff\xfe\x00",
        b"",
        b"sessionId=1&phoneNumber=%2B38344123456&text=%FF%00%F0%9F%98%80",
    ):
        answer = caller.post(ADDRESS, body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code in (200, 400)


def test_the_same_request_234_times_is_one_report() -> None:
    answers = {step("DUMP at Market Street").content for _ in range(234)}
    assert len(answers) == 1
    assert (Report.objects.count(), Inbound.objects.count(), Outbound.objects.count()) == (1, 1, 1)


def test_a_failure_names_neither_secret_nor_number_in_the_log(monkeypatch, caplog) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("+38344123456 said something")

    monkeypatch.setattr(dialling, "last_heard", broken)
    with caplog.at_level(logging.INFO):
        answer = step("DUMP at the bridge")
    assert answer.content == b"END Something went wrong here. Please dial again."
    assert "RuntimeError" in caplog.text
    assert SECRET not in caplog.text
    assert "38344" not in caplog.text


def test_the_webhook_address_of_other_channels_does_not_take_a_step() -> None:
    from commonbeat.messaging.channel import Refused, Request, channels

    channel = channels()["africastalking_ussd"]
    request = Request("POST", SECRET, {}, {}, b"sessionId=1&phoneNumber=%2B38344123456&text=x")
    channel.verify(request)
    with pytest.raises(Refused) as refused:
        channel.parse(request)
    assert refused.value.status == 404
