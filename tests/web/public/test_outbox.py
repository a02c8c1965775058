"""Reports that waited sealed on a phone."""

from __future__ import annotations

import base64
import io
import json
import stat
import struct
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from commonbeat.foundation import clock
from commonbeat.foundation.crypto import seal_for_outbox
from commonbeat.foundation.ids import parse_reference
from commonbeat.reports.models import PlaceSource, Report
from commonbeat.topics.definition import Field, FieldKind
from commonbeat.topics.models import Topic
from commonbeat.web import throttle
from tests import make

pytestmark = pytest.mark.django_db
KEY = "a-key-that-the-phone-made"


@pytest.fixture(autouse=True)
def topic() -> Topic:
    """Give a topic with a question that has limits."""
    make.fallback()
    return make.make_topic(
        "light",
        fields=[
            Field(code="lamps", kind=FieldKind.NUMBER, label={"en": "How many?"}),
            Field(code="photo", kind=FieldKind.PHOTO, label={"en": "A photo"}),
        ],
    )


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 90, 9)).save(buffer, "JPEG")
    return buffer.getvalue()


def envelope(fields: dict[str, str], photos: list[bytes] | None = None, **more: Any) -> bytes:
    photos = photos or []
    told = {
        "fields": list({"topic": "light", "key": KEY, **fields}.items()),
        "photos": [len(p) for p in photos],
        **more,
    }
    text = json.dumps(told).encode()
    return struct.pack(">I", len(text)) + text + b"".join(photos)


def flush(client: Client, plain: bytes, *, status: int = 200) -> dict[str, str]:
    point = base64.b64decode(client.get("/report/outbox/key").json()["key"])
    response = client.post("/report/outbox/", seal_for_outbox(point, plain), content_type="application/octet-stream")
    assert response.status_code == status, response.content
    return dict(response.json())


def test_a_sealed_report_comes_in_whole(client: Client) -> None:
    written = clock.now() - timedelta(days=2)
    answer = flush(
        client,
        envelope(
            {
                "text": "Dark street",
                "when": "today",
                "place_text": "42.38, 20.43",
                "q_lamps": "4",
                "phone": "044 123 456",
            },
            [picture()],
            language="sq",
            written_at=written.isoformat(),
        ),
    )
    report = Report.objects.get()
    assert parse_reference(answer["reference"]) == report.reference
    assert (report.text, report.language, report.answers) == ("Dark street", "sq", {"lamps": 4})
    assert report.place_source == PlaceSource.COORDINATES and report.latitude == 42.38
    assert report.photos.count() == 1 and report.contact is not None
    assert report.occurred_at is not None and abs(report.occurred_at - written) < timedelta(days=1), "today was then"


def test_a_repeat_gives_the_same_reference(client: Client) -> None:
    plain = envelope({"text": "Dark"}, [picture()])
    assert flush(client, plain) == flush(client, plain) == flush(client, plain)
    assert Report.objects.count() == 1


def test_what_was_sent_online_is_not_sent_again(client: Client) -> None:
    client.post("/report/done/", {"topic": "light", "key": KEY, "text": "Dark"})
    flush(client, envelope({"text": "Dark"}))
    assert Report.objects.count() == 1


def test_nothing_is_lost_where_something_is_wrong(client: Client) -> None:
    fields = {
        "text": "Dark", "q_lamps": "many, I did not count", "phone": "no number", "when": "date", "day": "2999-01-01",
        "place_text": "behind the wild pear",
    }  # fmt: skip
    flush(client, envelope(fields, [b"broken picture"]))
    report = Report.objects.get()
    assert "Dark" in report.text and "many, I did not count" in report.text
    assert "no number" not in report.text and report.contact is None
    assert report.place_name == "behind the wild pear" and not report.has_place
    assert report.occurred_at is None and report.photos.count() == 0


def test_a_topic_that_has_gone_is_no_reason_to_lose_a_report(client: Client, topic: Topic) -> None:
    topic.enabled = False
    topic.save()
    other = make.make_topic("other")
    flush(client, envelope({"topic": "vanished", "text": "Dark"}))
    assert Report.objects.get().topic == other
    # One that is no longer offered has gone as well.
    flush(client, envelope({"topic": "light", "text": "Dark", "key": "another-key-of-the-phone"}))
    assert {report.topic for report in Report.objects.all()} == {other}
    assert Report.objects.count() == 2


def test_a_topic_for_accounts_is_not_opened_by_this_door(client: Client) -> None:
    make.make_topic("inside", who_may_report="account")
    flush(client, envelope({"topic": "inside", "text": "Dark"}))
    assert Report.objects.get().topic.code != "inside"


def test_an_empty_report_is_refused(client: Client) -> None:
    assert flush(client, envelope({}), status=422)["error"]
    assert not Report.objects.exists()


def test_what_cannot_be_opened_is_refused(client: Client) -> None:
    for blob in (b"", b"\x01short", b"\x01" + bytes(200), b"\x02" + bytes(200)):
        response = client.post("/report/outbox/", blob, content_type="application/octet-stream")
        assert response.status_code == 400 and response.json()["error"]
    response = client.post(
        "/report/outbox/", b"x", content_type="application/octet-stream", CONTENT_LENGTH="99999999999"
    )
    assert response.status_code == 413


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda b: struct.pack(">I", len(b)) + b))
def test_odd_bytes_inside_a_good_seal_are_refused(client: Client, plain: bytes) -> None:
    flush(client, plain, status=400)
    assert not Report.objects.exists()


def test_a_flood_waits_on_the_phone_and_repeats_do_not_count(client: Client) -> None:
    for number in range(throttle.REPORTS.most):
        flush(client, envelope({"key": f"key-of-report-{number:04}", "text": "Dark"}))
    flush(client, envelope({"key": "key-of-one-too-many", "text": "Dark"}), status=429)
    flush(client, envelope({"key": "key-of-report-0001", "text": "Dark"}))


def test_the_key_is_made_once_and_kept_from_others(client: Client) -> None:
    first = client.get("/report/outbox/key").json()
    assert client.get("/report/outbox/key").json() == first
    file = settings.COMMONBEAT.data_dir / "keys" / "outbox.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(base64.b64decode(first["key"])) == 65
