"""Headers, cookies and traces of the pages of tips."""

from __future__ import annotations

import itertools
import logging
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client

from commonbeat.foundation import clock
from commonbeat.tips.models import Tip, TipDesk
from commonbeat.web.headers import CONTENT_SECURITY_POLICY
from commonbeat.web.public import tip_pages as pages
from tests.make import NOW
from tests.tips.desks import desk_with
from tests.web.public.tip_pages import hidden, locked, picture, post, ticket, words_in

pytestmark = pytest.mark.django_db
CANARY = "Quetzalcoatlus behind the mill"


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> TipDesk:
    """Give an open desk, and hold the clock."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return desk_with()[0]


def test_the_headers_are_exactly_these(client: Client, desk: TipDesk) -> None:
    answers = [
        client.get("/tip/"),
        client.get(f"/tip/{desk.pk}/"),
        client.get("/tip/dialogue/"),
        client.get("/tip/receipt/"),
        post(client, desk, NOW),
        post(client, desk, NOW, text=""),
        client.post("/tip/dialogue/", {"receipt": "x"}),
        client.post("/tip/dialogue/file", {}),
        client.post("/tip/receipt/card", {}),
        client.post("/tip/dialogue/boxes", "{}", content_type="application/json"),
        client.post("/tip/dialogue/", {}, HTTP_SEC_FETCH_SITE="cross-site"),
    ]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        expected = CONTENT_SECURITY_POLICY + "; script-src 'self' 'wasm-unsafe-eval'"
        assert answer.headers["Content-Security-Policy"] == expected
        assert "Set-Cookie" not in answer.headers and not answer.cookies
    # Of the two sentences about referrers the last one counts.
    page = client.get("/tip/").content.decode()
    assert page.rindex('content="no-referrer"') > page.rindex('content="same-origin"')
    assert "wasm" not in client.get("/").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 200),
        ({"Origin": "http://testserver"}, 200),
        ({"Origin": "null"}, 200),
        ({}, 200),
    ],
)
def test_another_website_sends_nothing(client: Client, desk: TipDesk, headers: dict[str, str], status: int) -> None:
    fields = {"ticket": ticket(NOW), "text": "x", "website": ""}
    assert client.post(f"/tip/{desk.pk}/", fields, headers=headers).status_code == status
    assert Tip.objects.count() == (status == 200)


def test_a_ticket_lasts_a_day_and_is_used_once() -> None:
    ticket = pages.open_ticket(pages.new_ticket(NOW), NOW)
    assert ticket is not None
    assert pages.open_ticket(pages.new_ticket(NOW), NOW + timedelta(hours=25)) is None
    assert pages.open_ticket(pages.new_ticket(NOW), NOW - timedelta(hours=1)) is None
    assert pages.open_ticket(pages.pass_on("bado" * 8, NOW), NOW) is None
    assert not pages.is_used(ticket) and pages.use_up(ticket, NOW) and not pages.use_up(ticket, NOW)
    pages.give_back(ticket)
    assert pages.use_up(ticket, NOW, by="a") and pages.use_up(ticket, NOW, by="a")
    assert not pages.use_up(ticket, NOW, by="b")


def test_a_form_and_what_it_does_are_kept_together_or_not_at_all() -> None:
    ticket = pages.open_ticket(pages.new_ticket(NOW), NOW)
    assert ticket is not None
    with pytest.raises(OperationalError), pages.sent_once(ticket, NOW) as is_first:
        assert is_first and pages.is_used(ticket)
        desk_with()
        locked()
    assert not pages.is_used(ticket) and not TipDesk.objects.exists()
    with pages.sent_once(ticket, NOW) as is_first:
        assert is_first
    # Who comes second gives nothing back.
    with pytest.raises(OperationalError), pages.sent_once(ticket, NOW) as is_first:
        assert not is_first
        locked()
    assert pages.is_used(ticket)


def test_when_a_form_was_sent_is_kept_as_a_day_only(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[float] = []

    def add(key: str, value: str, seconds: float) -> bool:
        kept.append(seconds)
        return True

    monkeypatch.setattr(cache, "add", add)
    for moment in (datetime(2026, 8, 31, 1, 2, 3, tzinfo=NOW.tzinfo), datetime(2026, 8, 31, 23, 0, tzinfo=NOW.tzinfo)):
        ticket = pages.open_ticket(pages.new_ticket(moment), moment)
        assert ticket is not None and pages.use_up(ticket, moment)
        assert moment + timedelta(seconds=kept.pop()) == datetime(2026, 9, 2, tzinfo=NOW.tzinfo)


def test_a_receipt_is_passed_on_for_an_hour() -> None:
    text = pages.pass_on("bado" * 8, NOW)
    assert "bado" not in text
    passed = pages.passed_on(text, NOW)
    assert passed is not None and passed.receipt == "bado" * 8 and 1 <= passed.word <= 8
    assert pages.passed_on(text, NOW + timedelta(hours=1)) is None
    assert pages.passed_on(text[:-2], NOW) is None and pages.passed_on("", NOW) is None


def test_neither_words_nor_receipt_are_kept_anywhere(
    client: Client, desk: TipDesk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = post(client, desk, NOW, text=CANARY, files=picture(CANARY.encode() * 5_000, f"{CANARY}.png"))
    words = words_in(shown.content.decode())
    receipt = "-".join(words)
    passed = hidden(shown.content.decode(), "passed")
    client.post("/tip/receipt/", {"passed": passed})
    client.post("/tip/receipt/", {"passed": passed, "word": words[2]})
    client.post("/tip/receipt/card", {"passed": passed})
    page = client.post("/tip/dialogue/", {"receipt": receipt}).content.decode()
    again = {"passed": hidden(page, "passed"), "ticket": hidden(page, "ticket")}
    said = client.post("/tip/dialogue/", {**again, "text": CANARY, "files": picture(CANARY.encode() * 9)})
    assert said.status_code == 200
    client.post("/tip/dialogue/", {"receipt": receipt.replace(words[0], words[1], 1)})
    # Eight letters in a row: four would be found in other words.
    wanted = [CANARY, receipt, receipt.replace("-", ""), passed, *(f"{a}{b}" for a, b in itertools.pairwise(words))]
    found = [f"{model}: {row}" for model in apps.get_models() for row in model.objects.values_list()]
    found += [record.getMessage() for record in caplog.records]
    found += [f"{key} {value}" for key, value in _cached().items()]
    files = [path for path in Path(settings.COMMONBEAT.data_dir).rglob("*") if path.is_file()]
    for one in wanted:
        assert not any(one in each or repr(one.encode())[2:-1] in each for each in found), one
        assert not any(one.encode() in path.read_bytes() for path in files), one
    assert not client.cookies


def _cached() -> dict[str, object]:
    from django.core.cache import caches

    return dict(getattr(caches["default"], "_cache", {}))
