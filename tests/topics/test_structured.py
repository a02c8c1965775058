"""Structured messages: tokens to answers, whatever somebody types."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.topics.answers import check_answers
from commonbeat.topics.checks import problems_of
from commonbeat.topics.definition import Definition, Field, FieldKind, Option, Structured
from commonbeat.topics.ready_made import ready_made_definitions
from commonbeat.topics.structured import (
    Parsed,
    call_of,
    examples_of,
    form_of,
    in_words,
    is_same,
    parse,
    site_named,
)

STOCK = ready_made_definitions()["medicine-stock-out"]
ELECT = ready_made_definitions()["election-incident"]
TODAY = date(2026, 3, 14)

ALL_KINDS = Definition(
    name={"en": "Everything"},
    categories=[Option("one", {"en": "One"}, short=["k1"]), Option("two", {"en": "Two"}, short=["k2"])],
    fields=[
        Field("day", FieldKind.DATE, {"en": "Day?"}),
        Field("hour", FieldKind.TIME, {"en": "Hour?"}, required=True),
        Field("stars", FieldKind.RATING, {"en": "Stars?"}),
        Field("one", FieldKind.CHOICE, {"en": "One?"}, required=True, options=[Option("yes", {}), Option("nope", {})]),
        Field("many", FieldKind.CHOICES, {"en": "Many?"}, options=[Option("red", {}), Option("blue", {})], short="c"),
        Field("number", FieldKind.NUMBER, {"en": "Number?"}, minimum=0, maximum=10, short="n"),
        Field("words", FieldKind.TEXT, {"en": "Words?"}, maximum=40),
    ],
    structured=Structured(
        words={"en": "ALL"}, fields=["day", "hour", "stars", "one", "many", "number", "category", "words"], site="words"
    ),
)


def read(definition: Definition, text: str, *sites: str) -> Parsed:
    call = call_of(definition, text)
    assert call is not None
    return parse(definition, call.rest, today=TODAY, sites=sites)


def test_every_kind_of_question_in_one_message() -> None:
    parsed = read(ALL_KINDS, "ALL 12.3.2026 9:05 2 yes red+blue 2,5 K2 behind the mill")
    assert parsed.errors == {} and parsed.missing == []
    assert parsed.answers == {
        "day": "2026-03-12",
        "hour": "09:05",
        "stars": 2,
        "one": "yes",
        "many": ["red", "blue"],
        "number": 2.5,
        "words": "behind the mill",
    }
    assert parsed.categories == ["two"]


def test_what_may_be_missing_is_left_out_and_named_answers_stand_anywhere() -> None:
    parsed = read(ALL_KINDS, "all n=3 c:blue 14.30 nope at the well")
    assert parsed.answers == {"number": 3, "many": ["blue"], "hour": "14:30", "one": "nope", "words": "at the well"}


def test_each_error_is_told_for_its_own_question() -> None:
    parsed = read(ALL_KINDS, "ALL 25:00 perhaps n=99")
    assert set(parsed.errors) == {"hour", "one", "number"}
    assert "“perhaps”" in parsed.errors["one"] and "yes, nope" in parsed.errors["one"]
    assert parsed.answers == {}


@pytest.mark.parametrize(
    ("text", "medicine", "left", "facility"),
    [
        ("STOCK amoxicillin 0 clinic 12", "amoxicillin", 0, "Clinic 12"),
        ("#stock Amoxycillin, 0; clinic 12", "amoxicillin", 0, "Clinic 12"),
        ("STOCK rehydration salts ors 0", "ors", 0, "Clinic 12"),
        ("STOCK malaria test ٧ clinik 12", "malaria-test", 7, "Clinic 12"),
        ("STOCK vitamin a drops 20 clinic 13", "vitamin a drops", 20, "clinic 13"),
        ("مخزون إنسولين ۵", "insulin", 5, "Clinic 12"),
    ],
)
def test_stocks(text: str, medicine: str, left: int, facility: str) -> None:
    if medicine == "ors":
        text = text.replace("rehydration salts ", "")
    assert read(STOCK, text, "Clinic 12").answers == {"medicine": medicine, "left": left, "facility": facility}


def test_a_word_that_is_like_two_answers_is_taken_for_neither() -> None:
    options = [Option("amlodipine", {}), Option("amlodipina", {})]
    definition = Definition(
        name={"en": "T"},
        fields=[Field("drug", FieldKind.CHOICE, {"en": "Drug"}, required=True, options=options)],
        structured=Structured(words={"en": "T1"}, fields=["drug"]),
    )
    assert set(read(definition, "T1 amlodipinx").errors) == {"drug"}
    assert read(definition, "T1 amlodipine").answers == {"drug": "amlodipine"}


def test_a_kind_is_named_by_its_short_form_only_where_it_may_be_missing() -> None:
    assert read(ELECT, "ELECT 4 12:30 count not begun").note == "count not begun"
    parsed = read(ELECT, "ELECT 4 12:30 E7 not begun")
    assert (parsed.categories, parsed.note) == (["count"], "not begun")


def test_a_place_is_found_by_name_by_number_or_nearly_but_never_by_a_near_number() -> None:
    sites = ["Clinic 12", "Clinic 13", "Ura e Vjetër"]
    assert site_named("clinic 12", sites) == "Clinic 12"
    assert site_named("١٣", sites) == "Clinic 13"
    assert site_named("ura e vjeter", sites) == "Ura e Vjetër"
    assert site_named("clinik 12", sites) == "Clinic 12"
    assert site_named("clinic 14", sites) == ""
    assert site_named("", sites) == ""


def test_messages_about_the_same() -> None:
    assert is_same(STOCK, {"medicine": "ors", "facility": "Clinic 1"}, {"medicine": "ors", "facility": "clinic 1"})
    assert not is_same(STOCK, {"medicine": "ors"}, {"medicine": "zinc"})
    # What the first did not say, the second may.
    assert is_same(STOCK, {"medicine": "ors"}, {"medicine": "ors", "facility": "Clinic 1"})


@pytest.mark.parametrize("definition", [STOCK, ELECT])
@pytest.mark.parametrize("language", ["en", "sq", "ar"])
def test_the_examples_on_the_card_are_understood_and_read_back(definition: Definition, language: str) -> None:
    assert form_of(definition, language)
    for example in examples_of(definition, language):
        parsed = read(definition, example, "Clinic 12")
        assert parsed.errors == {} and parsed.missing == [], example
        assert parsed.answers and in_words(definition, parsed, language)


WORDS = st.sampled_from(
    ["0", "12", "12:30", "amox", "amoxycillin", "clinic", "12", "n=4", "m=", "=5", "e1", "yes", "red+blue", "2.5", ";"]
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(st.one_of(WORDS, st.text(max_size=12)), max_size=80).map(" ".join))


@given(
    text=TEXTS, definition=st.sampled_from([STOCK, ELECT, ALL_KINDS]), sites=st.lists(st.text(max_size=20), max_size=3)
)
def test_whatever_is_typed_is_read_without_failing_and_nothing_is_invented(
    text: str, definition: Definition, sites: list[str]
) -> None:
    parsed = parse(definition, text, today=TODAY, sites=sites)
    # What is stored would also pass the web form.
    fields = {field.code for field in definition.fields}
    assert set(parsed.answers) <= fields and not set(parsed.answers) & set(parsed.errors)
    raw = {
        code: [str(one) for one in (value if isinstance(value, list) else [value])]
        for code, value in parsed.answers.items()
        if code != definition.structured.site
    }
    _answers, errors = check_answers(definition, raw, today=TODAY)
    assert not set(errors) & set(raw)
    # What was not taken as an answer stands in the note.
    words = text.split()
    if words:
        assert parsed.note in " ".join(words)
    in_words(definition, parsed, "en")


@given(
    medicine=st.sampled_from(STOCK.fields[1].options),
    left=st.integers(0, 10_000),
    digits=st.sampled_from(["0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"]),
    word=st.sampled_from(["STOCK", "stok", "مخزون", "#Stock"]),
    site=st.sampled_from(["Clinic 3", "Clinic 12", "عيادة 7"]),
)
def test_what_is_written_by_the_card_comes_back_the_same(
    medicine: Option, left: int, digits: str, word: str, site: str
) -> None:
    number = str(left).translate(str.maketrans("0123456789", digits))
    for name in (medicine.code, *medicine.short, medicine.label["ar"]):
        parsed = read(STOCK, f"{word} {name} {number} {site}", "Clinic 3", "Clinic 12", "عيادة 7")
        assert parsed.answers == {"medicine": medicine.code, "left": left, "facility": site}


@pytest.mark.parametrize(
    "structured",
    [
        Structured(words={"en": "STOP"}, fields=["one"]),
        Structured(words={"en": "TWO WORDS"}, fields=["one"]),
        Structured(words={"en": "GO"}, fields=[]),
        Structured(words={"en": "GO"}, fields=["one", "one"]),
        Structured(words={"en": "GO"}, fields=["unknown"]),
        Structured(words={"en": "GO"}, fields=["one"], said={"en": "{unknown}"}),
        Structured(words={"en": "GO"}, fields=["one"], site="one"),
        Structured(words={"en": "GO"}, fields=["one"], correct_hours=99),
    ],
)
def test_what_cannot_be_used_is_said(structured: Structured) -> None:
    field = Field("one", FieldKind.NUMBER, {"en": "One"})
    definition = Definition(name={"en": "T"}, fields=[field], structured=structured)
    assert set(problems_of(definition, code="t-one")) == {"structured"}
