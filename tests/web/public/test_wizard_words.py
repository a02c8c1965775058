"""The words of the report form: its language, its questions, and what the browser may keep of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from commonbeat.topics.definition import Publishes
from tests import make
from tests.web.public.test_wizard import WORDS, picture, topic, walk
from tests.web.public.walker import Walker

__all__ = ["topic", "walk"]
pytestmark = pytest.mark.django_db


def test_the_language_changes_in_mid_report_and_everything_is_kept(walk: Callable[..., Walker]) -> None:
    walker = walk("photos")
    response = walker.send(
        go="",
        language="sq",
        photos=SimpleUploadedFile("a.jpg", picture(), "image/jpeg"),
        address="/report/street-light/",
    )
    assert response.status_code == 200 and walker.step == "photos"
    assert '<html lang="sq"' in walker.text and response.headers["Content-Language"] == "sq"
    assert response.cookies[settings.LANGUAGE_COOKIE_NAME].value == "sq"
    assert ("text", WORDS) in walker.form.fields and dict(walker.form.fields)["photo"]
    # The control of the page belongs to the form, so that it works without scripts.
    assert 'form="report-form" formaction="/report/street-light/" name="language" value="ar"' in walker.text
    walker.send()
    assert walker.step == "contact" and '<html lang="sq"' in walker.text


def test_another_language_asks_for_nothing_that_is_missing(walk: Callable[..., Walker]) -> None:
    walker = walk("questions")
    walker.send(go="", language="ar", q_lamps="many")
    assert walker.response.status_code == 200 and walker.step == "questions" and 'value="many"' in walker.text


def test_the_summary_of_errors_names_the_question(walk: Callable[..., Walker]) -> None:
    walker = walk("questions")
    walker.send(q_lamps="many")
    assert '<a href="#id_q_wires">Are wires hanging down? Choose an answer.</a>' in walker.text
    assert '<a href="#id_q_lamps">How many lamps? Enter a number' in walker.text


def test_a_place_in_a_sentence_is_offered(walk: Callable[..., Walker]) -> None:
    bridge = make.make_place("Old bridge", latitude=42.3, longitude=20.4)
    walker = walk("where")
    walker.send(place_text="near the old brige where the children of our street always play")
    assert walker.step == "where" and "We do not know a place" not in walker.text
    assert f'name="match" value="{bridge.pk}" checked' in walker.text
    walker.send(match=str(bridge.pk))
    assert walker.step == "photos" and dict(walker.form.fields)["latitude"] == "42.3"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"public_resolution": 11}, "a spot about 50 metres across"),
        ({"public_resolution": 9}, "a spot about 350 metres across"),
        ({"publishes": Publishes.COUNTS, "smallest_count": 5}, "only numbers of 5 and more"),
    ],
)
def test_the_place_step_says_what_the_public_learns(client: Client, rules: dict[str, Any], said: str) -> None:
    make.fallback()
    make.make_topic("other", categories=[], **rules)
    walker = Walker(client, "/report/other/")
    walker.send(text="Something odd")
    assert walker.step == "where" and said in walker.text


def test_a_topic_asks_in_its_own_words(client: Client) -> None:
    make.fallback()
    make.make_topic("audit", categories=[], questions={"what": {"en": "What do you notice?"}})
    walker = Walker(client, "/report/audit/")
    assert "What do you notice?" in walker.text and "What happened?" not in walker.text.partition("<main")[2]


def test_steps_are_kept_for_going_back_until_the_report_is_sent(walk: Callable[..., Walker]) -> None:
    walker = walk("check")
    assert walker.response.headers["Cache-Control"] == "private, no-cache"
    walker.send(go="", address="/report/done/")
    assert walker.response.headers["Clear-Site-Data"] == '"cache"'
    assert walker.response.headers["Cache-Control"] == "no-store"


def test_leaving_forgets_what_the_browser_kept(client: Client) -> None:
    for response, status in ((client.get("/exit/"), 302), (client.post("/exit/"), 204)):
        assert response.status_code == status and response.headers["Clear-Site-Data"] == '"cache"'
    assert client.get("/exit/").headers["Location"] == settings.COMMONBEAT.exit_url
