"""The pages of sources of others' alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commonbeat.alerts.actions import sources
from commonbeat.alerts.cap import write
from commonbeat.alerts.models import Alert, Source
from commonbeat.foundation import clock
from commonbeat.web.administration import alert_sources
from tests.alerts.cap_messages import SENT, info, message
from tests.make import NOW

LIST, NEW = "administration:alert_sources", "administration:alert_source_new"


def form(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Weather service",
        "url": "https://weather.example/feed",
        "senders": "",
        "certificate": "",
        "is_enabled": "on",
        "do": "save",
        **changes,
    }


def address_of(source: Source) -> str:
    return reverse("administration:alert_source_edit", kwargs={"pk": source.pk})


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Give what stands at the paths of the weather service; whatever else is asked for is not there."""
    found: dict[str, bytes] = {}

    class Stream(httpx.SyncByteStream):
        def __init__(self, data: bytes) -> None:
            self.data = data

        def __iter__(self) -> Iterator[bytes]:
            yield self.data

    def handler(request: httpx.Request) -> httpx.Response:
        data = found.get(request.url.path)
        return httpx.Response(404) if data is None else httpx.Response(200, stream=Stream(data))

    monkeypatch.setattr(alert_sources, "client", lambda: httpx.Client(transport=httpx.MockTransport(handler)))
    monkeypatch.setattr(
        "commonbeat.alerts.fetching.socket.getaddrinfo",
        lambda host, port, **_: [
            (0, 0, 0, "", ("10.0.0.1" if host in ("inside.example", "10.0.0.1") else "93.184.216.34", port))
        ],
    )
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return found


def test_a_source_is_added_changed_and_switched_off(administrator_client: Client) -> None:
    answer = administrator_client.post(reverse(NEW), form(senders="a@w.example\r\n b@w.example \r\n\r\n"))
    assert answer.status_code == 302
    source = Source.objects.get()
    assert source.senders == ["a@w.example", "b@w.example"] and source.is_enabled and not source.forwards
    Source.objects.update(etag='"1"', error="no answer")
    page = administrator_client.get(reverse(LIST)).content.decode()
    assert "Weather service" in page and "The server does not answer." in page
    administrator_client.post(address_of(source), form(name="Met office", forwards="on", is_enabled=""))
    source.refresh_from_db()
    assert (source.name, source.is_enabled, source.forwards, source.etag) == ("Met office", False, True, "")
    page = administrator_client.get(address_of(source)).content.decode()
    assert 'value="Met office"' in page and "Careful" in page


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": ""}, "Give the source a name"),
        ({"name": "other"}, "with this name already"),
        ({"url": "ftp://weather.example/"}, "begins with https://"),
        ({"url": "https://"}, "begins with https://"),
        ({"url": "https://x.example:99999/"}, "begins with https://"),
        ({"url": "https://user:word@weather.example/"}, "with a password"),
        ({"senders": "a\n" * 10 + "\n".join(f"s{n}" for n in range(60))}, "at most 50"),
        ({"certificate": "MIIC"}, "not one certificate"),
        ({"name": "\x00", "url": "\x00"}, "Give the source a name"),
    ],
)
def test_what_cannot_be_used_is_said_and_not_stored(
    administrator_client: Client, changes: dict[str, str], told: str
) -> None:
    Source.objects.create(name="Other", url="https://o.example/")
    answer = administrator_client.post(reverse(NEW), form(**changes))
    assert answer.status_code == 422 and told in answer.content.decode()
    assert Source.objects.count() == 1


def test_trying_shows_what_would_be_taken_and_stores_nothing(
    administrator_client: Client, answers: dict[str, bytes]
) -> None:
    answers["/feed"] = (
        b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>https://weather.example/1</id></entry>'
        b"<entry><id>https://weather.example/2</id></entry><entry><id>https://weather.example/3</id></entry></feed>"
    )
    answers["/1"] = write(message(info=(info(headline="<b>Storm</b>"),)))
    answers["/2"] = write(message(identifier="old", sent=SENT - timedelta(9), info=(info(expires=SENT),)))
    answer = administrator_client.post(reverse(NEW), form(do="try"))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "&lt;b&gt;Storm&lt;/b&gt;" in page and "<b>Storm" not in page
    assert "It has expired." in page and "status 404" in page
    assert not Source.objects.exists() and not Alert.objects.exists()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://weather.example/nothing", "The server answers with status 404."),
        ("https://inside.example/feed", "private network"),
        ("http://10.0.0.1/feed", "private network"),
        ("nonsense", "no address that can be asked"),
        ("https://weather.example/evil", "It has a document type"),
        ("https://weather.example/html", "neither a feed"),
    ],
)
def test_trying_says_what_is_wrong(
    administrator_client: Client, answers: dict[str, bytes], url: str, told: str
) -> None:
    answers |= {"/evil": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "/html": b"<html/>"}
    answer = administrator_client.post(reverse(NEW), form(do="try", url=url))
    assert answer.status_code == 422 and told in answer.content.decode()
    assert "root:" not in answer.content.decode()


def test_trying_is_bounded(administrator_client: Client, answers: dict[str, bytes]) -> None:
    for _round in range(alert_sources.TRIALS.most):
        administrator_client.post(reverse(NEW), form(do="try"))
    answer = administrator_client.post(reverse(NEW), form(do="try"))
    assert answer.status_code == 422 and "Thirty tries" in answer.content.decode()


def test_every_code_has_words() -> None:
    import re
    from pathlib import Path

    folder = Path(sources.__file__).parents[1]
    codes = set()
    for name in ("cap.py", "cap_geometry.py", "cap_reading.py", "cap_rows.py", "cap_signing.py", "feed_reading.py",
                 "fetching.py", "actions/sources.py"):  # fmt: skip
        text = (folder / name).read_text()
        # What only writing raises is never shown here.
        if name != "cap.py":
            codes |= set(re.findall(r'(?:Cap|Fetch)Error\(\s*"([^"]+)"', text))
    assert len(codes) > 30
    assert {code for code in codes if alert_sources.problem_in_words(code) == code} == set()


def test_the_list_takes_the_same_queries_whatever_the_number(administrator_client: Client) -> None:
    asked = []
    for count in (1, 30):
        for number in range(count):
            Source.objects.create(name=f"S {count} {number}", url="https://s.example/", polled_at=NOW)
        with CaptureQueriesContext(connection) as queries:
            assert administrator_client.get(reverse(LIST)).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
    assert (
        administrator_client.get(reverse("administration:alert_source_edit", kwargs={"pk": 10**9})).status_code == 404
    )
