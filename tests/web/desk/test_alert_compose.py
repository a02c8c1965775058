"""Write an alert at the desk: each step saves, nothing typed is lost, and bad input is answered with a sentence."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commonbeat.alerts.models import Alert, AlertState, Status
from commonbeat.foundation import clock
from tests import make
from tests.alerts.going_out import subscriber
from tests.web.desk.alert_walk import SQUARE, WORD_FIELDS, address, draft, out, seen_on, step, urgent

pytestmark = pytest.mark.django_db
NEW = "/desk/alerts/new/"


def test_from_nothing_to_a_draft_in_the_words_of_the_house(officer_client: Client, officer) -> None:
    make.make_beat(name="Old town", unit=officer.unit)
    page = officer_client.get(NEW)
    assert 'href="/desk/alerts/new/?kind=missing_child"' in page.content.decode()
    beat = make.make_beat(name="River", unit=officer.unit, latitude=make.LATITUDE + 0.2)
    answer = officer_client.post(f"{NEW}?kind=water", {"beats": [beat.pk], "go": "next"})
    alert = Alert.objects.get()
    assert answer["Location"] == step(alert, "text")
    assert (alert.state, alert.author, alert.unit, alert.kind) == (AlertState.DRAFT, officer, officer.unit, "water")
    assert (alert.urgency, alert.severity) == ("Expected", "Moderate")
    assert alert.area_parts["beats"] == [beat.pk]
    english = alert.texts.get(language="en")
    assert english.headline == "Do not drink the tap water: River"
    assert english.area_desc == "River"
    assert "{since}" in english.description
    assert {text.language for text in alert.texts.all()} == {"en", "sq", "ar"}
    hours = (alert.expires_at - clock.now()) / timedelta(hours=1)
    assert 23.9 < hours < 24.5


def test_a_place_of_the_gazetteer_and_a_radius(officer_client: Client) -> None:
    make.make_place("Old bridge")
    answer = officer_client.post(f"{NEW}?kind=danger", {"place": "Old bridge", "radius": "1,5", "unit": "km"})
    assert answer.status_code == 302
    alert = Alert.objects.get()
    assert alert.area_parts["circles"] == [[make.LATITUDE, make.LONGITUDE, 1500]]
    assert "Danger at Old bridge" in alert.texts.get(language="en").headline
    page = officer_client.get(step(alert, "where")).content.decode()
    assert "1.5 km around Old bridge" in page
    # Another is added without going on, and nothing is stored yet.
    more = {"circle": f"{make.LATITUDE},{make.LONGITUDE},1500", "place": "42.5, 20.5", "radius": "200", "unit": "m"}
    page = officer_client.post(step(alert, "where"), {**more, "go": "add"}).content.decode()
    assert "200 m around 42.50000, 20.50000" in page
    alert.refresh_from_db()
    assert len(alert.area_parts["circles"]) == 1


def test_of_several_places_one_is_chosen(officer_client: Client) -> None:
    make.make_place("Church", latitude=make.LATITUDE)
    other = make.make_place("Church", latitude=make.LATITUDE + 0.1)
    data = {"place": "Church", "radius": "300", "unit": "m", "go": "next"}
    page = officer_client.post(f"{NEW}?kind=danger", data)
    assert page.status_code == 422
    assert "Several places may be meant" in page.content.decode()
    assert f'name="match" value="{other.pk}"' in page.content.decode()
    officer_client.post(f"{NEW}?kind=danger", {**data, "match": other.pk})
    assert Alert.objects.get().area_parts["circles"] == [[round(other.latitude, 6), other.longitude, 300]]


def test_gaps_are_filled_once_and_copied_where_asked(officer_client: Client) -> None:
    officer_client.post(f"{NEW}?kind=water", {"shapes": SQUARE})
    alert = Alert.objects.get()
    data = {f"{name}_{text.language}": getattr(text, name) for text in alert.texts.all()
            for name in ("headline", "description", "instruction", "area_desc")}  # fmt: skip
    data |= {"area_desc_en": "Old town", "area_desc_sq": "Qyteti i vjetër", "out_ar": "on"}
    data |= {"gap_en_place": "the old town", "gap_en_since": "noon", "gap_en_what": "a pipe {broke}"}
    page = officer_client.post(step(alert, "text"), {**data, "gap_sq_place": "qytet", "go": "next"})
    # Albanian still has gaps, and the page says which; what was typed is stored.
    assert page.status_code == 422
    assert "still has the gap {since}" in page.content.decode()
    english, albanian = alert.texts.get(language="en"), alert.texts.get(language="sq")
    assert english.description == "The tap water in the old town may not be clean since noon: a pipe (broke)."
    assert albanian.headline == "Mos pini ujë nga rubineti: qytet"
    assert not alert.texts.filter(language="ar").exists()
    data |= {"description_sq": albanian.description, "headline_sq": albanian.headline, "same_sq": "on"}
    answer = officer_client.post(step(alert, "text"), {**data, "go": "next"})
    assert answer["Location"] == step(alert, "how")
    assert "noon" in alert.texts.get(language="sq").description


def test_how_pressing_until_when_and_whether_it_is_real(officer_client: Client, officer) -> None:
    alert = draft(officer)
    page = officer_client.get(step(alert, "how")).content.decode()
    assert "People must act soon" in page
    until = timezone.localtime(clock.now() + timedelta(hours=5)).replace(second=0, microsecond=0)
    values = {"urgency": "Future", "severity": "Minor", "certainty": "Possible", "status": "Test", "to_partners": "on"}
    answer = officer_client.post(step(alert, "how"), {**values, "until": f"{until:%Y-%m-%dT%H:%M}", "lasts": ""})
    assert answer["Location"] == address("alert", alert)
    alert.refresh_from_db()
    assert (alert.urgency, alert.severity, alert.certainty) == ("Future", "Minor", "Possible")
    assert (alert.status, alert.to_partners, alert.expires_at) == (Status.TEST, True, until)
    officer_client.post(step(alert, "how"), {**values, "lasts": "3"})
    alert.refresh_from_db()
    assert timedelta(hours=2, minutes=58) < alert.expires_at - clock.now() <= timedelta(hours=3)


def test_the_counter_counts_what_would_be_sent(officer_client: Client, officer) -> None:
    alert = draft(officer)
    measured = address("alert_measure", alert)
    short = officer_client.post(measured, {**WORD_FIELDS, "measure": "en"}).content.decode()
    assert "parts by SMS" in short or "1 part by SMS" in short
    arabic = officer_client.post(measured, {**WORD_FIELDS, "measure": "ar"}).content.decode()
    assert "each part shorter" in arabic
    long = officer_client.post(measured, {**WORD_FIELDS, "description_en": "word " * 300, "measure": "en"})
    assert "shortened by SMS" in long.content.decode()
    assert officer_client.post(measured, {"measure": "xx"}).status_code == 404


def test_two_who_write_at_once_are_told(officer_client: Client, second_officer_client: Client, officer) -> None:
    alert = draft(officer)
    mine = seen_on(officer_client.get(step(alert, "text")))
    theirs = seen_on(second_officer_client.get(step(alert, "text")))
    data = {**WORD_FIELDS, "headline_en": "Theirs", "go": "save"}
    assert second_officer_client.post(step(alert, "text"), {**data, "seen": theirs}).status_code == 200
    page = officer_client.post(step(alert, "text"), {**WORD_FIELDS, "headline_en": "Mine", "seen": mine})
    text = page.content.decode()
    assert page.status_code == 409
    assert "second-officer has changed this draft meanwhile" in text
    # Both are on the page, and only one is stored.
    assert 'value="Mine"' in text
    assert "Theirs" in text
    assert alert.texts.get(language="en").headline == "Theirs"
    # Sent once more, by whoever has read that, it goes over the other.
    again = officer_client.post(step(alert, "text"), {**WORD_FIELDS, "headline_en": "Mine", "seen": seen_on(page)})
    assert again.status_code == 302
    assert alert.texts.get(language="en").headline == "Mine"


def test_two_who_draw_at_once_are_told(officer_client: Client, second_officer, officer) -> None:
    alert = draft(officer)
    mine = seen_on(officer_client.get(step(alert, "where")))
    make.signed_in(second_officer).post(step(alert, "how"), {
        "urgency": "Future", "severity": "Minor", "certainty": "Likely", "status": "Actual", "lasts": "3"})  # fmt: skip
    page = officer_client.post(step(alert, "where"), {"shapes": SQUARE, "seen": mine})
    assert page.status_code == 409
    assert "has changed this draft meanwhile" in page.content.decode()


def test_the_area_is_shown_before_it_is_saved(officer_client: Client) -> None:
    now = clock.now()
    for _ in range(7):
        subscriber(now=now)
    whole = officer_client.post(f"{NEW}?kind=water", {"shapes": SQUARE, "go": "look"}, headers={"HX-Request": "true"})
    text = whole.content.decode()
    assert "<html" not in text
    assert "about 5 people" in text
    assert "km²" in text
    assert not Alert.objects.exists()
    wrong = officer_client.post(f"{NEW}?kind=water", {"shapes": "{", "go": "look"}, headers={"HX-Request": "true"})
    assert "This is not GeoJSON" in wrong.content.decode()


def test_few_people_are_not_counted_for_the_drawer(officer_client: Client) -> None:
    subscriber(now=clock.now())
    page = officer_client.post(f"{NEW}?kind=water", {"shapes": SQUARE, "go": "look"}).content.decode()
    assert "fewer than 5 people" in page


def test_an_outline_that_crosses_itself_is_mended_and_shown(officer_client: Client) -> None:
    bow = {"type": "Polygon", "coordinates": [[[20, 42], [20.1, 42.1], [20.1, 42], [20, 42.1], [20, 42]]]}
    page = officer_client.post(f"{NEW}?kind=water", {"shapes": json.dumps(bow), "go": "look"}).content.decode()
    assert "crossed itself" in page
    page = officer_client.post(f"{NEW}?kind=water", {"shapes": json.dumps(bow)}, follow=True).content.decode()
    assert "was mended" in page


def test_a_continent_asks_twice(officer_client: Client) -> None:
    europe = json.dumps({"type": "Polygon", "coordinates": [[[-10, 36], [30, 36], [30, 60], [-10, 60], [-10, 36]]]})
    page = officer_client.post(f"{NEW}?kind=water", {"shapes": europe})
    assert page.status_code == 422
    assert 'name="large"' in page.content.decode()
    assert "If you mean all of it" in page.content.decode()
    assert officer_client.post(f"{NEW}?kind=water", {"shapes": europe, "large": "on"}).status_code == 302
    alert = Alert.objects.get()
    # Said once; the other steps do not ask again, and the last one names it.
    assert officer_client.post(step(alert, "text"), {**WORD_FIELDS}).status_code == 302
    assert "a country or more" in officer_client.get(address("alert", alert)).content.decode()


BAD_PLACES = [
    ({}, "Draw an area, or choose a beat."),
    ({"shapes": "[]"}, "no polygon"),
    ({"shapes": '{"type": "Polygon", "coordinates": []}'}, "no polygon"),
    ({"shapes": '{"type": "Point", "coordinates": [20, 42]}'}, "no polygon"),
    ({"shapes": '{"type": "Polygon", "coordinates": [[[NaN, 42], [20, 42], [20, 43]]]}'}, "longitude, latitude"),
    ({"shapes": '{"type": "Polygon", "coordinates": [[[1e999, 42], [20, 42], [20, 43]]]}'}, "longitude, latitude"),
    ({"shapes": '{"type": "Polygon", "coordinates": [[[20, "42"], [20, 42], [20, 43]]]}'}, "longitude, latitude"),
    ({"shapes": f'{{"type": "Polygon", "coordinates": [[[{"9" * 400}, 42], [20, 42], [20, 43]]]}}'}, "longitude"),
    ({"shapes": '{"type": "Polygon", "coordinates": [[[20, 42], [20, 42], [20, 42]]]}'}, "area"),
    ({"shapes": '{"type": "Polygon", "coordinates": [[20, 42]]}'}, "outline"),
    ({"shapes": '{"type": "Polygon", "coordinates": [[[20, 89], [21, 89], [21, 88]]]}'}, "off the map"),
    ({"shapes": "[" * 100_000}, "not GeoJSON"),
    ({"shapes": "x" * 200_001}, "too large"),
    ({"shapes": "\0"}, "Draw an area"),
    ({"place": "Atlantis of the north", "radius": "500"}, "knows no place"),
    ({"place": "42.5, 20.5", "radius": "nan"}, "The radius is"),
    ({"place": "42.5, 20.5", "radius": "1e400"}, "The radius is"),
    ({"place": "42.5, 20.5", "radius": "-3", "unit": "km"}, "The radius is"),
    ({"place": "42.5, 20.5", "radius": "900", "unit": "km"}, "The radius is"),
    ({"circle": "nan,20,500"}, "circle"),
    ({"circle": "1,2"}, "circle"),
    ({"circle": "95,20,500"}, "off the map"),
    ({"beats": "999999"}, "no longer there"),
    ({"beats": "x"}, "Draw an area"),
]


@pytest.mark.parametrize(("data", "said"), BAD_PLACES)
def test_bad_places_are_answered_with_a_sentence(data: dict[str, str], said: str, officer_client: Client) -> None:
    page = officer_client.post(f"{NEW}?kind=water", data)
    assert page.status_code == 422
    assert said in page.content.decode()
    assert not Alert.objects.exists()


BAD_WORDS = [
    ({"headline_en": "x" * 161}, "longer than 160 characters"),
    ({"headline_en": "x" * 100_000}, "longer than 160 characters"),
    ({"description_sq": "x" * 100_000}, "longer than 2,000 characters"),
    ({"description_en": WORD_FIELDS["headline_en"]}, "says more than the headline"),
    ({"headline_en": ""}, "is empty"),
    ({"headline_en": "\0\0"}, "is empty"),
    ({"headline_en": "", "description_en": "", "instruction_en": "", "area_desc_en": ""}, "is empty"),
    ({"description_ar": "{what}"}, "still has the gap {what}"),
]


@pytest.mark.parametrize(("data", "said"), BAD_WORDS)
def test_bad_words_are_answered_with_a_sentence(
    data: dict[str, str], said: str, officer_client: Client, officer
) -> None:
    alert = draft(officer)
    page = officer_client.post(step(alert, "text"), {**WORD_FIELDS, **data})
    assert page.status_code == 422
    assert said in page.content.decode()


def test_only_languages_of_the_site_are_stored(officer_client: Client, officer) -> None:
    alert = draft(officer)
    more = {f"headline_x{n}": "Something" for n in range(21)}
    assert officer_client.post(step(alert, "text"), {**WORD_FIELDS, **more}).status_code == 302
    assert {text.language for text in alert.texts.all()} == {"en", "sq", "ar"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lasts": "", "until": "2001-01-01T00:00"}, "The end lies in the past"),
        ({"lasts": "", "until": "2199-01-01T00:00"}, "30 days at most"),
        ({"lasts": "", "until": "soon"}, "Write the end as a day"),
        ({"lasts": "", "until": "9999-12-31T23:59"}, "30 days at most"),
        ({"lasts": "", "until": "0001-01-01T00:00"}, "The end lies in the past"),
        ({"lasts": "99", "until": ""}, "Write the end as a day"),
        ({"urgency": "Whenever"}, "Choose one of the list"),
        ({"status": "System"}, "Choose one of the list"),
        ({"severity": ""}, "Choose one of the list"),
    ],
)
def test_bad_ends_and_levels(changes: dict[str, str], said: str, officer_client: Client, officer) -> None:
    alert = draft(officer)
    good = {"urgency": "Expected", "severity": "Minor", "certainty": "Likely", "status": "Actual", "lasts": "6"}
    page = officer_client.post(step(alert, "how"), {**good, **changes})
    assert page.status_code == 422
    assert said in page.content.decode()
    alert.refresh_from_db()
    assert alert.severity == "Moderate"


def test_a_draft_that_time_has_overtaken_can_still_be_written(officer_client: Client, officer) -> None:
    alert = draft(officer)
    Alert.objects.filter(pk=alert.pk).update(expires_at=clock.now() - timedelta(hours=3))
    assert "Its end has passed" in officer_client.get(address("alert", alert)).content.decode()
    assert officer_client.post(step(alert, "text"), {**WORD_FIELDS}).status_code == 302
    alert.refresh_from_db()
    assert alert.expires_at > clock.now() + timedelta(hours=20)


def test_what_is_out_is_composed_no_more(officer_client: Client, officer) -> None:
    alert = out(officer)
    for name in ("where", "text", "how"):
        assert officer_client.get(step(alert, name))["Location"] == address("alert", alert)
        assert officer_client.post(step(alert, name), {**WORD_FIELDS, "shapes": SQUARE}).status_code == 302
    assert alert.texts.get(language="en").headline == WORD_FIELDS["headline_en"]


def test_a_kind_that_is_none_shows_the_kinds(officer_client: Client) -> None:
    assert officer_client.get(f"{NEW}?kind=ufo").status_code == 404
    assert officer_client.get(reverse("desk:alert", kwargs={"alert_id": 10**18 * 9})).status_code == 404
    assert officer_client.get("/desk/alerts/99999999999999999999/").status_code == 404


def test_the_last_step_names_what_is_odd(officer_client: Client, officer) -> None:
    first = out(officer)
    alert = draft(
        officer, texts={"en": draft.__globals__["WORDS"]["en"]}, expires_at=clock.now() + timedelta(minutes=10)
    )
    for _ in range(6):
        subscriber(language="sq", now=clock.now())
    page = officer_client.get(address("alert", alert)).content.decode()
    assert "It ends in 10 min" in page
    assert "Subscribers read Shqip" in page
    assert "An alert of this kind is out for the same ground" in page
    assert f'href="{address("alert_follow", first, verb="update")}"' in page
    far = urgent(officer, expires_at=clock.now() + timedelta(days=20))
    assert "People stop looking" in officer_client.get(address("alert", far)).content.decode()


def test_the_last_step_shows_every_rendering(officer_client: Client, officer) -> None:
    for language in ("en", "en", "en", "en", "en", "sq"):
        subscriber(language=language, now=clock.now())
    alert = draft(officer, status="Exercise")
    page = officer_client.get(address("alert", alert)).content.decode()
    assert "EXERCISE: Water cut in the old town" in page
    assert "ends these messages." in page
    assert "&lt;alert xmlns=" in page
    assert "urn:oasis:names:tc:emergency:cap:1.2" in page
    assert "about 5 people" in page
    # One who reads Albanian is not counted.
    assert "fewer than 5" in page


def test_a_draft_is_thrown_away(officer_client: Client, officer) -> None:
    alert = draft(officer)
    assert officer_client.post(address("alert_act", alert, verb="discard"))["Location"] == "/desk/alerts/"
    page = officer_client.get(address("alert", alert)).content.decode()
    assert "thrown away" in page
    assert "Release it now" not in page
    assert officer_client.post(address("alert_act", alert, verb="release")).status_code == 409
