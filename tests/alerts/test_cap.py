"""CAP as it is written: valid against the schema and the stricter profiles, signed, read back the same."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from capvalidator.validate import Validator
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from commonbeat.alerts import cap
from commonbeat.alerts.cap import CapAlert, CapArea, CapCircle, CapError, CapInfo, CapReference, element_of, write
from commonbeat.alerts.cap_reading import message_in, parse, read
from commonbeat.alerts.cap_signing import is_certificate, sign, site_key, verified
from tests.alerts.cap_messages import RING, SENT, info, message, schema

REFERENCE = CapReference("weather.example", "w-0", SENT - timedelta(hours=1))
XSD = schema()


def test_what_is_written_is_valid_and_says_times_as_cap_does() -> None:
    written = write(
        message(
            msgType="Update",
            sent=datetime(2026, 3, 14, 11, 30, 5, 999_999, tzinfo=UTC),
            references=(REFERENCE,),
            info=(
                info(onset=datetime(2026, 7, 1, 9, tzinfo=timezone(timedelta(hours=2)))),
                info(language="sq", headline="Stuhi", area=(CapArea("Fusha", circle=(CapCircle((42.4, 20.4), 1.5),)),)),
            ),
        )
    )
    assert XSD.validate(etree.fromstring(written)), XSD.error_log
    text = written.decode()
    assert "<sent>2026-03-14T11:30:05-00:00</sent>" in text
    assert "<onset>2026-07-01T09:00:00+02:00</onset>" in text
    assert "<references>weather.example,w-0,2026-03-14T10:30:00-00:00</references>" in text
    assert "<polygon>42.3,20.3 42.3,20.5 42.5,20.5 42.5,20.3 42.3,20.3</polygon>" in text
    assert "<circle>42.4,20.4 1.5</circle>" in text
    assert not re.search(r"\d\dZ|:\d\d\.\d", text)
    assert not re.search(r">\s+<", text.partition("\n")[2]), "a verifier that strips white space must find the same"


def test_markup_in_texts_stays_text() -> None:
    evil = "]]></description><status>Actual</status><!--&lt;"
    root = etree.fromstring(write(message(info=(info(description=evil, headline="<b>&amp;</b>"),))))
    assert len(root.findall(f"{{{cap.NAMESPACE}}}status")) == 1
    assert read(write(message(info=(info(description=evil),)))).info[0].description == evil


@pytest.mark.parametrize(
    ("changes", "code", "element"),
    [
        ({"identifier": "with space"}, "not a name", "identifier"),
        ({"identifier": "a,b"}, "not a name", "identifier"),
        ({"identifier": "a<b"}, "not a name", "identifier"),
        ({"identifier": ""}, "not a name", "identifier"),
        ({"sender": "a&b"}, "not a name", "sender"),
        ({"sent": datetime(2026, 3, 14, 11, 30)}, "no zone", "sent"),
        ({"status": "actual"}, "unknown", "status"),
        ({"msgType": "Update"}, "missing", "references"),
        ({"references": (REFERENCE,)}, "unexpected", "references"),
        ({"status": "Test"}, "missing", "note"),
        ({"scope": "Private"}, "missing", "addresses"),
        ({"info": ()}, "missing", "info"),
        ({"info": (info(), info(headline="Other"))}, "twice", "language"),
        ({"note": "bell \x07"}, "control character", "note"),
        ({"note": "nothing \x00"}, "control character", "note"),
        ({"note": "half \ud800"}, "control character", "note"),
    ],
)
def test_messages_that_no_profile_takes_are_refused(changes: dict[str, Any], code: str, element: str) -> None:
    with pytest.raises(CapError) as caught:
        write(message(**changes))
    assert (caught.value.code, caught.value.element) == (code, element)


@pytest.mark.parametrize(
    ("changes", "code", "element"),
    [
        ({"expires": None}, "missing", "expires"),
        ({"expires": SENT}, "before sent", "expires"),
        ({"headline": "Same", "description": " Same"}, "the same as headline", "description"),
        ({"headline": "x" * 161}, "too long", "headline"),
        ({"description": ""}, "missing", "description"),
        ({"senderName": ""}, "missing", "senderName"),
        ({"web": ""}, "missing", "web"),
        ({"web": "javascript:alert(1)"}, "not an address", "web"),
        ({"language": "not a tag"}, "not a tag", "language"),
        ({"category": ()}, "missing", "category"),
        ({"category": ("Weather",)}, "unknown", "category"),
        ({"responseType": ("Run",)}, "unknown", "responseType"),
        ({"severity": "Bad"}, "unknown", "severity"),
        ({"area": ()}, "missing", "area"),
        ({"area": (CapArea("Here"),)}, "no geometry", "area"),
        ({"area": (CapArea("", polygon=(RING,)),)}, "missing", "areaDesc"),
        ({"area": (CapArea("Here", polygon=(RING[:-1],)),)}, "not closed", "polygon"),
        (
            {"area": (CapArea("Here", polygon=((*RING[:2], (float("nan"), 1.0), RING[0]),)),)},
            "off the globe",
            "polygon",
        ),
        ({"area": (CapArea("Here", circle=(CapCircle((91.0, 0.0), 1.0),)),)}, "off the globe", "circle"),
        ({"area": (CapArea("Here", circle=(CapCircle((1.0, 0.0), float("inf")),)),)}, "radius", "circle"),
    ],
)
def test_blocks_that_no_profile_takes_are_refused(changes: dict[str, Any], code: str, element: str) -> None:
    with pytest.raises(CapError) as caught:
        write(message(info=(info(**changes),)))
    assert (caught.value.code, caught.value.element) == (code, element)


_words = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=60
).map(str.strip).filter(bool)  # fmt: skip
_names = st.text("abcXYZ019.@:_-", min_size=1, max_size=40)
_moments = st.datetimes(
    datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.integers(-14 * 60, 14 * 60).map(
        lambda minutes: timezone(timedelta(minutes=minutes))
    )
).map(lambda moment: moment.replace(microsecond=0))  # fmt: skip
_points = st.tuples(
    st.floats(-90, 90).map(lambda value: round(value, 6) + 0.0), st.floats(-180, 180).map(lambda v: round(v, 6) + 0.0)
)
_rings = st.lists(_points, min_size=3, max_size=8).map(lambda points: (*points, points[0]))
_circles = st.builds(CapCircle, _points, st.floats(0.001, 2_000).map(lambda value: round(value, 6)))
_pairs = st.lists(st.tuples(_names, _words), max_size=2).map(tuple)
_areas = st.builds(
    CapArea, _words, st.lists(_rings, min_size=1, max_size=3).map(tuple), st.lists(_circles, max_size=2).map(tuple),
    _pairs,
)  # fmt: skip


@st.composite
def _messages(draw: st.DrawFn) -> CapAlert:
    sent = draw(_moments)
    references = draw(st.lists(st.builds(CapReference, _names, _names, _moments), max_size=3).map(tuple))
    infos = tuple(
        draw(
            st.builds(
                CapInfo,
                category=st.lists(st.sampled_from(cap.CATEGORIES), min_size=1, max_size=2, unique=True).map(tuple),
                event=_words,
                urgency=st.sampled_from(cap.URGENCIES),
                severity=st.sampled_from(cap.SEVERITIES),
                certainty=st.sampled_from(cap.CERTAINTIES),
                language=st.just(language),
                responseType=st.lists(st.sampled_from(cap.RESPONSE_TYPES), max_size=2).map(tuple),
                eventCode=_pairs,
                onset=st.none() | _moments,
                expires=st.timedeltas(timedelta(minutes=1), timedelta(days=9)).map(
                    lambda span: (sent + span).replace(microsecond=0)
                ),
                senderName=_words,
                headline=_words.map(lambda text: f"{text}!"),
                description=_words.map(lambda text: f"{text}\n\n{text}?"),
                instruction=st.just("") | _words,
                web=st.just("https://town.example/alerts/1/"),
                parameter=_pairs,
                area=st.lists(_areas, min_size=1, max_size=2).map(tuple),
            )
        )
        for language in draw(st.lists(st.sampled_from(["en", "sq", "ar", "sr-Latn"]), min_size=1, unique=True))
    )
    return CapAlert(
        identifier=draw(_names),
        sender=draw(_names),
        sent=sent,
        status=draw(st.sampled_from(["Actual", "System"])),
        msgType="Update" if references else "Alert",
        note=draw(st.just("") | _words),
        references=references,
        info=infos,
    )


@given(_messages())
def test_what_is_written_is_valid_and_read_back_the_same(given_message: CapAlert) -> None:
    written = write(given_message)
    assert XSD.validate(etree.fromstring(written)), XSD.error_log
    assert _normal(read(written)) == _normal(given_message)


def _normal(alert: CapAlert) -> CapAlert:
    # Reading normalises letters (NFC), as every text that comes in.
    from commonbeat.foundation.text import clean_text

    def plain(value: Any) -> Any:
        if isinstance(value, str):
            return clean_text(value, 10_000)
        if isinstance(value, tuple):
            return tuple(plain(each) for each in value)
        if isinstance(value, CapInfo | CapArea):
            names = value.__dataclass_fields__
            return replace(value, **{name: plain(getattr(value, name)) for name in names})
        return value

    return replace(alert, note=plain(alert.note), info=plain(alert.info))


# ------------------------------------------------------------------ signatures


def test_a_signed_message_is_what_others_call_valid(tmp_path: Path) -> None:
    key = site_key(tmp_path / "keys", name="town.example", now=SENT)
    signed = sign(element_of(message()), key)
    assert XSD.validate(etree.fromstring(signed)), XSD.error_log
    outside = Validator(signed)
    assert outside.schema()[0] and outside.signature()[0], (outside.schema(), outside.signature())
    assert signed == sign(element_of(message()), key), "each process signs the same bytes"
    root = parse(signed, 1_000_000)
    assert message_in(verified(root, key.certificate.decode(), SENT)) == message()


def test_one_changed_letter_breaks_the_signature(tmp_path: Path) -> None:
    key = site_key(tmp_path, name="town.example", now=SENT)
    signed = sign(element_of(message()), key)
    for before, after in (
        (b"Storm from", b"Storn from"),
        (b"42.3,20.3 ", b"42.4,20.3 "),
        (b"<status>Actual", b"<status>System"),
        (b"<identifier>w-1", b"<identifier>w-2"),
    ):
        assert signed.count(before) >= 1
        broken = signed.replace(before, after, 1)
        with pytest.raises(CapError, match="wrong signature"):
            verified(parse(broken, 1_000_000), key.certificate.decode(), SENT)
        assert not Validator(broken).signature()[0]


def test_a_signature_of_somebody_else_or_none_is_no_signature(tmp_path: Path) -> None:
    ours = site_key(tmp_path / "a", name="town.example", now=SENT)
    theirs = site_key(tmp_path / "b", name="town.example", now=SENT)
    with pytest.raises(CapError, match="wrong signature"):
        verified(parse(sign(element_of(message()), theirs), 1_000_000), ours.certificate.decode(), SENT)
    with pytest.raises(CapError, match="not signed"):
        verified(element_of(message()), ours.certificate.decode(), SENT)


def test_what_is_wrapped_around_a_signed_message_is_not_read(tmp_path: Path) -> None:
    key = site_key(tmp_path, name="town.example", now=SENT)
    signed = etree.fromstring(sign(element_of(message()), key))
    wrapper = element_of(message(identifier="evil"))
    wrapper.append(signed.find("{http://www.w3.org/2000/09/xmldsig#}Signature"))
    wrapper.append(signed)
    with pytest.raises(CapError, match="wrong signature"):
        verified(wrapper, key.certificate.decode(), SENT)


def test_the_key_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = site_key(folder, name="town.example", now=SENT)
    assert site_key(folder, name="elsewhere.example", now=SENT) == first
    assert (folder / "cap.pem").stat().st_mode & 0o077 == 0
    assert is_certificate(first.certificate.decode()) and b"PRIVATE" not in first.certificate
    assert not is_certificate("x") and not is_certificate(first.certificate.decode() * 2)
    assert [each.name for each in folder.iterdir()] == ["cap.pem"]
