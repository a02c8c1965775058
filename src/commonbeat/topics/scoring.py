"""Which answers of a topic rate a place, and how much each weighs; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from commonbeat.topics.definition import Definition, Field, FieldKind, Publishes

# The rating by this short name is what street-light reports are told together with.
LIGHTING = "lighting"
LARGEST_RATING = 3


def rated_fields(definition: Definition) -> list[Field]:
    """Give the ratings that make up the safety score of a place, in the form's order; none where only counts are."""
    if definition.publishes is not Publishes.EACH:
        return []
    return [field for field in definition.fields if field.kind is FieldKind.RATING and field.weight is not None]


def tells_of_lighting(definition: Definition) -> bool:
    """Tell whether reports of a topic are about street lights, each published."""
    return definition.publishes is Publishes.EACH and any(kind.lighting is not None for kind in definition.categories)


def ratings_in(definition: Definition, answers: Mapping[str, Any]) -> dict[str, int]:
    """Pick the ratings, 0 to 3, of one audit; what was not answered is left out."""
    found: dict[str, int] = {}
    for field in rated_fields(definition):
        value = answers.get(field.code)
        # True is a number in Python, and is no rating.
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_RATING:
            found[field.code] = value
    return found


def lighting_in(definition: Definition, categories: Sequence[str]) -> dict[str, int]:
    """Read the first category of a street-light report as a rating of the lighting."""
    first = categories[0] if categories else ""
    for kind in definition.categories:
        if kind.code == first and kind.lighting is not None:
            return {LIGHTING: kind.lighting}
    return {}
