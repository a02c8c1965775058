"""What a form's answers may be, and how they are told later."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.topics.answers import check_answers, check_categories, describe_answers, describe_categories
from commonbeat.topics.definition import Definition, Field, FieldKind, Option

TODAY = date(2026, 3, 14)


def _field(kind: FieldKind, **more: object) -> Field:
    return Field(code="one", kind=kind, label={"en": "One"}, **more)  # type: ignore[arg-type]  # a test's shorthand


COLOURS = [Option("red", {"en": "Red", "sq": "E kuqe"}), Option("blue", {"en": "Blue"})]


def _check(field: Field, *values: str) -> tuple[object, str | None]:
    answers, errors = check_answers(Definition(name={"en": "T"}, fields=[field]), {"one": list(values)}, today=TODAY)
    return answers.get("one"), errors.get("one")


@pytest.mark.parametrize(
    ("written", "read"),
    [("12", 12), ("2,5", 2.5), ("2.5", 2.5), (" ٣ ", 3), ("١٢٫٥", 12.5), ("1 000", 1000), ("-4", -4)],
)
def test_numbers_are_read_as_people_write_them(written: str, read: float) -> None:
    assert _check(_field(FieldKind.NUMBER), written) == (read, None)


@pytest.mark.parametrize("written", ["many", "1e999", "NaN", "inf", "1.2.3", "--1", "9" * 400, "0x10"])
def test_what_is_no_number_is_refused(written: str) -> None:
    answer, error = _check(_field(FieldKind.NUMBER), written)
    assert answer is None and error


def test_numbers_keep_their_bounds() -> None:
    field = _field(FieldKind.NUMBER, minimum=1.0, maximum=10.0)
    assert _check(field, "0")[1] == "Enter 1 or more."
    assert _check(field, "11")[1] == "Enter 10 or less."
    assert _check(field, "10") == (10, None)


@pytest.mark.parametrize("written", ["2026-03-14", "14.3.2026", "14/03/2026", "١٤/٣/٢٠٢٦", "2026-03-14T09:30"])
def test_dates_are_read_as_people_write_them(written: str) -> None:
    assert _check(_field(FieldKind.DATE), written) == ("2026-03-14", None)


@pytest.mark.parametrize("written", ["2026-03-15", "31.2.2026", "yesterday", "0001-01-01", "2026-13-01"])
def test_dates_to_come_or_never_are_refused(written: str) -> None:
    answer, error = _check(_field(FieldKind.DATE), written)
    assert answer is None and error


def test_choices_are_known_ones_in_the_order_of_the_form() -> None:
    several = _field(FieldKind.CHOICES, options=COLOURS)
    assert _check(several, "blue", "red", "blue") == (["red", "blue"], None)
    assert _check(several, "red", "green")[1]
    single = _field(FieldKind.CHOICE, options=COLOURS)
    assert _check(single, "red") == ("red", None)
    assert _check(single, "green")[1]
    assert _check(single, "red", "blue")[1]


def test_ratings_are_0_to_3() -> None:
    assert _check(_field(FieldKind.RATING), "0") == (0, None)
    assert _check(_field(FieldKind.RATING), "٣") == (3, None)
    assert _check(_field(FieldKind.RATING), "4")[1]


def test_texts_are_cleaned_and_limited() -> None:
    assert _check(_field(FieldKind.TEXT), "  a\u202eb\x00 ") == ("ab", None)
    assert _check(_field(FieldKind.TEXT, maximum=5.0), "sixsix")[1] == "Use at most 5 characters."
    assert _check(_field(FieldKind.TEXT), "x" * 2001)[1]


def test_what_must_be_answered_is_and_the_rest_may_be_left() -> None:
    assert _check(_field(FieldKind.TEXT, required=True), "  ")[1] == "Please answer this question."
    assert _check(_field(FieldKind.TEXT)) == (None, None)
    assert _check(_field(FieldKind.PHOTO, required=True)) == (None, None)


def test_unknown_questions_are_ignored() -> None:
    answers, errors = check_answers(Definition(name={"en": "T"}), {"injected": ["x"]}, today=TODAY)
    assert (answers, errors) == ({}, {})


def test_errors_speak_the_language_of_the_page() -> None:
    with translation.override("sq"):
        assert _check(_field(FieldKind.RATING), "9")[1]


def test_answers_are_told_in_the_readers_language_and_unknown_ones_are_kept() -> None:
    definition = Definition(
        name={"en": "T"},
        categories=COLOURS,
        fields=[
            Field("a", FieldKind.CHOICE, {"en": "A", "sq": "Aa"}, options=COLOURS),
            Field("b", FieldKind.NUMBER, {"en": "B"}),
            Field("c", FieldKind.RATING, {"en": "C"}, options=[Option("2", {"en": "fair"})]),
            Field("d", FieldKind.DATE, {"en": "D"}),
        ],
    )
    answers = {"a": "red", "b": 1234.5, "c": 2, "d": "2026-03-14", "gone": "kept"}
    assert describe_answers(definition, answers, "sq")[0] == ("Aa", "E kuqe")
    told = describe_answers(definition, answers, "en")
    assert told[1:] == [("B", "1,234.5"), ("C", "2 / 3: fair"), ("D", "March 14, 2026"), ("gone", "kept")]
    assert check_categories(definition, ["blue", "x", "red"]) == ["red", "blue"]
    assert describe_categories(definition, ["red", "old"], "en") == ["Red", "old"]


EVERY_KIND = Definition(
    name={"en": "T"},
    fields=[Field(kind.value, kind, {"en": kind.value}, options=COLOURS) for kind in FieldKind],
)


@given(st.dictionaries(st.sampled_from([k.value for k in FieldKind]), st.lists(st.text(max_size=60), max_size=4)))
def test_nothing_that_is_typed_breaks_the_form(raw: dict[str, list[str]]) -> None:
    answers, errors = check_answers(EVERY_KIND, raw, today=TODAY)
    assert not answers.keys() & errors.keys()
    describe_answers(EVERY_KIND, answers, "ar")
