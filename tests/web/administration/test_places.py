"""The page of the gazetteer: finding, adding, naming, judging what was learned; each change in the journal."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commonbeat.journal.models import Entry
from commonbeat.people.models import User
from commonbeat.places.actions import PlaceRow, hear_spelling, load_places
from commonbeat.places.gazetteer import find_places, known_names
from commonbeat.places.models import Place, PlaceName, RefusedSpelling
from tests.make import NOW, make_place

LIST, NEW = "administration:places", "administration:place_new"


def address_of(place: Place) -> str:
    return reverse("administration:place_edit", kwargs={"pk": place.pk})


def kinds() -> list[str]:
    return list(Entry.objects.order_by("id").values_list("kind", flat=True))


def form(**changes: Any) -> dict[str, Any]:
    return {
        "name_en": "Old mill",
        "name_ar": "الطاحونة",
        "kind": "",
        "typed": "42.3801, 20.4301",
        "do": "save",
        **changes,
    }


def learned(place: Place, text: str = "big tree") -> PlaceName:
    for person in ("a", "b", "c"):
        hear_spelling(place_id=place.pk, text=text, person=person, now=NOW)
    return PlaceName.objects.get(place=place, source="learned")


def test_a_place_is_added_by_coordinates_and_found(administrator_client: Client) -> None:
    answer = administrator_client.post(reverse(NEW), form())
    place = Place.objects.get()
    assert answer.status_code == 302 and answer.headers["Location"] == address_of(place)
    assert (place.latitude, place.longitude) == (42.3801, 20.4301)
    assert find_places("الطاحونة", language="en")[0].label == "Old mill"
    assert kinds() == ["places.place_added"]
    page = administrator_client.get(reverse(LIST), {"q": "old mil"}).content.decode()
    assert "Old mill" in page and "1 place is like" in page


def test_a_pin_is_taken_and_what_is_typed_anew_counts_more(administrator_client: Client) -> None:
    pin = {"latitude": "42.5", "longitude": "20.5"}
    administrator_client.post(reverse(NEW), form(typed="", **pin))
    place = Place.objects.get()
    assert (place.latitude, place.longitude) == (42.5, 20.5)
    before = {"typed_before": "42.500000, 20.500000"}
    administrator_client.post(
        address_of(place), form(typed="42.500000, 20.500000", latitude="42.6", longitude="20.5", **before)
    )
    place.refresh_from_db()
    assert place.latitude == 42.6
    administrator_client.post(address_of(place), form(typed="42.7, 20.5", latitude="42.6", longitude="20.5", **before))
    place.refresh_from_db()
    assert place.latitude == 42.7


def test_what_is_missing_is_told_and_what_was_typed_stays(administrator_client: Client) -> None:
    for changes, told in (
        ({"name_en": "", "name_ar": ""}, "Give the place a name"),
        ({"name_en": "4521"}, "Write the name with letters"),
        ({"typed": "behind the school"}, "Put the pin on the map"),
        ({"typed": "99.0, 20.0"}, "Put the pin on the map"),
    ):
        answer = administrator_client.post(reverse(NEW), form(**changes))
        assert answer.status_code == 422 and told in answer.content.decode()
        assert "الطاحونة" in answer.content.decode() or "name_ar" in changes
    assert not Place.objects.exists() and not kinds()


def test_names_are_added_and_removed_and_an_import_does_not_bring_them_back(administrator_client: Client) -> None:
    row = PlaceRow({"en": "Old bridge"}, 42.2, 20.7, spellings=["Grey bridge"], key="places:1")
    load_places([row], NOW)
    place = Place.objects.get()
    administrator_client.post(address_of(place), {"do": "add", "name": "Te ura e gurit"})
    assert find_places("te ura e gurit", language="en")[0].exact
    again = administrator_client.post(address_of(place), {"do": "add", "name": "TE URA E GURIT"})
    assert again.status_code == 422 and b"has this name already" in again.content
    grey = PlaceName.objects.get(folded="grey bridge")
    administrator_client.post(address_of(place), {"do": f"drop:{grey.pk}"})
    load_places([row], NOW)
    assert not any(match.exact for match in find_places("grey bridge", language="en"))
    own = PlaceName.objects.get(folded="old bridge")
    refused = administrator_client.post(address_of(place), {"do": f"drop:{own.pk}"})
    assert refused.status_code == 422 and PlaceName.objects.filter(pk=own.pk).exists()
    assert kinds() == ["places.loaded", "places.name_added", "places.name_removed"]


def test_a_learned_spelling_is_judged(administrator_client: Client) -> None:
    mill, bridge = make_place("Old mill"), make_place("Old bridge")
    right, wrong = learned(mill, "big tree"), learned(bridge, "arben krasniqi")
    page = administrator_client.get(reverse(LIST)).content.decode()
    assert "big tree" in page and "arben krasniqi" in page
    assert "big tree" not in known_names(), "what nobody has judged excuses no name from screening"
    administrator_client.post(reverse(LIST), {"do": f"right:{right.pk}", "place": mill.pk})
    administrator_client.post(address_of(bridge), {"do": f"wrong:{wrong.pk}"})
    assert find_places("big tree", language="en")[0].label == "Old mill" and "big tree" in known_names()
    assert find_places("arben krasniqi", language="en") == []
    assert RefusedSpelling.objects.get().folded == "arben krasniqi"
    assert not hear_spelling(place_id=bridge.pk, text="arben krasniqi", person="d", now=NOW)
    assert kinds()[-2:] == ["places.spelling_right", "places.spelling_wrong"]
    page = administrator_client.get(reverse(LIST)).content.decode()
    assert "big tree" not in page and "Learned spellings" not in page


def test_a_place_is_removed_only_by_whoever_is_sure(administrator_client: Client) -> None:
    place = make_place("Old mill")
    assert administrator_client.post(address_of(place), {"do": "remove"}).status_code == 422
    assert administrator_client.post(address_of(place), {"do": "remove", "sure": "on"}).status_code == 302
    assert not Place.objects.exists() and find_places("old mill", language="en") == []
    assert kinds() == ["places.place_removed"]


def test_the_journal_tells_no_names(administrator_client: Client, administrator: User) -> None:
    administrator_client.post(reverse(NEW), form())
    place = Place.objects.get()
    administrator_client.post(address_of(place), {"do": "add", "name": "Big tree"})
    for entry in Entry.objects.all():
        assert (entry.subject_id, entry.actor_id, entry.data) == (place.pk, administrator.pk, {})


def test_odd_input_is_no_crash(administrator_client: Client) -> None:
    place = make_place("Old mill")
    for do in ("", "explode", "drop:x", "drop:" + "9" * 400, "right:1", "add", "save"):
        assert administrator_client.post(address_of(place), {"do": do, "name": "\x00"}).status_code in (302, 422), do
    for query in ({"q": "\x00"}, {"q": "x" * 5_000}, {"before": "x"}, {"before": "9" * 30}):
        assert administrator_client.get(reverse(LIST), query).status_code == 200
    assert administrator_client.get(reverse("administration:place_edit", kwargs={"pk": 10**9})).status_code == 404


def test_the_list_takes_the_same_queries_whatever_the_number(administrator_client: Client) -> None:
    asked: list[int] = []
    for times in (1, 60):
        for number in range(times):
            make_place(f"Place {times} {number}")
        learned(Place.objects.order_by("-pk")[0])
        find_places("names are read anew where some were removed", language="en")
        for query in ({}, {"q": "place"}):
            with CaptureQueriesContext(connection) as queries:
                page = administrator_client.get(reverse(LIST), query).content.decode()
            asked.append(len(queries))
            assert ("More places" in page) is (times > 1 and not query)
    assert asked[:2] == asked[2:]
