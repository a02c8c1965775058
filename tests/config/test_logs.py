"""A log tells where something failed, and nothing that a person said or a secret is."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from commonbeat.config.logs import WithoutWords

WORDS = "my neighbour at +383 44 123 456"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(WithoutWords())
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def test_the_site_writes_its_log_so() -> None:
    logs: dict[str, Any] = settings.LOGGING
    handler = logs["handlers"]["stderr"]
    assert logs["formatters"][handler["formatter"]]["()"] == "commonbeat.config.logs.WithoutWords"


@pytest.mark.django_db
def test_a_page_that_breaks_tells_neither_its_address_nor_the_words(written: io.StringIO, monkeypatch) -> None:
    def breaks(token: str, *, now: object) -> None:
        try:
            raise KeyError(WORDS)
        except KeyError:
            raise ValueError(f"DETAIL: Key (text)=({WORDS}) already exists") from None

    monkeypatch.setattr("commonbeat.web.invitation.open_invitation", breaks)
    client = Client(raise_request_exception=False)
    assert client.get("/account/invitation/a-secret-token/").status_code == 500
    said = written.getvalue()
    assert "account_invitation" in said
    assert "ValueError" in said
    assert "in breaks" in said
    assert "secret-token" not in said
    assert "neighbour" not in said


def test_what_led_to_a_failure_is_told_by_its_type(written: io.StringIO) -> None:
    try:
        try:
            raise LookupError(WORDS)
        except LookupError as error:
            raise RuntimeError(WORDS) from error
    except RuntimeError:
        logging.getLogger("another").exception("It broke.")
    said = written.getvalue()
    assert said.index("RuntimeError") < said.index("LookupError")
    assert "It broke." in said
    assert "383 44" not in said
