"""Short plus codes near a place, and what cannot be read."""

from __future__ import annotations

import pytest

from commonbeat.foundation.plus_codes import encode
from commonbeat.places.points import explain_unreadable, point_in
from tests.make import LATITUDE, LONGITUDE, make_place

SHORT = encode(LATITUDE, LONGITUDE)[4:]


def test_a_short_code_lies_near_the_place_beside_it(db: None) -> None:
    far = 48.2, 16.37
    make_place("Farville", latitude=far[0], longitude=far[1], kind="town")
    assert point_in(SHORT, "en") == pytest.approx((LATITUDE, LONGITUDE), abs=0.0002)
    assert point_in(f"{encode(*far)[4:]} Farville", "en") == pytest.approx(far, abs=0.0002)
    assert point_in(f"{SHORT} Nowhereville", "en") == pytest.approx((LATITUDE, LONGITUDE), abs=0.0002)


def test_full_codes_and_coordinates_need_no_place(db: None) -> None:
    assert point_in(encode(-33.86, 151.2), "en") == pytest.approx((-33.86, 151.2), abs=0.0002)
    assert point_in("42.38, 20.43", "en") == (42.38, 20.43)
    assert point_in("the old mill", "en") is None


def test_links_that_cannot_be_opened_are_told(db: None) -> None:
    assert "short map links" in explain_unreadable("https://maps.app.goo.gl/abc")
    assert "three-word" in explain_unreadable("///filled.count.soap")
    assert explain_unreadable("behind the mill") == ""
