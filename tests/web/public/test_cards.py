"""The card of a topic: complete in every language, and its code opens a message to the site."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from commonbeat.topics.ready_made import install_ready_made, ready_made_definitions
from commonbeat.web.public.cards import qr_code
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _site(unit: object, monkeypatch: pytest.MonkeyPatch) -> None:
    install_ready_made(make.NOW)
    monkeypatch.setattr(settings, "COMMONBEAT", dataclasses.replace(settings.COMMONBEAT, sms_number="+383 44 000 100"))


@pytest.mark.parametrize("code", ["medicine-stock-out", "election-incident"])
@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("sq", "ltr"), ("ar", "rtl")])
def test_a_card_teaches_word_examples_and_codes(code: str, language: str, direction: str, client: Client) -> None:
    page = client.get(f"/cards/{code}/{language}/")
    text = page.content.decode()
    structured = ready_made_definitions()[code].structured
    assert page.status_code == 200
    assert f'lang="{language}" dir="{direction}"' in text
    assert f"<strong>{structured.words[language]}</strong>" in text
    for example in structured.examples[language].splitlines():
        assert example in text
    assert "+383 44 000 100" in text and 'class="qr"' in text
    # Under the strict policy, what is drawn carries no style of its own.
    assert not re.search(r"<svg[^>]*style=", text)


def test_the_code_holds_number_and_word(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    import segno

    original = segno.make

    def make_and_remember(text: str, **more: Any) -> Any:
        made.append(text)
        return original(text, **more)

    monkeypatch.setattr(segno, "make", make_and_remember)
    assert "<svg" in qr_code("+383 44 000 100", "STOCK")
    qr_code("+383 44 000 100", "مخزون")
    assert made[0] == "sms:+38344000100?body=STOCK%20"
    assert made[1].startswith("sms:+38344000100?body=%D9%85")


def test_a_site_without_a_number_has_cards_without_a_code(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "COMMONBEAT", dataclasses.replace(settings.COMMONBEAT, sms_number=""))
    text = client.get("/cards/medicine-stock-out/").content.decode()
    assert "STOCK" in text and "<figure" not in text


def test_the_list_of_cards_and_what_is_none(client: Client) -> None:
    text = client.get("/cards/").content.decode()
    assert "/cards/medicine-stock-out/ar/" in text and "street-light" not in text
    for address in ("/cards/street-light/", "/cards/medicine-stock-out/fr/", "/cards/nothing/"):
        assert client.get(address).status_code == 404
