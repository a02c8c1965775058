"""Alerts for everybody: the list, one alert from its first message to its end, and what of it is never shown."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import translation

from commonbeat.alerts.models import Alert, Sighting
from commonbeat.foundation import clock
from tests import make
from tests.alerts.rows import alert_row, follow_up

NOW = make.NOW
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def moment(monkeypatch) -> list[datetime]:
    held = [NOW + timedelta(minutes=1)]
    monkeypatch.setattr(clock, "now", lambda: held[0])
    return held


def page(path: str = "/alerts/", client: Client | None = None, status: int = 200, language: str = "en") -> str:
    answer = (client or Client()).get(path, headers={"Accept-Language": language})
    assert answer.status_code == status
    return answer.content.decode()


def texts(headline: str) -> dict[str, tuple[str, str]]:
    return {"en": (headline, f"About {headline}")}


def test_nothing_stands() -> None:
    said = page()
    assert "No alert stands now" in said
    assert "Ended lately" not in said
    assert 'href="/alerts/feed.atom"' in said
    assert 'href="/alerts/feed.rss"' in said


def test_the_worst_comes_first_and_then_the_newest() -> None:
    for headline, severity in (("older", "Severe"), ("small", "Minor"), ("newer", "Severe"), ("worst", "Extreme")):
        alert_row(severity=severity, texts=texts(headline))
    said = page()
    places = [said.index(f">{headline}<") for headline in ("worst", "newer", "older", "small")]
    assert places == sorted(places)


def test_what_ended_lately_is_listed_with_how_it_ended(moment) -> None:
    alert_row(texts=texts("the child"), ended_at=NOW, outcome="found_safe")
    alert_row(texts=texts("by time"), now=NOW - timedelta(days=1), hours=2)
    alert_row(texts=texts("long ago"), now=NOW - timedelta(days=60), hours=2)
    said = page()
    assert "No alert stands now" in said
    assert said.index("by time") > said.index("the child")
    assert "Found, and safe." in said
    assert "Its time ran out." in said
    assert "long ago" not in said


def test_what_expires_leaves_the_list_by_itself(moment) -> None:
    alert_row(texts=texts("flood"), hours=1)
    assert "No alert stands now" not in page()
    moment[0] = NOW + timedelta(hours=2)
    assert "No alert stands now" in page()


def test_a_kind_narrows_the_list() -> None:
    alert_row(kind="water", texts=texts("taps"))
    alert_row(kind="road", texts=texts("bridge"))
    said = page("/alerts/?kind=road")
    assert "bridge" in said
    assert "taps" not in said
    page("/alerts/?kind=nothing", status=404)


def test_a_draft_is_seen_by_nobody_here(outsider_client, officer_client, supervisor_client) -> None:
    drafts = [alert_row(state=state, texts=texts("secret draft")) for state in ("draft", "waiting", "discarded")]
    out = alert_row(texts=texts("out"))
    waits = follow_up(out, now=NOW, state="waiting", texts=texts("secret draft"))
    for client in (Client(), outsider_client, officer_client, supervisor_client):
        assert "secret draft" not in page(client=client)
        assert "secret draft" not in page(f"/alerts/{out.pk}/", client=client)
        for one in (*drafts, waits):
            page(f"/alerts/{one.pk}/", client=client, status=404)
            page(f"/a/{one.pk}", client=client, status=404)
            page(f"/alerts/{one.pk}/area.geojson", client=client, status=404)
        assert "secret draft" not in page("/alerts/areas.geojson", client=client)


def test_the_page_says_what_where_what_to_do_and_until_when() -> None:
    alert = alert_row(severity="Severe", place="Lower quarter")
    said = page(f"/alerts/{alert.pk}/")
    for part in ("Do not drink the water", "It smells of oil.", "Boil it first.", "Lower quarter", "Until ", "Severe"):
        assert part in said
    assert f'data-src="/alerts/{alert.pk}/area.geojson"' in said
    assert f"/a/{alert.pk}" in said
    assert "<script>" not in said


def test_the_map_of_an_alert_is_told_where_its_area_is() -> None:
    alert = alert_row()
    collection = json.loads(page(f"/alerts/{alert.pk}/area.geojson"))
    assert collection["bbox"] == [alert.west, alert.south, alert.east, alert.north]


def test_a_chain_is_told_with_its_times_and_its_end() -> None:
    root = alert_row(texts=texts("oil in the water"))
    follow_up(root, now=NOW + timedelta(seconds=20), texts=texts("boil it longer"))
    end = follow_up(root, now=NOW + timedelta(seconds=40), msg_type="Cancel", texts=texts("water is clean again"))
    Alert.objects.filter(pk=root.pk).update(ended_at=NOW + timedelta(seconds=40), outcome="solved")
    said = page(f"/alerts/{root.pk}/")
    assert "This alert has ended" in said
    assert "It is solved." in said
    assert "About water is clean again" in said
    # The page is about what happened, not about its end.
    assert ">boil it longer</h1>" in said
    steps = said[said.index('class="timeline"') :]
    places = [steps.index(part) for part in ("oil in the water", "boil it longer", "water is clean again")]
    assert places == sorted(places)
    assert "What to do" not in said
    assert Client().get(f"/alerts/{end.pk}/").headers["Location"] == f"/alerts/{root.pk}/"
    assert Client().get(f"/a/{end.pk}").headers["Location"] == f"/alerts/{root.pk}/"


def test_an_update_after_the_first_expiry_still_stands(moment) -> None:
    root = alert_row(hours=1, texts=texts("first words"))
    follow_up(root, now=NOW, hours=30, texts=texts("more time"))
    moment[0] = NOW + timedelta(hours=20)
    said = page()
    assert "more time" in said
    assert "No alert stands now" not in said
    assert "first words" in page(f"/alerts/{root.pk}/")


def test_a_test_is_marked_wherever_it_is_shown() -> None:
    alert = alert_row(status="Exercise", texts=texts("flood drill"))
    assert "TEST: flood drill" in page()
    said = page(f"/alerts/{alert.pk}/")
    assert "This is only a test" in said
    assert "<title>TEST: flood drill" in said
    assert "noindex" in said
    told = json.loads(page("/alerts/areas.geojson"))
    assert told["features"][0]["properties"]["title"] == "TEST: flood drill"
    # The first page does not frighten anybody with it.
    assert "flood drill" not in page("/")


def test_the_first_page_tells_what_stands() -> None:
    alert = alert_row(texts=texts("flood"))
    said = page("/")
    assert f'href="/alerts/{alert.pk}/"' in said
    Alert.objects.update(ended_at=NOW)
    assert f'href="/alerts/{alert.pk}/"' not in page("/")


@pytest.mark.parametrize(
    ("number", "said"), [(0, ""), (1, "Some people have helped."), (4, "Some people"), (5, "5 people have helped.")]
)
def test_helpers_are_counted_and_few_of_them_are_not_told(number: int, said: str) -> None:
    root = alert_row()
    update = follow_up(root, now=NOW)
    for at in range(number):
        report = make.make_report(now=NOW)
        Sighting.objects.create(alert=root if at % 2 else update, report_id=report.pk, created_at=NOW)
    shown = page(f"/alerts/{root.pk}/")
    assert said in shown
    assert ("have helped" in shown) == bool(number)
    assert "4 people" not in shown


def test_sightings_are_asked_for_where_they_help_and_while_it_stands() -> None:
    child = alert_row(kind="missing_child")
    water = alert_row(kind="water")
    assert f"/alerts/{child.pk}/saw/" in page(f"/alerts/{child.pk}/")
    assert f"/alerts/{water.pk}/saw/" not in page(f"/alerts/{water.pk}/")
    Alert.objects.filter(pk=child.pk).update(ended_at=NOW, outcome="found_safe")
    assert "/saw/" not in page(f"/alerts/{child.pk}/")


def test_it_speaks_the_readers_language_and_runs_the_readers_way() -> None:
    alert = alert_row()
    arabic = page(f"/alerts/{alert.pk}/", language="ar")
    assert 'dir="rtl"' in arabic
    assert "لا تشربوا الماء" in arabic
    assert "Mos pini ujin" in page(f"/alerts/{alert.pk}/", language="sq")


def test_words_in_another_language_say_which() -> None:
    alert = alert_row(texts={"sq": ("Mos pini ujin", "Uji nuk është i sigurt.")})
    said = page(f"/alerts/{alert.pk}/")
    assert '<h1 dir="auto" lang="sq">Mos pini ujin</h1>' in said
    assert '<p dir="auto" lang="sq">Mos pini ujin</p>' in said


def test_what_an_alert_says_is_text_and_no_markup() -> None:
    alert = alert_row(texts={"en": ("<b>bold</b>", "<script>x</script>")}, instruction='"><img>', place="<i>")
    for said in (page(), page(f"/alerts/{alert.pk}/"), page("/")):
        assert "<b>bold" not in said
        assert "<script>x" not in said
        assert "<img>" not in said


def test_a_page_that_others_name_is_linked_only_where_it_is_one() -> None:
    alert = alert_row(web="javascript:alert(1)")
    assert "javascript:" not in page(f"/alerts/{alert.pk}/")


def test_areas_are_geojson() -> None:
    alert = alert_row(severity="Extreme")
    alert_row(ended_at=NOW)
    (feature,) = json.loads(page("/alerts/areas.geojson"))["features"]
    assert feature["geometry"]["type"] == "Polygon"
    assert feature["properties"]["url"] == f"/alerts/{alert.pk}/"
    assert feature["properties"]["colour"] == "red"
    page("/alerts/areas.geojson?kind=x", status=404)


@pytest.mark.parametrize("path", ["/alerts/99999/", "/a/99999", "/alerts/99999999999999999999/", "/a/0"])
def test_an_alert_that_there_is_not(path: str) -> None:
    page(path, status=404)


def test_near_me_says_that_nothing_is_sent() -> None:
    said = page("/alerts/near/")
    assert "Where you are is sent to nobody" in said
    assert "near.js" in said


def test_the_number_of_queries_does_not_grow(django_assert_num_queries) -> None:
    def fill(number: int) -> Alert:
        root = alert_row()
        for _ in range(number):
            follow_up(alert_row(), now=NOW)
            alert_row(ended_at=NOW, outcome="over")
            follow_up(root, now=NOW)
        return root

    root = fill(1)
    with django_assert_num_queries(2):
        page()
    # The last of them asks whether any desk takes tips; a site asks that now and then only.
    with django_assert_num_queries(5):
        page(f"/alerts/{root.pk}/")
    root = fill(10)
    with django_assert_num_queries(2):
        page()
    with django_assert_num_queries(5):
        page(f"/alerts/{root.pk}/")


def test_every_word_that_is_shown_has_one(settings) -> None:
    from commonbeat.alerts.kinds import KINDS
    from commonbeat.alerts.rules import OUTCOMES
    from commonbeat.web.public import alert_words as words

    with translation.override("en"):
        assert len({words.outcome_sentence(outcome) for outcome in OUTCOMES}) == len(OUTCOMES)
        assert all(words.kind_name(code) and words.kind_icon(code) for code in KINDS)
