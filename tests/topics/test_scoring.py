"""Which answers rate a place."""

from __future__ import annotations

import pytest

from commonbeat.topics.checks import problems_of
from commonbeat.topics.definition import Definition, Field, FieldKind, Option, Publishes, Scores, decode, encode
from commonbeat.topics.scoring import lighting_in, rated_fields, ratings_in, tells_of_lighting

FIELDS = [
    Field(code="lighting", kind=FieldKind.RATING, label={"en": "Lighting"}, weight=2.0),
    Field(code="feeling", kind=FieldKind.RATING, label={"en": "Feeling"}, weight=0.0),
    Field(code="noise", kind=FieldKind.RATING, label={"en": "Noise"}),
    Field(code="lamps", kind=FieldKind.NUMBER, label={"en": "Lamps"}),
]
AUDIT = Definition(name={"en": "Audit"}, fields=FIELDS)


def test_only_ratings_with_a_weight_rate_a_place() -> None:
    assert [field.code for field in rated_fields(AUDIT)] == ["lighting", "feeling"]
    answers = {"lighting": 3, "feeling": 0, "noise": 2, "lamps": 1}
    assert ratings_in(AUDIT, answers) == {"lighting": 3, "feeling": 0}


@pytest.mark.parametrize("value", [None, "2", 4, -1, 1.5, True, [1]])
def test_what_is_no_rating_is_left_out(value: object) -> None:
    assert ratings_in(AUDIT, {"lighting": value}) == {}


def test_where_only_counts_are_told_nothing_is_rated() -> None:
    counts = Definition(name={"en": "Harassment"}, fields=FIELDS, publishes=Publishes.COUNTS, smallest_count=3)
    assert ratings_in(counts, {"lighting": 3}) == {}
    assert not tells_of_lighting(counts)


def test_the_first_kind_of_a_lamp_tells_of_the_lighting() -> None:
    kinds = [Option(code="out", label={}, lighting=0), Option(code="dim", label={}, lighting=1), Option("other", {})]
    lamps = Definition(name={"en": "Lamp"}, categories=kinds)
    assert tells_of_lighting(lamps)
    assert lighting_in(lamps, ["dim", "out"]) == {"lighting": 1}
    assert lighting_in(lamps, ["other"]) == lighting_in(lamps, []) == {}


def test_a_definition_of_before_there_were_scores_can_be_read() -> None:
    old = encode(AUDIT)
    del old["scores"]
    for field in old["fields"]:
        del field["weight"]
    assert decode(old).scores == Scores()
    assert rated_fields(decode(old)) == []


@pytest.mark.parametrize(
    ("definition", "part"),
    [
        (
            Definition(name={"en": "A"}, fields=[Field("x", FieldKind.RATING, {"en": "X"}, weight=-1)]),
            "fields.0.weight",
        ),
        (Definition(name={"en": "A"}, fields=[Field("x", FieldKind.TEXT, {"en": "X"}, weight=1)]), "fields.0.weight"),
        (Definition(name={"en": "A"}, categories=[Option("x", {"en": "X"}, lighting=4)]), "categories.0.lighting"),
        (Definition(name={"en": "A"}, scores=Scores(strength=0)), "scores"),
        (Definition(name={"en": "A"}, scores=Scores(resolution=15)), "scores"),
        (Definition(name={"en": "A"}, scores=Scores(half_life_days=-1)), "scores"),
    ],
)
def test_what_cannot_be_computed_is_refused(definition: Definition, part: str) -> None:
    assert list(problems_of(definition, code="audit")) == [part]
