"""Spots are named after the nearest place, or not at all."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commonbeat.places.near import nearest_names
from tests import make

pytestmark = pytest.mark.django_db


def test_the_nearest_place_gives_its_name_in_the_language() -> None:
    make.make_place(names={"en": "Bazaar", "sq": "Pazari"}, latitude=42.38, longitude=20.43)
    make.make_place("Mill", latitude=42.39, longitude=20.43)
    assert nearest_names([(42.381, 20.43), (42.389, 20.43)], "sq") == ["Pazari", "Mill"]


def test_east_and_west_are_measured_in_metres() -> None:
    # At 60° north a degree of longitude is half as long as one of latitude.
    make.make_place("North", latitude=60.008, longitude=20.0)
    make.make_place("East", latitude=60.0, longitude=20.012)
    assert nearest_names([(60.0, 20.0)], "en") == ["East"]


def test_what_is_far_names_nothing() -> None:
    make.make_place("Bazaar", latitude=42.38, longitude=20.43)
    assert nearest_names([(42.40, 20.43), (42.38, 20.45)], "en") == ["", ""]
    assert nearest_names([], "en") == []


def test_many_spots_are_one_query() -> None:
    make.make_place("Bazaar", latitude=42.38, longitude=20.43)
    with CaptureQueriesContext(connection) as found:
        nearest_names([(42.38 + n / 1e5, 20.43) for n in range(50)], "en")
    assert len(found) == 1
