"""A stranger with a browser: what must not be seen, forged or slipped in from outside."""

from __future__ import annotations

import base64
import json
import struct
from datetime import timedelta

import pytest
from django.test import Client

from commonbeat.foundation.crypto import seal_for_outbox
from commonbeat.foundation.ids import new_reference, new_token
from commonbeat.media.models import Photo
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.models import PlaceSource, Publication, PublicationState, Report, ReportPhoto
from commonbeat.topics.definition import Publishes
from commonbeat.web import throttle
from tests import make

pytestmark = pytest.mark.django_db

PAGES = (
    "/", "/reports/", "/map/", "/officer/", "/reports.rss", "/reports.geojson", "/lookup/",
    "/report/",
)  # fmt: skip
LISTS = ("/reports/", "/map/", "/reports.rss", "/reports.geojson")
MARKUP = "<script>alert(1)</script>"
EVIL = f"{MARKUP}\"'><img src=x onerror=alert(1)>"
AWAY = ("//evil.test/", "https://evil.test", "/\\evil.test", "///evil.test", "javascript:alert(1)", "http:///evil.test")


def published(officer: User, unit: Unit, *, publishes: Publishes = Publishes.EACH) -> tuple[Publication, Photo]:
    """Publish a report with a picture, by the action that the desk uses."""
    topic = make.make_topic("quiet", publishes=publishes, smallest_count=5 if publishes == Publishes.COUNTS else 1)
    report = make.make_report(topic=topic, unit=unit, categories=["first"])
    photo = make.make_photo()
    ReportPhoto.objects.create(report=report, photo=photo)
    publication = publish_report(
        report_id=report.pk,
        title="Zogu i zi",
        text="Words of one person.",
        place_name="Rruga e fshehte",
        photo_ids=[photo.pk],
        actor=officer,
        now=make.NOW,
    )
    photo.refresh_from_db()
    return publication, photo


def test_a_topic_of_counts_tells_of_no_single_report(officer: User, unit: Unit) -> None:
    publication, photo = published(officer, unit, publishes=Publishes.COUNTS)
    assert publication.state == PublicationState.PUBLIC
    browser = Client()
    asked = [*PAGES, *(f"{page}?topic=quiet" for page in LISTS), f"/reports.geojson?code={publication.code}"]
    asked += [f"/reports/?before={publication.code}", f"/reports/?beat={publication.beat_id or 1}"]
    for address in asked:
        answer = browser.get(address)
        said = answer.content.decode()
        for word in ("Zogu i zi", "Words of one person", "Rruga e fshehte", photo.public_token):
            assert word not in said, address
        assert answer.status_code == 200, address
        if "code=" not in address and "before=" not in address:
            assert publication.code not in said, address
    assert json.loads(browser.get(f"/reports.geojson?code={publication.code}").content)["features"] == []
    assert browser.get(f"/reports/{publication.code}/").status_code == 404
    assert browser.get(f"/photos/{photo.public_token}-full.jpg").status_code == 404
    # A code is no reference, and a reference no code.
    assert (
        publication.report.reference not in browser.post("/lookup/", {"reference": publication.code}).content.decode()
    )
    assert browser.get(f"/reports/{publication.report.reference}/").status_code == 404


@pytest.mark.parametrize("state", [PublicationState.HELD, PublicationState.WITHDRAWN, "delayed"])
def test_what_is_not_public_yet_or_any_more_is_not_found(state: str, officer: User, unit: Unit) -> None:
    publication, photo = published(officer, unit)
    if state == "delayed":
        Publication.objects.filter(pk=publication.pk).update(public_at=make.NOW + timedelta(days=36_500))
    else:
        publication.state = state
        publication.save()
        publication.settle_photos()
    browser = Client()
    assert browser.get(f"/reports/{publication.code}/").status_code == 404
    for token in (photo.public_token, photo.original_token):
        for variant in ("full", "thumb"):
            assert browser.get(f"/photos/{token}-{variant}.jpg").status_code == 404
    for page in PAGES:
        assert "Zogu i zi" not in browser.get(page).content.decode(), page


def test_markup_stays_text_wherever_it_was_stored(officer: User, unit: Unit, officer_client: Client) -> None:
    topic = make.make_topic("markup", name={"en": f"Topic {MARKUP}"})
    report = make.make_report(topic=topic, unit=unit, text=EVIL, title=EVIL, place_name=EVIL, categories=["first"])
    officer.display_name = officer.public_intro = EVIL
    officer.save()
    code = publish_report(report_id=report.pk, title=EVIL, text=EVIL, place_name=EVIL, actor=officer, now=make.NOW).code
    Publication.objects.update(state=PublicationState.PUBLIC)
    desk = f"/desk/reports/{report.pk}/"
    addresses = [page for page in PAGES if "geojson" not in page]
    addresses += [f"/reports/{code}/", "/report/markup/", desk, f"{desk}alike/", "/desk/reports/?tab=all", "/desk/map/"]
    for address in addresses:
        answer = officer_client.get(address)
        assert answer.status_code == 200, address
        said = answer.content.decode()
        assert MARKUP not in said and "<img src=x" not in said, address
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "default-src 'self'" in policy, address
    answer = officer_client.get("/reports.geojson")
    assert answer.headers["Content-Type"] == "application/geo+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert officer_client.get("/desk/map/points.json").headers["Content-Type"] == "application/json"


def test_hidden_fields_of_the_form_open_no_doors(unit: Unit) -> None:
    make.fallback()
    topic = make.make_topic("open")
    closed = make.make_topic("closed")
    closed.enabled = False
    closed.save()
    make.make_topic("members", who_may_report="account")
    theirs = make.make_photo()
    ReportPhoto.objects.create(report=make.make_report(topic=topic), photo=theirs)
    browser = Client()
    sent = {"key": new_token(), "text": "A lamp is dark.", "place_text": "Somewhere", "place_source": PlaceSource.DESK}
    sent |= {"latitude": "42.38", "longitude": "20.43", "state": "published", "unit": str(unit.pk), "photo": ""}
    before = Report.objects.count()
    assert browser.post("/report/done/", {**sent, "topic": "closed"}).status_code == 404
    assert browser.post("/report/done/", {**sent, "topic": "members"}).status_code == 403
    assert browser.get("/report/closed/").status_code == 404
    assert Report.objects.count() == before
    assert browser.post("/report/done/", {**sent, "topic": "open"}).status_code == 200
    made = Report.objects.get(client_key=f"web-{sent['key']}")
    # The desk's word for a place is the desk's alone, and with it goes the point.
    assert (made.place_source, made.latitude, made.state) == (PlaceSource.NAMED, None, "new")
    assert not made.photos.exists() and made.verified_at is None


def test_a_sealed_report_is_taken_once_and_only_whole() -> None:
    make.fallback()
    make.make_topic("other")
    browser = Client()
    point = base64.b64decode(json.loads(browser.get("/report/outbox/key").content)["key"])
    body = json.dumps({"fields": [["key", new_token()], ["topic", "other"], ["text", "A lamp."]]}).encode()
    sealed = seal_for_outbox(point, struct.pack(">I", len(body)) + body)

    def send(blob: bytes) -> tuple[int, str]:
        answer = browser.post("/report/outbox/", blob, content_type="application/octet-stream")
        return answer.status_code, answer.content.decode()

    assert send(sealed)[0] == 200
    assert send(sealed) == send(sealed)
    for place in (0, 1, 40, 70, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert send(bytes(changed))[0] == 400
    assert Report.objects.count() == 1


@pytest.mark.parametrize("away", AWAY)
def test_no_redirect_leads_away(away: str) -> None:
    assert Client().post("/language/", {"language": "en", "next": away}).headers["Location"] == "/"
    make.make_user("anna", password="a long enough word")
    signed = Client().post("/account/login/", {"login": "anna", "password": "a long enough word", "next": away})
    assert signed.status_code == 302
    assert "evil" not in signed.headers["Location"] and "alert" not in signed.headers["Location"]


def test_a_header_of_the_caller_does_not_renew_the_tries() -> None:
    answers = [
        Client().post("/lookup/", {"reference": new_reference()}, headers={"X-Forwarded-For": f"9.9.{n}.1"}).status_code
        for n in range(throttle.WRONG_REFERENCES.most + 2)
    ]
    assert answers[-2:] == [429, 429]


def test_signing_up_gives_no_rights() -> None:
    browser = Client()
    typed = {"username": "mallory", "password1": "a long enough word", "password2": "a long enough word"}
    browser.post("/account/signup/", {**typed, "role": "administrator", "is_superuser": "1", "unit": "1"})
    made = User.objects.get(username="mallory")
    assert (made.role, made.is_staff, made.is_superuser, made.unit_id) == ("resident", False, False, None)
    for address in ("/desk/reports/", "/desk/moderation/", "/oversight/journal/", "/administration/people/"):
        assert browser.get(address).status_code == 403, address
