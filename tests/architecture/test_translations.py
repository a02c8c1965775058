"""Every text that residents read stands in every language of the site."""

from __future__ import annotations

import gettext
import io
import re

import pytest
from babel.messages.catalog import Catalog

from tools import translations

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}")


@pytest.fixture(scope="module")
def texts() -> Catalog:
    return translations.public_texts()


def test_texts_are_found_in_all_three_dialects(texts: Catalog) -> None:
    found = {location for message in texts for location, _line in message.locations}
    assert any(name.endswith(".py") for name in found)
    assert any(name.startswith("web/templates/") for name in found)
    assert not any(name.startswith(("web/desk/", "cli/", "web/templates/desk/")) for name in found)


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_no_public_text_is_untranslated(language: str, texts: Catalog) -> None:
    missing = translations.untranslated(translations.read_catalog(language), texts)
    assert missing == [], f"{len(missing)} are missing: run `make translations`, then fill in {language}/django.po"


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_placeholders_survive_translation(language: str) -> None:
    wrong = []
    for message in translations.read_catalog(language):
        if not message.id or not message.string:
            continue
        if isinstance(message.id, str):
            pairs = [(message.id, str(message.string))]
            loose = False
        else:
            # The forms for none, one and two say the number in words; the last form must hold everything.
            pairs = [(message.id[1], form) for form in message.string if form]
            loose = True
        for position, (source, target) in enumerate(pairs):
            wanted, given = sorted(PLACEHOLDER.findall(source)), sorted(PLACEHOLDER.findall(target))
            is_last = position == len(pairs) - 1
            if given != wanted and not (loose and not is_last and set(given) < set(wanted)):
                wrong.append((target, wanted, given))
    assert wrong == []


@pytest.mark.parametrize("language", translations.LANGUAGES)
def test_the_compiled_file_is_current(language: str) -> None:
    file = translations.po_file(language).with_suffix(".mo")
    assert file.exists(), "run `make translations`"
    assert _entries(file.read_bytes()) == _entries(translations.compiled(translations.read_catalog(language)))


def test_arabic_has_its_six_plural_forms() -> None:
    assert translations.read_catalog("ar").num_plurals == 6
    assert translations.read_catalog("sq").num_plurals == 2


def test_a_missing_plural_form_is_noticed() -> None:
    texts = Catalog()
    texts.add(("%(n)d report", "%(n)d reports"))
    catalog = Catalog(locale="ar")
    catalog.add(("%(n)d report", "%(n)d reports"), ("a", "b", "c", "d", "e"))
    assert translations.untranslated(catalog, texts) == ["%(n)d report"]


def _entries(compiled: bytes) -> dict[object, str]:
    entries = dict(gettext.GNUTranslations(io.BytesIO(compiled))._catalog)
    entries.pop("", None)
    return entries
