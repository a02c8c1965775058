"""The report form, walked as somebody without JavaScript does."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from commonbeat.media.models import Photo
from commonbeat.reports.models import PlaceSource, Report
from commonbeat.topics.definition import Field, FieldKind, Option
from commonbeat.topics.models import Topic
from commonbeat.web import throttle
from tests import make
from tests.web.public.walker import Walker

pytestmark = pytest.mark.django_db
WORDS = "Three lamps are dark by the old bridge."


@pytest.fixture
def topic() -> Topic:
    """Give a topic that has every step."""
    make.fallback()
    return make.make_topic(
        "street-light",
        fields=[
            Field(
                code="wires",
                kind=FieldKind.CHOICE,
                label={"en": "Are wires hanging down?"},
                required=True,
                options=[Option(code="yes", label={"en": "Yes"}), Option(code="no", label={"en": "No"})],
            ),
            Field(code="lamps", kind=FieldKind.NUMBER, label={"en": "How many lamps?"}, maximum=500),
            Field(code="photo", kind=FieldKind.PHOTO, label={"en": "A photo"}),
        ],
    )


@pytest.fixture
def walk(client: Client, topic: Topic) -> Callable[..., Walker]:
    """Walk to a step with sensible answers on the way."""

    def to(step: str) -> Walker:
        walker = Walker(client, f"/report/{topic.code}/")
        answers: dict[str, dict[str, Any]] = {
            "category": {"category": ["first"]},
            "what": {"text": WORDS, "when": "yesterday", "part": "evening"},
            "questions": {"q_wires": "no", "q_lamps": "3"},
            "where": {"place_text": "42.38, 20.43"},
            "photos": {},
            "contact": {},
        }
        for _turn in range(8):
            if walker.step == step:
                return walker
            walker.send(**answers[walker.step])
        raise AssertionError(walker.text)

    return to


def picture(size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (120, 60, 30)).save(buffer, "JPEG")
    return buffer.getvalue()


def test_the_whole_way(walk: Callable[..., Walker]) -> None:
    walker = walk("check")
    assert WORDS in walker.text and "42.38" in walker.text
    assert not Report.objects.exists(), "nothing is stored before Send"
    walker.send(go="", address="/report/done/")
    report = Report.objects.get()
    assert report.text == WORDS and report.channel == "web"
    assert report.categories == ["first"] and report.answers == {"wires": "no", "lamps": 3}
    assert (report.place_source, report.latitude, report.longitude) == (PlaceSource.COORDINATES, 42.38, 20.43)
    assert report.occurred_at is not None and report.occurred_at < report.created_at
    assert report.contact is None and report.reporter is None
    assert f"{report.reference[:4]}-{report.reference[4:8]}" in walker.text


def test_the_kind_may_be_left_open(client: Client, topic: Topic) -> None:
    walker = Walker(client, f"/report/{topic.code}/")
    assert walker.step == "category"
    walker.send()
    assert walker.step == "what"


def test_sending_twice_is_one_report(walk: Callable[..., Walker]) -> None:
    walker = walk("check")
    data = dict(walker.form.fields)
    first = walker.client.post("/report/done/", data).content.decode()
    again = walker.client.post("/report/done/", data).content.decode()
    report = Report.objects.get()
    shown = f"{report.reference[:4]}-{report.reference[4:8]}-{report.reference[8:]}"
    assert shown in first and shown in again


def test_an_error_keeps_what_was_typed(walk: Callable[..., Walker]) -> None:
    walker = walk("questions")
    response = walker.send(q_lamps="many")
    assert response.status_code == 422
    assert walker.step == "questions"
    assert 'value="many"' in walker.text and "error-summary" in walker.text
    assert ("text", WORDS) in walker.form.fields, "what was typed before travels along"
    assert 'href="#id_q_wires"' in walker.text


def test_back_and_change_keep_everything(walk: Callable[..., Walker]) -> None:
    walker = walk("where")
    walker.send(go="back")
    assert walker.step == "questions" and 'value="no" checked' in walker.text
    walker = walk("check")
    walker.send(go="what", address="/report/street-light/")
    assert walker.step == "what" and WORDS in walker.text
    walker.send(text="Four lamps.")
    assert walker.step == "check" and "Four lamps." in walker.text


def test_a_topic_without_questions_skips_their_steps(client: Client) -> None:
    make.fallback()
    make.make_topic("other", categories=[])
    walker = Walker(client, "/report/other/")
    assert walker.step == "what"
    walker.send(text="Something odd")
    assert walker.step == "where"
    walker.send(go="nowhere")
    assert walker.step == "contact"
    walker.send()
    walker.send(go="", address="/report/done/")
    report = Report.objects.get()
    assert report.place_source == PlaceSource.NONE and not report.has_place


def test_a_named_place_is_found_or_offered(walk: Callable[..., Walker]) -> None:
    make.make_place("Stone bridge", latitude=42.3, longitude=20.4)
    walker = walk("where")
    walker.send(place_text="Stone bridge")
    assert walker.step == "photos"
    assert dict(walker.form.fields)["place_source"] == PlaceSource.NAMED
    assert dict(walker.form.fields)["latitude"] == "42.3"


def test_of_two_places_with_one_name_the_reader_chooses(walk: Callable[..., Walker]) -> None:
    make.make_place("Market", latitude=42.1, longitude=20.1)
    second = make.make_place("Market", latitude=42.2, longitude=20.2)
    walker = walk("where")
    walker.send(place_text="Market")
    assert walker.step == "where" and walker.text.count('name="match"') == 3
    walker.send(match=str(second.pk))
    assert walker.step == "photos" and dict(walker.form.fields)["latitude"] == "42.2"


def test_an_unknown_place_is_taken_as_written(walk: Callable[..., Walker]) -> None:
    walker = walk("where")
    walker.send(place_text="behind the wild pear")
    assert walker.step == "where" and "We do not know a place of this name" in walker.text
    walker.send()
    assert walker.step == "photos"
    walker.send()
    walker.send()
    walker.send(go="", address="/report/done/")
    report = Report.objects.get()
    assert (report.place_source, report.place_name) == (PlaceSource.NAMED, "behind the wild pear")
    assert not report.has_place


def test_a_new_name_replaces_the_point_of_the_old_one(walk: Callable[..., Walker]) -> None:
    make.make_place("Stone bridge", latitude=42.3, longitude=20.4)
    make.make_place("Clock tower", latitude=42.5, longitude=20.5)
    walker = walk("where")
    walker.send(place_text="Stone bridge")
    walker.send(go="back")
    walker.send(place_text="Clock tower")
    assert dict(walker.form.fields)["latitude"] == "42.5"


def test_a_pin_on_the_map_counts_without_a_name(walk: Callable[..., Walker]) -> None:
    walker = walk("where")
    walker.send(latitude="42.111", longitude="20.222", place_source="map")
    assert walker.step == "photos" and dict(walker.form.fields)["place_source"] == "map"


@pytest.mark.parametrize("pair", [("nan", "1"), ("91", "0"), ("1e400", "2"), ("x", "y"), ("0", "0")])
def test_a_point_off_the_globe_is_refused(walk: Callable[..., Walker], pair: tuple[str, str]) -> None:
    walker = walk("where")
    response = walker.send(latitude=pair[0], longitude=pair[1], place_source="map")
    assert response.status_code == 422 and walker.step == "where"


def test_a_photo_goes_with_the_report(walk: Callable[..., Walker]) -> None:
    walker = walk("photos")
    walker.send(go="stay", photos=SimpleUploadedFile("a.jpg", picture(), "image/jpeg"))
    assert walker.step == "photos" and "1 photo will be sent" in walker.text
    walker.send()
    walker.send()
    assert "1 photo" in walker.text
    walker.send(go="", address="/report/done/")
    report = Report.objects.get()
    assert report.photos.count() == 1
    assert Photo.objects.get().draft_key == ""


def test_a_photo_can_be_taken_back(walk: Callable[..., Walker]) -> None:
    walker = walk("photos")
    walker.send(go="stay", photos=SimpleUploadedFile("a.jpg", picture(), "image/jpeg"))
    key = dict(walker.form.fields)["photo"]
    walker.send(go="", remove=key)
    assert "photo" not in dict(walker.form.fields)


def bomb() -> bytes:
    buffer = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"not an image at all", "not a photo"),
        (picture((400, 300))[:300], "not a photo"),
        (b"", ""),
        (b"\xff\xd8\xff\xe0broken", "not a photo"),
        (bomb(), "too many pixels"),
    ],
    ids=["text", "truncated", "empty", "header only", "bomb"],
)
def test_what_is_no_photo_is_refused_and_leaves_nothing(walk: Callable[..., Walker], data: bytes, said: str) -> None:
    walker = walk("photos")
    response = walker.send(photos=SimpleUploadedFile("a.jpg", data, "image/jpeg"))
    if said:
        assert response.status_code == 422 and said in walker.text
        assert ("text", WORDS) in walker.form.fields
    assert not Photo.objects.exists()


def test_the_reference_stands_in_no_address(walk: Callable[..., Walker]) -> None:
    walker = walk("check")
    walker.send(go="", address="/report/done/")
    reference = Report.objects.get().reference
    assert f"/{reference}" not in walker.text and f"={reference}" not in walker.text
    assert walker.response.status_code == 200 and not walker.response.cookies.get("reference")


def test_an_account_topic_asks_to_sign_in(client: Client, resident_client: Client) -> None:
    make.fallback()
    make.make_topic("inside", who_may_report="account", categories=[])
    assert client.get("/report/inside/").status_code == 403
    assert "Sign in" in client.get("/report/inside/").content.decode()
    assert client.post("/report/done/", {"topic": "inside", "text": "x"}).status_code == 403
    walker = Walker(resident_client, "/report/inside/")
    walker.send(text="From an account")
    walker.send(go="nowhere")
    walker.send()
    walker.send(go="", address="/report/done/")
    assert Report.objects.get().reporter is not None


def test_whoever_is_signed_in_still_reports_anonymously(resident_client: Client, topic: Topic) -> None:
    resident_client.post("/report/done/", {"topic": topic.code, "text": WORDS, "q_wires": "no"})
    assert Report.objects.get().reporter is None


def test_a_flood_from_one_network_is_told_to_wait(client: Client, topic: Topic) -> None:
    data = {"topic": topic.code, "text": WORDS, "q_wires": "no"}
    for number in range(throttle.REPORTS.most):
        assert client.post("/report/done/", data | {"key": f"key-of-report-{number:04}"}).status_code == 200
    response = client.post("/report/done/", data | {"key": "key-of-one-too-many"})
    assert response.status_code == 429 and WORDS in response.content.decode()
    assert Report.objects.count() == throttle.REPORTS.most
    repeat = client.post("/report/done/", data | {"key": "key-of-report-0003"})
    assert repeat.status_code == 200, "what has arrived is confirmed again"


def test_no_address_is_kept(client: Client, topic: Topic) -> None:
    client.post("/report/done/", {"topic": topic.code, "text": WORDS, "q_wires": "no"}, REMOTE_ADDR="203.0.113.77")
    assert "203.0.113" not in repr(getattr(cache, "_cache", ""))
    assert "203.0.113" not in repr(list(Report.objects.values()))


def test_an_oversized_body_is_refused_before_it_is_read(client: Client, topic: Topic) -> None:
    response = client.post(f"/report/{topic.code}/", b"x" * 100, content_type="text/plain", CONTENT_LENGTH="999999999")
    assert response.status_code == 413 and "too large" in response.content.decode()


def test_too_many_fields_are_refused(client: Client, topic: Topic) -> None:
    data = {f"q_{n}": "x" for n in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    assert client.post(f"/report/{topic.code}/", data).status_code == 400


def test_an_unknown_topic_is_not_found(client: Client) -> None:
    assert client.get("/report/nothing/").status_code == 404
    assert client.post("/report/done/", {"topic": "nothing"}).status_code == 404


odd = st.text(max_size=60) | st.sampled_from(
    ["today", "date", "where", "check", "map", "nan", "1e999", "\x00", "٣", "-1"]
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(
            "step go key category text when day part q_wires q_lamps place_text place_source latitude longitude "
            "match typed_for photo phone returns remove".split()
        )
        | st.text(max_size=12),
        odd | st.lists(odd, max_size=4),
        max_size=12,
    ),
    st.sampled_from(["/report/street-light/", "/report/done/"]),
)
def test_odd_input_gets_a_page_and_never_a_traceback(
    client: Client, topic: Topic, data: dict[str, Any], address: str
) -> None:
    cache.clear()
    response = client.post(address, {"topic": "street-light", **data})
    assert response.status_code in {200, 404, 422}, data
    if address != "/report/done/":
        assert not Report.objects.exists()


def test_words_beyond_the_limit_of_a_form_are_too_large(client: Client, topic: Topic) -> None:
    body = b"text=" + b"a" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    response = client.post(f"/report/{topic.code}/", body, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 413 and "nothing was stored" in response.content.decode()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"--x\r\nContent-Disposition: form-data; name=", "multipart/form-data; boundary=x"),
        (b"anything", "multipart/form-data"),
        (b"--x\r\n\xff\xfe", "multipart/form-data; boundary=\xff"),
        (b"text=%FF%FE%C0&when=%E2%82", "application/x-www-form-urlencoded"),
        (b"text=%FF", "application/x-www-form-urlencoded; charset=nonsense"),
        (b'{"text": "x"}', "application/json"),
    ],
    ids=["cut off", "no boundary", "odd boundary", "wrong encoding", "unknown encoding", "not a form"],
)
def test_damaged_forms_get_a_sentence(client: Client, topic: Topic, body: bytes, kind: str) -> None:
    client.raise_request_exception = False
    response = client.generic("POST", f"/report/{topic.code}/", body, content_type=kind)
    assert response.status_code in {200, 400, 422}, response.status_code
    assert not Report.objects.exists()
