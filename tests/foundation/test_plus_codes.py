"""Plus codes, against the vectors that are published with their definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonbeat.foundation.plus_codes import complete, decode, encode, full_code, short_code

# code, south, west, north, east
DECODED = """
7FG49Q00+,20.35,2.75,20.4,2.8
7FG49QCJ+2V,20.37,2.782125,20.370125,2.78225
7FG49QCJ+2VX,20.3701,2.78221875,20.370125,2.78225
7FG49QCJ+2VXGJ,20.370113,2.782234375,20.370114,2.78223632813
8FVC2222+22,47.0,8.0,47.000125,8.000125
4VCPPQGP+Q9,-41.273125,174.785875,-41.273,174.786
62G20000+,0.0,-180.0,1,-179
22220000+,-90,-180,-89,-179
22222222+22,-90.0,-180.0,-89.999875,-179.999875
6VGX0000+,0,179,1,180
CFX3X2X2+X2,89.9998750,1,90,1.0001250
84000000+,30,-140,50,-120
849VGJQF+VX7QR3J,37.5396691200,-122.3750698242,37.5396691600,-122.3750697021
849VGJQF+VX7QR3J7QR3J,37.5396691200,-122.3750698242,37.5396691600,-122.3750697021
"""
# full code, reference, short code
SHORTENED = """
9C3W9QCJ+2VX,51.3701125,-1.217765625,+2VX
9C3W9QCJ+2VX,51.3708675,-1.217765625,CJ+2VX
9C3W9QCJ+2VX,51.3701125,-1.217010625,CJ+2VX
9C3W9QCJ+2VX,51.3852125,-1.217765625,9QCJ+2VX
9C3W9QCJ+2VX,51.3701125,-1.202665625,9QCJ+2VX
8FJFW222+,42.899,9.012,22+
796RXG22+,14.95125,-23.5001,22+
8FRCXGRF+PM,47.00,8.55,XGRF+PM
CFX22222+22,89.6,0.0,2222+22
2CXXXXXX+XX,-81.0,0.0,XXXXXX+XX
"""


@pytest.mark.parametrize("vector", DECODED.split())
def test_a_code_is_its_published_square(vector: str) -> None:
    code, *sides = vector.split(",")
    assert decode(code) == pytest.approx([float(side) for side in sides], abs=1e-10)


@pytest.mark.parametrize("vector", SHORTENED.split())
def test_a_short_code_is_completed_near_a_point(vector: str) -> None:
    code, latitude, longitude, short = vector.split(",")
    found = complete(short, float(latitude), float(longitude))
    assert found == pytest.approx(decode(code), abs=1e-9)


@given(st.floats(-90, 90), st.floats(-180, 179.999))
def test_a_point_lies_in_the_square_of_its_code(latitude: float, longitude: float) -> None:
    code = encode(latitude, longitude)
    square = decode(code)
    assert square.south - 1e-7 <= latitude <= square.north + 1e-7
    assert square.west - 1e-7 <= longitude <= square.east + 1e-7
    assert encode(*square.middle) == code and full_code(code) == code


@given(st.floats(-80, 80), st.floats(-170, 170), st.floats(-0.4, 0.4), st.floats(-0.4, 0.4))
def test_a_short_code_means_the_same_from_anywhere_near(lat: float, lon: float, north: float, east: float) -> None:
    code = encode(lat, lon)
    assert complete(code[4:], lat + north, lon + east) == pytest.approx(decode(code), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("8FJH9CJG+7V", "8FJH9CJG+7V"),
        ("it is at 8fjh9cjg+7v, behind", "8FJH9CJG+7V"),
        ("8FJH9CJG+", "8FJH9CJG+"),
        ("X8FJH9CJG+7V", ""),
        ("8FJH9CJG+7", ""),
        ("XXXX9CJG+7V", ""),
        ("9CJG+7V", ""),
        ("8FVC0000+", ""),
    ],
)
def test_a_full_code_is_found_in_a_text(text: str, code: str) -> None:
    assert full_code(text) == code


@pytest.mark.parametrize(
    ("text", "code", "rest"),
    [
        ("9CJG+7V Prizren", "9CJG+7V", "Prizren"),
        ("Prizren, 9cjg+7v", "9CJG+7V", "Prizren"),
        ("JH9CJG+7V", "JH9CJG+7V", ""),
        ("2345+67", "", "2345+67"),
        ("call 2345+6789", "", "call 2345+6789"),
        ("C++ and A+B", "", "C++ and A+B"),
        ("+38344123456", "", "+38344123456"),
    ],
)
def test_a_short_code_is_found_in_a_text(text: str, code: str, rest: str) -> None:
    assert short_code(text) == (code, rest)


@pytest.mark.parametrize("code", ["", "+", "8FVC", "8FVC2222", "ABCDEFGH+22", "9CJG+7V", "+22", "0" * 8 + "+"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="no full plus code"):
        decode(code)
    if "+" not in code:
        with pytest.raises(ValueError, match="no short plus code"):
            complete(code, 42.0, 21.0)
