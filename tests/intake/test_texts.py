"""Every sentence in every language, measured as it travels."""

from __future__ import annotations

import inspect

import pytest
from django.utils import translation

from commonbeat.foundation.text import segments
from commonbeat.intake import alert_texts, contact_texts, proxy_texts, texts
from tests.intake.fake_world import NORTH

REFERENCE = "KX7M-4QXP-2R"
NAMES = ["Illegal dump", "Street light", "Harassment", "Violence", "Stolen goods", "Something else"]
GIVEN = {
    "reference": REFERENCE, "emergency": "112", "place": "Market Street, north side", "topic": "Street light",
    "topics": NAMES, "places": ["Old Bridge", "New Bridge"], "names": ["ENGLISH", "SHQIP"], "state": "duplicate",
    "references": [REFERENCE] * 4, "site": "The whole quarter by the river",
    "link": "https://riverside.example.org/report/", "said": "Stock: amoxicillin = 0 at Clinic 12.",
    "missing": ["Place"], "problems": [], "example": "STOCK amoxicillin 0 clinic 12",
    "form": "STOCK medicine number place", "community": "The villages above the river", "beat": NORTH,
    "alerts": ["A child is missing: the market place", "A white van"], "kind": "A rumour corrected",
    "alert": "A child is missing: a boy of seven years in a red jacket",
}  # fmt: skip
SENTENCES = [
    each for module in (texts, proxy_texts, alert_texts, contact_texts)
    for name, each in inspect.getmembers(module, inspect.isfunction)
    if each.__module__ == module.__name__ and name[0] != "_"
    and name not in ("for_phone", "numbered", "state_sentence", "named", "everywhere")
]  # fmt: skip


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda each: each.__name__)
@pytest.mark.parametrize(("language", "most"), [("en", 1), ("sq", 2), ("ar", 3)])
def test_a_sentence_stays_short(sentence, language: str, most: int) -> None:
    wanted = inspect.signature(sentence).parameters.items()
    given = {name: GIVEN[name] for name, p in wanted if p.default is p.empty or name == "references"}
    with translation.override(language):
        text = texts.for_phone(sentence(**given))
    # Menus may take a second part in any language.
    assert segments(text).parts <= (
        max(most, 2 if language != "ar" else 3) if {"topics", "places", "alerts"} & given.keys() else most
    )
    assert "%(" not in text


def test_a_menu_ends_before_a_third_part() -> None:
    assert segments(texts.menu(topics=[f"a rather long topic {n}" for n in range(40)])).parts == 2
