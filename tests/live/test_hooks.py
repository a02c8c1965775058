"""Gateways call: authentic calls are stored before the answer, everything else is refused with a sentence."""

from __future__ import annotations

import asyncio
import dataclasses
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable

import pytest

from commonbeat.config.options import Options
from commonbeat.live.app import LiveApp
from commonbeat.live.writer import Writer
from commonbeat.messaging.channel import Inbound as Message
from commonbeat.messaging.models import Inbound
from commonbeat.messaging.sealing import open_inbound
from tests.live.asgi import Answer, ask
from tests.live.conftest import stored_now

KEY = "a signing key of the telephone"
SECRET = "the end of the address"


@pytest.fixture(autouse=True)
def _gateways(settings) -> None:
    settings.COMMONBEAT = dataclasses.replace(settings.COMMONBEAT, smsgate_signing_key=KEY, kannel_hook_secret=SECRET)


def play(site: Options, scene: Callable[[LiveApp], Awaitable[None]], **more) -> None:
    async def run() -> None:
        app = LiveApp(site, **more)
        app.start()
        try:
            await scene(app)
        finally:
            app.stop()

    asyncio.run(run())


def event(text: str = "Garbage at the bridge", *, number: int = 1, **payload) -> bytes:
    return json.dumps(
        {
            "deviceId": "d",
            "event": "sms:received",
            "id": f"event-{number}",
            "webhookId": "w",
            "payload": {
                "messageId": f"{number:08x}",
                "message": text,
                "sender": "+38344123456",
                "recipient": None,
                "simNumber": 1,
                "receivedAt": "2026-03-14T12:00:00.000+01:00",
                **payload,
            },
        }
    ).encode()


def signed(body: bytes, *, at: float | None = None, key: str = KEY) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    return {
        "X-Timestamp": stamp,
        "X-Signature": hmac.new(key.encode(), body + stamp.encode(), "sha256").hexdigest(),
        "Content-Type": "application/json",
    }


def text_of(site: Options, row: Inbound) -> str:
    message = open_inbound(site.secret, row.body_sealed)
    assert isinstance(message, Message)
    return message.text


async def post(app: LiveApp, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    return await ask(
        app, "/hooks/smsgate_sms", method="POST", headers=signed(body) if headers is None else headers, body=[body]
    )


def test_a_message_is_stored_sealed_before_the_answer(site: Options) -> None:
    async def scene(app: LiveApp) -> None:
        answer = await post(app, event())
        assert (answer.status, answer.body) == (200, b"{}")
        assert stored_now(site) == 1

    play(site, scene)
    stored = Inbound.objects.get()
    assert b"Garbage" not in bytes(stored.body_sealed)
    message = open_inbound(site.secret, stored.body_sealed)
    assert isinstance(message, Message)
    assert (message.sender, message.text) == ("+38344123456", "Garbage at the bridge")


def test_the_same_message_fifty_times_is_one_row(site: Options) -> None:
    async def scene(app: LiveApp) -> None:
        answers = await asyncio.gather(*(post(app, event()) for _ in range(50)))
        assert {a.status for a in answers} == {200}

    play(site, scene)
    assert Inbound.objects.count() == 1


def test_the_worker_is_woken(site: Options) -> None:
    woken: list[bool] = []

    async def scene(app: LiveApp) -> None:
        await post(app, event())

    play(site, scene, on_stored=lambda: woken.append(True))
    assert woken


def test_forged_missing_and_old_signatures_are_refused(site: Options) -> None:
    body = event()

    async def scene(app: LiveApp) -> None:
        for headers in (
            {},
            signed(body, key="another key"),
            signed(body + b" "),
            signed(body, at=time.time() - 301),
            signed(body, at=time.time() + 301),
            {**signed(body), "X-Timestamp": "½"},
            {**signed(body), "X-Signature": "é" * 64},
            {**signed(body), "X-Timestamp": "9" * 40},
        ):
            answer = await post(app, body, headers)
            assert answer.status == 403
            assert answer.body.decode().strip().endswith(".")

    play(site, scene)
    assert Inbound.objects.count() == 0


def test_too_much_is_refused_without_reading_it(site: Options) -> None:
    async def scene(app: LiveApp) -> None:
        declared = await ask(
            app, "/hooks/smsgate_sms", method="POST", headers={"content-length": "9999999"}, body=[b"x"]
        )
        endless = await ask(app, "/hooks/smsgate_sms", method="POST", body=[b"x" * 40_000] * 100)
        assert declared.status == endless.status == 413

    play(site, scene)


def test_odd_bodies_are_refused_with_a_sentence(site: Options) -> None:
    async def scene(app: LiveApp) -> None:
        for body in (b"", b"{", b"[]", b"\xff\xfe", b'{"event": 3}', b"null", event()[:-30], b"[" * 30_000):
            answer = await post(app, body)
            assert answer.status == 400, body[:20]
            assert answer.body.decode().strip().endswith(".")

    play(site, scene)
    assert Inbound.objects.count() == 0


def test_a_text_with_half_an_emoji_or_control_characters_is_taken(site: Options) -> None:
    async def scene(app: LiveApp) -> None:
        half = event("X").replace(b'"X"', b'"fire \\ud83d here"')
        assert (await post(app, half)).status == 200
        assert (await post(app, event("a\x00b\x1b[31m", number=2))).status == 200

    play(site, scene)
    texts = [text_of(site, row) for row in Inbound.objects.order_by("id")]
    assert texts == ["fire \ufffd here", "a\x00b\x1b[31m"]


def test_kannel_calls_with_the_secret_and_in_utf16(site: Options) -> None:
    async def scene(app: LiveApp) -> None:
        arabic = "حريق".encode("utf-16-be")
        query = "from=%2B38344123456&to=1550&ts=1773489600&id=7&coding=2&charset=UTF-16BE&text="
        query += "".join(f"%{byte:02x}" for byte in arabic)
        answer = await ask(app, f"/hooks/kannel_sms/{SECRET}", query=query.encode())
        assert (answer.status, answer.body) == (200, b"")
        for tail in ("", "wrong", f"{SECRET}x", "é"):
            assert (await ask(app, f"/hooks/kannel_sms/{tail}", query=query.encode())).status == 403
        assert (await ask(app, f"/hooks/kannel_sms/{SECRET}", query=b"to=1550")).status == 400
        assert (await ask(app, f"/hooks/kannel_sms/{SECRET}", query=b"a&" * 100)).status == 400

    play(site, scene)
    assert text_of(site, Inbound.objects.get()) == "حريق"


def test_without_a_secret_everything_is_refused(site: Options, settings) -> None:
    settings.COMMONBEAT = dataclasses.replace(settings.COMMONBEAT, smsgate_signing_key="", kannel_hook_secret="")
    body = event()

    async def scene(app: LiveApp) -> None:
        assert (await post(app, body, signed(body, key=""))).status == 403
        assert (await ask(app, "/hooks/kannel_sms/", query=b"from=1&text=x")).status == 403
        assert (await ask(app, "/hooks/demo_sms/", query=b"from=1&text=x")).status == 403

    play(site, scene)


def test_unknown_channels_methods_and_paths(site: Options) -> None:
    async def scene(app: LiveApp) -> None:
        assert (await ask(app, "/hooks/nobody")).status == 404
        assert (await ask(app, "/hooks/smsgate_sms", method="DELETE")).status == 405
        assert (await ask(app, "/live/nothing")).status == 404
        assert (await ask(app, "/healthz")).status == 200

    play(site, scene)


def test_an_overfull_queue_says_when_to_come_again(site: Options) -> None:
    async def scene(app: LiveApp) -> None:
        app.writer = Writer(site, queue_limit=0)
        app.writer.start()
        answer = await post(app, event())
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        app.writer.stop()
        assert (await ask(app, "/healthz")).status == 503

    play(site, scene)


def test_nothing_that_was_sent_reaches_the_log(site: Options, caplog, monkeypatch) -> None:
    from commonbeat.channels.smsgate_sms import SmsGateSms

    def broken(self, request):
        raise ValueError(request.body.decode())

    monkeypatch.setattr(SmsGateSms, "parse", broken)
    caplog.set_level(logging.DEBUG)

    async def scene(app: LiveApp) -> None:
        assert (await post(app, event())).status == 500

    play(site, scene)
    assert "ValueError" in caplog.text
    assert "Garbage" not in caplog.text
    assert "44123456" not in caplog.text
