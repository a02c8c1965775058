"""The public pages: what they show, to whom, and at what cost."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.template import engines
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from commonbeat.foundation import clock
from commonbeat.people.models import User
from commonbeat.reports.models import PublicationState
from commonbeat.topics.ready_made import install_ready_made
from tests import make

pytestmark = pytest.mark.django_db

SCREENS = [
    "/",
    "/report/",
    "/report/street-light/",
    "/report/offline/",
    "/reports/",
    "/map/",
    "/map/safety/",
    "/officer/",
    "/lookup/",
    "/about/anonymous/",
    "/sms/",
    "/privacy/",
]


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    return str(response.content.decode())


@pytest.mark.parametrize("address", SCREENS)
@pytest.mark.parametrize("language", ["en", "sq", "ar"])
def test_each_screen_in_each_language(client: Client, address: str, language: str) -> None:
    install_ready_made(make.NOW)
    make.make_beat()
    make.make_publication()
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    html = page(client, address)
    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in html
    assert html.count("<h1") == 1, "one heading tells what the page is"


@pytest.mark.parametrize("address", [address for address in SCREENS if address != "/report/street-light/"])
def test_each_screen_on_an_empty_site(client: Client, address: str) -> None:
    page(client, address)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": PublicationState.HELD},
        {"state": PublicationState.WITHDRAWN},
        {"lists_each": False},
        {"public_at": clock.now() + timedelta(hours=5)},
    ],
    ids=["held", "withdrawn", "counted only", "delayed"],
)
def test_an_outsider_sees_nothing_that_is_not_public(outsider_client: Client, changes: dict[str, Any]) -> None:
    report = make.make_report(text="the reporter's own words", place_name="the exact doorway")
    make.make_publication(report=report, title="Hidden title", code="hidden1", **changes)
    photo = make.make_photo(is_public=True)
    report.publication.photos.add(photo)
    for address in ["/", "/reports/", "/map/", "/reports.rss", "/reports.geojson"]:
        html = page(outsider_client, address)
        assert "Hidden title" not in html and "own words" not in html and "doorway" not in html
    assert outsider_client.get("/reports/hidden1/").status_code == 404
    assert outsider_client.get(f"/photos/{photo.public_token}-full.jpg").status_code == 404
    assert "Hidden" not in page(outsider_client, "/reports.geojson?code=hidden1")


def test_a_public_report_shows_its_public_copy_only(outsider_client: Client) -> None:
    report = make.make_report(text="the reporter's own words", latitude=42.381234, longitude=20.434321)
    make.make_publication(
        report=report,
        code="shown1",
        title="A lamp is dark",
        text="By the school.",
        is_verified=True,
        independent_sources=2,
    )
    html = page(outsider_client, "/reports/shown1/")
    assert "A lamp is dark" in html and "By the school." in html and "2 independent sources" in html
    assert "own words" not in html and report.reference not in html
    assert "42.381234" not in html and "20.434321" not in html


def test_pictures_of_public_reports_only(client: Client) -> None:
    from commonbeat.media import store
    from commonbeat.media.actions import picture_key

    publication = make.make_publication()
    shown, kept_back, elsewhere = make.make_photo(is_public=True), make.make_photo(), make.make_photo(is_public=True)
    publication.photos.add(shown, kept_back)
    for photo in (shown, kept_back, elsewhere):
        store.write_public(
            photo.public_token, full=b"full", thumb=b"thumb", data_dir=settings.COMMONBEAT.data_dir, key=picture_key()
        )
    response = client.get(f"/photos/{shown.public_token}-thumb.jpg")
    assert (response.status_code, response.content) == (200, b"thumb")
    assert response.headers["Content-Type"] == "image/jpeg"
    assert client.get(f"/photos/{kept_back.public_token}-full.jpg").status_code == 404
    assert client.get(f"/photos/{elsewhere.public_token}-full.jpg").status_code == 404
    assert client.get(f"/photos/{shown.original_token}-full.jpg").status_code == 404


def test_filters_narrow_the_list(client: Client) -> None:
    dump, light = make.make_topic("dump"), make.make_topic("light")
    north = make.make_beat(name="North", latitude=43, longitude=20.43)
    make.make_beat(name="South")
    first = make.make_report(topic=dump, categories=["first"])
    make.make_publication(report=first, title="A heap", now=make.NOW - timedelta(days=3))
    second = make.make_report(topic=light, categories=["second"], latitude=43.0)
    make.make_publication(report=second, title="A lamp", now=make.NOW)

    def titles(query: str) -> set[str]:
        html = page(client, f"/reports/?{query}")
        assert json.loads(page(client, f"/reports.geojson?{query}"))["features"].__len__() == html.count("report-row")
        return {title for title in ("A heap", "A lamp") if title in html}

    assert titles("") == {"A heap", "A lamp"}
    assert titles("topic=dump") == {"A heap"}
    assert titles("topic=light&category=second") == {"A lamp"}
    assert titles("topic=light&category=first") == set()
    assert titles(f"beat={north.pk}") == {"A lamp"}
    assert titles(f"since={make.NOW.date()}") == {"A lamp"}
    assert titles(f"until={(make.NOW - timedelta(days=1)).date()}") == {"A heap"}
    assert titles("bbox=20,42.9,21,43.1") == {"A lamp"}
    assert titles("bbox=170,42,-170,44") == set()


@pytest.mark.parametrize(
    "query",
    ["topic=nothing", "category=first", "beat=x", "since=yesterday", "since=2025-02-30", "bbox=1,2,3", "bbox=a,b,c,d",
     "bbox=nan,1,2,3", "bbox=-200,0,10,10", "bbox=0,0,181,10", "bbox=0,-91,10,10", "bbox=0,0,10,90.5",
     "since=2025-03-02&until=2025-03-01", "beat=99999999999999999999"],
)  # fmt: skip
def test_a_filter_that_cannot_be_used_is_named(client: Client, query: str) -> None:
    for address in ("/reports/", "/map/", "/reports.rss", "/reports.geojson"):
        # The map knows no boxes and no beats; it says so.
        if ("bbox" in query or "beat" in query) and address == "/map/":
            continue
        response = client.get(f"{address}?{query}")
        assert response.status_code == 400, address
        assert "Traceback" not in response.content.decode()


def test_pages_of_fifty_lead_on_and_back(client: Client) -> None:
    topic = make.make_topic("light")
    for number in range(120):
        # Many at the same moment: the order must still be total.
        report = make.make_report(topic=topic)
        make.make_publication(report=report, title=f"Report {number:03}", now=make.NOW + timedelta(hours=number // 60))
    seen: list[str] = []
    address = "/reports/"
    pages = []
    while address:
        html = page(client, address)
        pages.append(address)
        seen += [part.split("<")[0] for part in html.split('class="report-title" dir="auto">')[1:]]
        older = html.split('rel="next"')[0].rsplit('href="', 1)[-1].split('"')[0] if 'rel="next"' in html else ""
        address = older.replace("&amp;", "&")
    assert len(pages) == 3 and seen == [f"Report {n:03}" for n in reversed(range(120))]
    html = page(client, pages[2])
    newer = html.split('rel="prev"')[0].rsplit('href="', 1)[-1].split('"')[0]
    assert "Report 069" in page(client, newer) and "Report 020" in page(client, newer)


@pytest.mark.parametrize("address", ["/", "/reports/", "/map/", "/reports.rss", "/reports.geojson", "/officer/"])
def test_the_number_of_queries_does_not_grow(client: Client, unit: Any, officer: User, address: str) -> None:
    topic = make.make_topic("light")

    def add(number: int) -> None:
        for n in range(number):
            make.make_publication(report=make.make_report(topic=topic, latitude=42.38 + n / 100))
            make.make_beat(officers=[officer], latitude=50 + n)

    add(2)
    page(client, address)
    with CaptureQueriesContext(connection) as few:
        page(client, address)
    add(30)
    with CaptureQueriesContext(connection) as many:
        page(client, address)
    assert len(many) == len(few), [query["sql"][:100] for query in many]
    assert len(many) < 16


def test_the_count_stops_at_a_thousand(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from commonbeat.reports.queries import public

    monkeypatch.setattr(public, "COUNT_CAP", 3)
    for _ in range(3):
        make.make_publication()
    assert "3 reports" in page(client, "/reports/")
    make.make_publication()
    assert "More than 3 reports" in page(client, "/reports/")


def test_topics_of_which_only_numbers_are_public_are_named(client: Client) -> None:
    make.make_topic("harassment", publishes="counts")
    assert "only numbers are ever public" in page(client, "/reports/")


def test_rows_say_when_they_became_public_and_when_it_happened() -> None:
    from datetime import date

    from commonbeat.web.public.reports import days_text

    assert days_text(date(2026, 11, 21), date(2026, 11, 18), "en") == "Published Nov 21, 2026 · happened Nov 18, 2026"
    assert days_text(date(2026, 11, 21), None, "en") == "Published Nov 21, 2026"


def test_the_list_counts_exactly_where_the_map_does() -> None:
    from commonbeat.reports.queries import public

    assert public.COUNT_CAP >= 2_742


def test_the_language_is_remembered(client: Client) -> None:
    make.make_topic()
    response = client.post("/language/", {"language": "sq", "next": "/reports/?topic=x"})
    assert response.headers["Location"] == "/reports/?topic=x"
    assert '<html lang="sq"' in page(client, "/")
    assert (
        client.post("/language/", {"language": "sq", "next": "https://elsewhere.example/"}).headers["Location"] == "/"
    )
    client.post("/language/", {"language": "xx", "next": "/"})
    assert '<html lang="sq"' in page(client, "/")


def test_who_only_reads_gets_no_cookie_and_can_still_change_the_language() -> None:
    strict = Client(enforce_csrf_checks=True)
    for address in ("/", "/reports/", "/map/"):
        assert not strict.get(address).cookies
    assert strict.post("/language/", {"language": "sq", "next": "/reports/"}).status_code == 302
    assert 'lang="sq"' in page(strict, "/reports/")


def test_a_row_that_changed_is_written_anew_and_each_language_has_its_own(client: Client) -> None:
    row = make.make_publication(title="Before")
    assert "Before" in page(client, "/reports/")
    type(row).objects.filter(pk=row.pk).update(title="After", is_verified=True)
    written = page(client, "/reports/")
    assert "Before" not in written
    assert "After" in written
    assert "Verified" in written
    client.cookies["language"] = "sq"
    assert "badge-verified" in page(client, "/reports/")
    assert "Verified" not in page(client, "/reports/")


def test_a_neighbour_that_nothing_can_be_called_is_the_first_page(client: Client) -> None:
    make.make_publication(title="Newest")
    for odd in ("%00", "%F0%9F%98%80", "..", "a" * 200):
        assert "Newest" in page(client, f"/reports/?before={odd}")


def test_my_officer_is_found_by_place_and_nothing_of_it_is_kept(client: Client, officer: User) -> None:
    officer.display_name, officer.public_intro = "Officer Example", "Talk to me at the market."
    officer.save()
    make.make_beat(name="Old town", officers=[officer])
    make.make_place("Stone bridge")
    html = client.post("/officer/", {"place": "Stone bridge"}).content.decode()
    assert "Your beat: <bdi>Old town</bdi>" in html and "Talk to me at the market." in html
    assert "Your beat: <bdi>Old town</bdi>" in client.post("/officer/", {"place": "42.38, 20.43"}).content.decode()
    assert "none of our beats" in client.post("/officer/", {"place": "10.0, 10.0"}).content.decode()
    assert "do not know this place" in client.post("/officer/", {"place": "qqqq"}).content.decode()


def test_an_officer_without_an_introduction_is_not_shown(client: Client, officer: User) -> None:
    officer.display_name = "Shy Example"
    officer.save()
    make.make_beat(officers=[officer])
    assert "Shy Example" not in page(client, "/officer/") and "Shy Example" not in page(client, "/")


def test_places_are_suggested_by_post_only(client: Client) -> None:
    make.make_place("Stone bridge")
    assert client.get("/places/?text=Stone").status_code == 405
    body = client.post("/places/", {"text": "stone brid"}).json()
    assert body["places"][0]["name"] == "Stone bridge"
    assert client.post("/places/", {"text": ""}).json() == {"places": []}


def test_the_worker_script_names_files_that_exist(client: Client) -> None:
    script = page(client, "/sw.js")
    assert "export " not in script and "SHELL" in script
    from django.contrib.staticfiles import finders

    for name in json.loads(script.split("const SHELL = ")[1].split(";\n")[0])[1:]:
        assert finders.find(name.removeprefix("/static/")), name


def test_the_words_that_can_be_texted_are_shown_in_the_language_of_the_page(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from html import unescape

    from commonbeat.intake.commands import Word, parse_command
    from commonbeat.intake.officer_words import officer_in

    environment = engines["jinja2"].env
    options = dataclasses.replace(settings.COMMONBEAT, sms_number="55155")
    monkeypatch.setitem(environment.globals, "options", options)
    wanted = [Word.STATUS, Word.YES, Word.ERASE, Word.STOP, Word.START, Word.HELP]
    for language, help_word in (("en", "HELP"), ("sq", "NDIHMË"), ("ar", "مساعدة")):
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        with translation.override(language):
            html = page(client, "/sms/")
        words = [unescape(re.sub("<.*?>", "", each)) for each in re.findall(r'<dt translate="no">(.*?)</dt>', html)]
        commands = [parse_command(word, ("en", "sq", "ar")) for word in words]
        assert [command.word for command in commands if command] == wanted
        assert words[-1] == help_word
        assert any(officer_in(word) for word in words)


@pytest.mark.parametrize(("language", "joined"), [("en", "A, B, and C"), ("sq", "A, B dhe C"), ("ar", "A وB وC")])
def test_a_list_is_joined_as_the_language_does_it(language: str, joined: str) -> None:
    from commonbeat.web.jinja import environment

    with translation.override(language):
        assert environment().from_string("{{ ['A', 'B', 'C']|join_list }}{{ []|join_list }}").render() == joined


def test_what_people_write_is_escaped_in_rows(client: Client) -> None:
    make.make_publication(title="<b>dark</b>", text='"quoted" & <i>long</i>', place_name="<u>bridge</u>")
    for address in ("/reports/", "/map/", "/"):
        html = client.get(address).content.decode()
        assert "&lt;b&gt;dark" in html and "&lt;i&gt;long" in html and "&lt;u&gt;bridge" in html
        assert not any(tag in html for tag in ("<b>dark", "<i>long", "<u>bridge"))
