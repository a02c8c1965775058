"""The new gateways at the door: 234 times the same is one row; forged, too large and odd calls get a 4xx."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from commonbeat.config.options import Options
from commonbeat.foundation import clock
from commonbeat.live.app import LiveApp
from commonbeat.messaging.actions import enqueue
from commonbeat.messaging.channel import Request
from commonbeat.messaging.models import Inbound, Outbound
from tests.channels import gateways
from tests.live.asgi import Answer, ask
from tests.live.test_hooks import play
from tests.make import make_contact

MESSAGES: dict[str, Callable[[str], Request]] = {
    "twilio_sms": gateways.twilio_message,
    "vonage_sms": gateways.vonage_message,
    "africastalking_sms": gateways.africastalking_message,
    "smssync_sms": gateways.smssync_message,
    "webhook_sms": gateways.webhook_message,
}
each = pytest.mark.parametrize("code", list(MESSAGES))


@pytest.fixture(autouse=True)
def _gateways(settings) -> None:
    settings.COMMONBEAT = dataclasses.replace(settings.COMMONBEAT, **gateways.SETTINGS)


async def call(app: LiveApp, code: str, request: Request) -> Answer:
    path = f"/hooks/{code}" + (f"/{request.tail}" if request.tail else "")
    query = urlencode(request.query).encode()
    headers = dict(request.headers)
    return await ask(app, path, method=request.method, query=query, headers=headers, body=[request.body])


@each
def test_234_times_the_same_message_is_one_row(site: Options, code: str) -> None:
    async def scene(app: LiveApp) -> None:
        request = MESSAGES[code]("zjarr te ura 🔥\x00")
        answers = await asyncio.gather(*(call(app, code, request) for _ in range(234)))
        assert {answer.status for answer in answers} == {200}

    play(site, scene)
    stored = Inbound.objects.get()
    assert b"zjarr" not in bytes(stored.body_sealed)
    assert stored.channel == code


@each
def test_forged_and_too_large_calls_store_nothing(site: Options, code: str) -> None:
    async def scene(app: LiveApp) -> None:
        good = MESSAGES[code]("zjarr")
        forged = dataclasses.replace(good, tail="another" if good.tail else "", body=good.body + b"&x=1")
        assert (await call(app, code, forged)).status == 403
        bare = dataclasses.replace(good, tail="", headers={}, body=b"from=1&text=x&message=x&messageId=1&id=1")
        assert (await call(app, code, bare)).status == 403
        large = dataclasses.replace(good, body=good.body + b"x" * 10_000_000)
        assert (await call(app, code, large)).status == 413
        for body in (b"", b"\xff\xfe\x00", b"[" * 30_000, b"&" * 60_000):
            assert 400 <= (await call(app, code, dataclasses.replace(good, body=body))).status < 500

    play(site, scene)
    assert Inbound.objects.count() == 0


def test_the_message_centre_has_no_address(site: Options) -> None:
    async def scene(app: LiveApp) -> None:
        assert (await ask(app, "/hooks/smpp_sms", method="POST", body=[b"x"])).status == 403

    play(site, scene)


def test_a_telephone_fetches_its_messages_and_reports(site: Options, settings) -> None:
    settings.COMMONBEAT = dataclasses.replace(settings.COMMONBEAT, smssync_confirms=True)
    enqueue(
        contact=make_contact("+38344123456", channel="smssync_sms"),
        text="Faleminderit.",
        idempotency_key="in:7:0",
        now=clock.now(),
    )

    async def scene(app: LiveApp) -> None:
        async def said(request: Request) -> dict[str, object]:
            answer = await call(app, "smssync_sms", request)
            assert answer.status == 200
            found: dict[str, object] = json.loads(answer.body)
            return found

        payload = (await said(gateways.smssync(None, task="send")))["payload"]
        assert isinstance(payload, dict)
        assert payload["messages"] == [{"to": "+38344123456", "message": "Faleminderit.", "uuid": "in:7:0"}]
        confirmed = gateways.smssync({"queued_messages": ["in:7:0", "x"]}, task="sent", as_json=True)
        assert (await said(confirmed))["message_uuids"] == ["in:7:0"]
        assert (await said(gateways.smssync(None, task="result")))["message_uuids"] == ["in:7:0"]
        await said(gateways.smssync_receipt("in:7:0", "delivered"))

    if site.database_url:
        play(site, scene)
    else:
        with_models(site, scene)
    assert Outbound.objects.get().state == "sent"
    assert Inbound.objects.get().channel == "smssync_sms"


def with_models(site: Options, scene) -> None:
    """Play with the site's own file open for the models of every thread."""
    from django.db import connections

    from tests.live.conftest import models_on

    def run(what) -> None:
        with models_on(site.database_path):
            what()

    class Threads:
        """Run what an executor would, with the same database."""

        def submit(self, what, *args):
            from concurrent.futures import Future

            future: Future[object] = Future()
            run(lambda: future.set_result(what(*args)))
            return future

        def shutdown(self, **how: object) -> None:
            connections.close_all()

    async def dressed(app: LiveApp) -> None:
        app._executor.shutdown()
        app._executor = Threads()  # type: ignore[assignment]
        await scene(app)

    play(site, dressed)
