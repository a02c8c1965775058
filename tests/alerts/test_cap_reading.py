"""What comes in from others: hostile, broken and odd messages are refused with a code, and nothing is fetched."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, shape
from shapely.geometry.base import BaseGeometry

from commonbeat.alerts.cap import CapArea, CapCircle, CapError, write
from commonbeat.alerts.cap_geometry import geometry_of, rings_of
from commonbeat.alerts.cap_reading import MESSAGE_BYTES, parse, read
from commonbeat.alerts.feed_reading import read_feed
from tests.alerts.cap_messages import SENT, info, message

GOOD = write(message()).decode()
HEAD = "<?xml version='1.0' encoding='utf-8'?>\n"
LAUGHS = (
    '<!DOCTYPE a [<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)) + "]>"
)


def with_type(document_type: str, inside: str = "Storm from the west") -> bytes:
    return GOOD.replace(HEAD, HEAD + document_type).replace("Storm from the west", inside).encode()


HOSTILE: dict[str, tuple[bytes, str]] = {
    "external entity": (
        with_type('<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
        "document type",
    ),
    "entity of the net": (with_type('<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1/">]>', "&x;"), "document type"),
    "parameter entity": (with_type('<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/"> %x;]>'), "document type"),
    "billion laughs": (with_type(LAUGHS, "&l9;"), "document type"),
    "type of elsewhere": (with_type('<!DOCTYPE alert SYSTEM "http://127.0.0.1/a.dtd">'), "document type"),
    "type behind comments": (with_type("<!-- a --> <?p q?>\n<!-- b --><!DOCTYPE alert>"), "document type"),
    "type in UTF-16": (GOOD.replace(HEAD, "<!DOCTYPE alert>").encode("utf-16"), "document type"),
    "entity of nobody": (GOOD.replace("Storm from", "&nobody; from").encode(), "not XML"),
    "too large": (GOOD.replace("Gusts", "x" * MESSAGE_BYTES).encode(), "too large"),
    "too deep": (f"<a xmlns='urn:x'>{'<b>' * 200}{'</b>' * 200}</a>".encode(), "too deep"),
    "far too deep": (f"<a>{'<b>' * 100_000}{'</b>' * 100_000}</a>".encode(), "too many elements|not XML|too deep"),
    "too many elements": (f"<a>{'<b/>' * 210_000}</a>".encode(), "too many elements"),
    "NUL": (GOOD.replace("Gusts", "Gu\0sts").encode(), "NUL"),
    "not UTF-8": (GOOD.replace("Gusts", "Gu\xffsts").encode("latin-1"), "encoding"),
    "an encoding that is none": (GOOD.replace("utf-8", "zlib").encode(), "encoding"),
    "UTF-7": (GOOD.replace("utf-8", "utf-7").encode(), "encoding"),
    "cut off": (GOOD[:400].encode(), "not XML"),
    "nothing": (b"", "not XML"),
    "HTML": (b"<html><body>It works!</body></html>", "not a message"),
    "no namespace": (GOOD.replace(' xmlns="urn:oasis:names:tc:emergency:cap:1.2"', "").encode(), "namespace"),
    "another namespace": (GOOD.replace("cap:1.2", "cap:9.9").encode(), "namespace"),
    "no identifier": (GOOD.replace("<identifier>w-1</identifier>", "").encode(), "missing"),
    "no sent": (GOOD.replace("<sent>2026-03-14T11:30:00-00:00</sent>", "").encode(), "missing"),
    "the 30th of February": (GOOD.replace("2026-03-14T11", "2026-02-30T11").encode(), "not a time"),
    "the year 0001": (GOOD.replace("2026-03-14T11", "0001-01-01T00").encode(), "not a time"),
    "local time": (GOOD.replace("11:30:00-00:00", "11:30:00").encode(), "not a time"),
    "a status of its own": (GOOD.replace("Actual", "Real").encode(), "unknown"),
    "NaN": (GOOD.replace("42.3,20.3 42.3,20.5", "NaN,20.3 42.3,20.5").encode(), "not a number"),
    "infinity": (GOOD.replace("42.3,20.3 42.3,20.5", "42.3,inf 42.3,20.5").encode(), "not a number"),
    "a huge exponent": (GOOD.replace("42.3,20.3 42.3,20.5", "42.3,1e999 42.3,20.5").encode(), "not a number"),
    "off the globe": (GOOD.replace("42.3,20.3 42.3,20.5", "42.3,20.3 420.3,20.5").encode(), "off the globe"),
    "a polygon of two": (GOOD.replace(" 42.5,20.5 42.5,20.3 42.3,20.3", " 42.3,20.3").encode(), "not closed"),
    "a pair of one": (GOOD.replace("42.3,20.3 42.3,20.5", "42.3 42.3,20.5").encode(), "not a point"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_messages_are_refused_with_a_code(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it went to the network"))
    data, code = HOSTILE[name]
    began = time.perf_counter()
    with pytest.raises(CapError) as caught:
        read(data)
    assert caught.value.code in code.split("|")
    assert time.perf_counter() - began < 3


@given(st.binary(max_size=300), st.integers(0, 1500))
def test_whatever_comes_is_read_or_refused(rubbish: bytes, at: int) -> None:
    whole = GOOD.encode()
    for data in (rubbish, whole[:at] + rubbish + whole[at:], whole[:at] + rubbish + whole[at + len(rubbish) :]):
        for reads in (read, lambda data: read_feed(data, "https://weather.example/feed")):
            with contextlib.suppress(CapError):
                reads(data)


def test_small_faults_of_others_are_forgiven() -> None:
    sloppy = (
        GOOD.replace("2026-03-14T11:30:00-00:00", "2026-03-14T11:30:00.250Z")
        .replace(" 42.3,20.3</polygon>", "</polygon>")
        .replace("<expires>2026-03-14T17:30:00-00:00</expires>", "")
        .replace("<severity>Severe", "<severity>Awful")
        .replace("cap:1.2", "cap:1.1")
        .replace("https://weather.example/1", "javascript:alert(1)")
    )
    found = read(sloppy.encode())
    assert found.sent == SENT
    assert found.info[0].expires == SENT + timedelta(hours=24)
    assert found.info[0].severity == "Unknown" and found.info[0].web == ""
    assert found.info[0].area[0].polygon == message().info[0].area[0].polygon


def test_other_encodings_are_read() -> None:
    for encoding, text in (("iso-8859-2", "Vihor u Šibeniku"), ("windows-1251", "Буря"), ("utf-16", "عاصفة")):
        data = GOOD.replace("utf-8", encoding).replace("Storm from the west", text).encode(encoding)
        assert read(data).info[0].headline == text


def test_control_characters_and_reordering_ones_do_not_come_in() -> None:
    found = read(GOOD.replace("Gusts", "Gu\u202ests\u200b\x85").encode())
    assert found.info[0].description == "Gusts\n of 110 km/h."


# ------------------------------------------------------------------ feeds


def test_atom_and_rss_name_their_messages() -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom">
      <entry><id>urn:x:1</id><updated>2026-01-01T00:00:00Z</updated>
        <link rel="alternate" type="text/html" href="/page/1"/>
        <link type="application/cap+xml" href="cap/1.xml#now"/></entry>
      <entry><id>https://weather.example/cap/2.xml</id></entry>
      <entry><id>urn:no:address</id></entry>
      <entry><id>x</id><link href="file:///etc/passwd"/></entry>
      <entry><id>https://weather.example/cap/2.xml</id></entry>
    </feed>"""
    found = read_feed(atom.encode(), "https://weather.example/feeds/all.atom").entries
    assert [each.address for each in found] == [
        "https://weather.example/feeds/cap/1.xml",
        "https://weather.example/cap/2.xml",
    ]
    assert found[0].changed == "2026-01-01T00:00:00Z"
    rss = """<rss version="2.0"><channel><item><title>a</title><link>https://w.example/1.xml</link></item>
      <item><link>https://w.example/page</link>
        <enclosure url="https://w.example/2.xml" type="application/cap+xml"/></item>
      <item><guid>https://w.example/3.xml</guid></item>
      <item><guid isPermaLink="false">no</guid></item></channel></rss>"""
    addresses = [each.address for each in read_feed(rss.encode(), "https://w.example/").entries]
    assert addresses == [f"https://w.example/{n}.xml" for n in (1, 2, 3)]


def test_messages_within_a_document_are_found_alone_or_in_a_list() -> None:
    inner = GOOD.replace(HEAD, "")
    assert len(read_feed(GOOD.encode(), "https://w.example/").messages) == 1
    wrapped = f"<alerts>{inner}<x>{inner.replace('w-1', 'w-2')}</x></alerts>"
    assert len(read_feed(wrapped.encode(), "https://w.example/").messages) == 2


@pytest.mark.parametrize("data", [b"<html/>", b"<alert/>", b"{}", b"<!DOCTYPE html><html/>"])
def test_what_is_no_feed_is_refused(data: bytes) -> None:
    with pytest.raises(CapError):
        read_feed(data, "https://w.example/")


# ------------------------------------------------------------------ areas


def geometry(*areas: CapArea) -> BaseGeometry:
    return shape(geometry_of(areas))


def test_a_ring_over_the_antimeridian_is_cut_there() -> None:
    crossing = ((10.0, 179.0), (10.0, -179.0), (12.0, -179.0), (12.0, 179.0), (10.0, 179.0))
    counted_on = ((10.0, 179.0), (10.0, 181.0), (12.0, 181.0), (12.0, 179.0), (10.0, 179.0))
    for ring in (crossing, counted_on):
        found = geometry(CapArea("Fiji", polygon=(ring,)))
        assert found.geom_type == "MultiPolygon" and found.area == pytest.approx(4)
        assert found.contains(Point(179.5, 11)) and found.contains(Point(-179.5, 11))
        assert not found.intersects(Point(0, 11))
    circle = geometry(CapArea("Fiji", circle=(CapCircle((11.0, 179.9), 50.0),)))
    assert circle.contains(Point(-179.9, 11)) and not circle.intersects(Point(0, 11))


def test_crossed_overlapping_and_detailed_areas_are_mended() -> None:
    bow_tie = ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0))
    found = geometry(CapArea("a", polygon=(bow_tie,)))
    assert found.is_valid and found.area == pytest.approx(0.5)
    from math import cos, sin

    many = tuple((40 + sin(n / 1000) * (1 + n % 2 / 50), 20 + cos(n / 1000)) for n in range(6283))
    detailed = geometry(CapArea("a", polygon=((*many, many[0]),)))
    assert len(str(geometry_of([CapArea("a", polygon=((*many, many[0]),))]))) < 100_000
    assert all(detailed.buffer(1e-6).contains(Point(x, y)) for y, x in many[::50]), "nobody inside is lost"
    with pytest.raises(CapError, match="too many points"):
        geometry(CapArea("a", polygon=(((0.0, 0.0),) * 100_000,)))


@pytest.mark.parametrize(
    ("area", "code"),
    [
        (CapArea("a"), "no geometry"),
        (CapArea("a", polygon=(((1.0, 1.0),) * 5,)), "no geometry"),
        (
            CapArea("a", polygon=(((0.0, 0.0), (80.0, 120.0), (80.0, -120.0), (80.0, 0.0), (0.0, 0.0)),)),
            "around a pole",
        ),
        (CapArea("a", circle=(CapCircle((89.9, 0.0), 50.0),)), "around a pole"),
        (CapArea("a", circle=(CapCircle((0.0, 0.0), 9_000.0),)), "radius"),
    ],
)
def test_areas_that_mean_nothing_here_are_refused(area: CapArea, code: str) -> None:
    with pytest.raises(CapError, match=code):
        geometry_of([area])


def test_a_circle_holds_all_that_is_within_its_radius() -> None:
    found = geometry(CapArea("a", circle=(CapCircle((42.38, 20.43), 5.0),)))
    # 5 km north, and 5 km east at this latitude.
    assert found.contains(Point(20.43, 42.38 + 4.999 / 111.195))
    assert found.contains(Point(20.43 + 4.999 / (111.195 * 0.7387), 42.38))
    assert not found.contains(Point(20.43, 42.38 + 5.05 / 111.195))
    assert geometry(CapArea("a", circle=(CapCircle((42.38, 20.43), 0.0),))).area > 0


@given(st.data())
def test_holes_are_cut_open_and_the_ground_stays_the_same(data: st.DataObject) -> None:
    holes = data.draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12, unique=True))
    outer = [[0, 0], [11, 0], [11, 11], [0, 11], [0, 0]]
    rings = [outer] + [
        [[x + 0.2, y + 0.2], [x + 0.2, y + 0.9], [x + 0.9, y + 0.9], [x + 0.9, y + 0.2], [x + 0.2, y + 0.2]]
        for x, y in holes
    ]
    area: dict[str, Any] = {"type": "Polygon", "coordinates": rings}
    found = rings_of(area)
    assert all(ring[0] == ring[-1] for ring in found)
    again = geometry(CapArea("a", polygon=found))
    assert again.symmetric_difference(shape(area)).area < 1e-4
    for x, y in holes:
        assert not again.contains(Point(x + 0.5, y + 0.5))


def test_a_parsed_document_has_no_comments_that_hide_text() -> None:
    root = parse(GOOD.replace("Storm from", "Storm<!-- x --> from").encode(), 10_000)
    assert "Storm from the west" in "".join(root.itertext())
    assert read(GOOD.replace("Storm from", "Storm<!-- x --> from").encode()).info[0].headline == "Storm from the west"


def test_an_update_names_what_it_replaces() -> None:
    data = GOOD.replace("<info>", "<references>a,b,2026-03-14T10:30:00Z bad c,d,never</references><info>", 1)
    found = read(data.encode()).references
    assert [(each.sender, each.identifier, each.sent) for each in found] == [("a", "b", SENT - timedelta(hours=1))]
    assert info().expires is not None
