"""Accounts, beats and settings on their pages."""

from __future__ import annotations

import json
import re

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from commonbeat.config.options import Options
from commonbeat.journal.models import Entry
from commonbeat.people.models import Role, Unit, User
from commonbeat.places.models import Beat
from commonbeat.web.administration.settings import shown_settings
from tests.make import make_beat, make_user, signed_in, square


def link_in(page: bytes) -> str:
    """Give the path of the invitation that a page shows; empty when it shows none."""
    found = re.search(rb'value="[^"]*(/account/invitation/[\w-]{22}/)"', page)
    return found[1].decode() if found else ""


def test_an_account_is_made_with_a_link_and_no_password(administrator_client: Client, unit: Unit) -> None:
    address = reverse("administration:person_new")
    assert b'type="password"' not in administrator_client.get(address).content
    typed = {"username": "lena", "password": "seven green bottles", "role": "officer", "unit": str(unit.pk)}
    wrong = administrator_client.post(address, {**typed, "unit": "", "do": "create"})
    assert wrong.status_code == 422 and b"Choose the unit" in wrong.content
    assert b"lena" in wrong.content and b"bottles" not in wrong.content
    right = administrator_client.post(address, {**typed, "do": "create"})
    user = User.objects.get(username="lena")
    assert right.status_code == 200 and not user.has_usable_password()
    assert b"Give this link to lena" in right.content and link_in(right.content)
    assert "no-store" in right.headers["Cache-Control"]
    person = reverse("administration:person_edit", kwargs={"pk": user.pk})
    page = administrator_client.get(person).content
    assert b"has not opened the account yet" in page and b"/account/invitation/" not in page


def test_a_person_is_changed_by_what_the_buttons_say(administrator_client: Client, officer: User) -> None:
    address = reverse("administration:person_edit", kwargs={"pk": officer.pk})
    administrator_client.post(address, {"do": "role", "role": "moderator"})
    assert link_in(administrator_client.post(address, {"do": "reset"}).content)
    administrator_client.post(address, {"do": "deactivate"})
    officer.refresh_from_db()
    assert (officer.role, officer.is_active) == (Role.MODERATOR, False)
    assert list(Entry.objects.order_by("id").values_list("kind", flat=True)) == [
        "people.role_changed",
        "people.factor_reset",
        "people.invited",
        "people.deactivated",
    ]
    assert administrator_client.post(address, {"do": "reset"}).status_code == 422, "a closed account gets no link"
    assert administrator_client.post(address, {"do": "explode"}).status_code == 422
    assert administrator_client.post(address, {"do": "role", "role": "resident"}).status_code == 422


def test_residents_are_not_administered(administrator_client: Client, resident: User) -> None:
    address = reverse("administration:person_edit", kwargs={"pk": resident.pk})
    assert administrator_client.get(address).status_code == 404
    assert administrator_client.post(address, {"do": "deactivate"}).status_code == 404
    assert b"resident" not in administrator_client.get(reverse("administration:people")).content.replace(
        b"residents", b""
    )


def test_nobody_changes_the_own_account_on_these_pages(administrator_client: Client, administrator: User) -> None:
    make_user("second", role=Role.ADMINISTRATOR)
    address = reverse("administration:person_edit", kwargs={"pk": administrator.pk})
    page = administrator_client.get(address).content
    assert b"your own account" in page and b'name="do"' not in page
    for verb in ({"do": "deactivate"}, {"do": "reset"}, {"do": "role", "role": "moderator"}):
        answer = administrator_client.post(address, verb)
        assert answer.status_code == 422 and b"Ask another administrator" in answer.content


def test_numbers_of_any_length_are_no_crash(administrator_client: Client, unit: Unit, officer: User) -> None:
    for many in ("9" * 19, "9" * 5000):
        typed = {"name": "North", "unit": many, "officers": [many], "area": json.dumps(square()), "do": "save"}
        assert administrator_client.post(reverse("administration:beat_new"), typed).status_code == 422
        address = reverse("administration:person_edit", kwargs={"pk": officer.pk})
        assert administrator_client.post(address, {"do": "role", "role": "officer", "unit": many}).status_code == 422
    assert not Beat.objects.exists()


def test_units_are_made_on_the_page(administrator_client: Client) -> None:
    address = reverse("administration:people")
    assert administrator_client.post(address, {"unit_name": "Harbour"}).status_code == 302
    assert Unit.objects.get().is_fallback
    assert administrator_client.post(address, {"unit_name": ""}).status_code == 422


def test_a_beat_is_pasted_looked_at_and_saved(administrator_client: Client, unit: Unit, officer: User) -> None:
    address = reverse("administration:beat_new")
    typed = {"name": "North", "unit": str(unit.pk), "area": json.dumps(square()), "officers": [str(officer.pk)]}
    look = administrator_client.post(address, {**typed, "do": "look"})
    assert look.status_code == 200 and b"<path d=" in look.content and not Beat.objects.exists()
    assert administrator_client.post(address, {**typed, "do": "save"}).status_code == 302
    beat = Beat.objects.get()
    assert list(beat.officers.all()) == [officer]
    page = administrator_client.get(reverse("administration:beat_edit", kwargs={"pk": beat.pk})).content
    assert b"North" in page and b"<path d=" in page


def test_a_wrong_area_keeps_what_was_typed(administrator_client: Client, unit: Unit) -> None:
    crossing = {"type": "Polygon", "coordinates": [[[20, 42], [21, 43], [21, 42], [20, 43], [20, 42]]]}
    answer = administrator_client.post(
        reverse("administration:beat_new"),
        {"name": "North", "unit": unit.pk, "area": json.dumps(crossing), "do": "save"},
    )
    assert answer.status_code == 422 and b"crosses" in answer.content and b"North" in answer.content


def test_the_outlines_of_all_beats_are_given_to_the_maps(administrator_client: Client, unit: Unit) -> None:
    make_beat(name="North", unit=unit)
    answer = administrator_client.get(reverse("administration:beats_geojson"))
    assert answer.headers["Content-Type"] == "application/geo+json"
    feature = json.loads(answer.content)["features"][0]
    assert feature["geometry"] == square() and feature["properties"]["title"] == "North"


def test_an_area_can_be_uploaded(administrator_client: Client, unit: Unit) -> None:
    address = reverse("administration:beat_new")
    file = SimpleUploadedFile("area.geojson", b"\xef\xbb\xbf" + json.dumps(square()).encode())
    typed = {"name": "North", "unit": unit.pk, "do": "save"}
    assert administrator_client.post(address, {**typed, "file": file}).status_code == 302
    for bad in (b"\xff\xfe\x00", b"x" * 900_001):
        answer = administrator_client.post(address, {**typed, "name": "S", "file": SimpleUploadedFile("a", bad)})
        assert answer.status_code == 422
    assert Beat.objects.count() == 1


def test_lists_take_the_same_queries_whatever_the_number(
    administrator_client: Client, unit: Unit, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_beat(name="Beat", unit=unit)
    beats, people = reverse("administration:beats"), reverse("administration:people")
    for _again in range(2):
        with django_assert_num_queries(6):
            assert administrator_client.get(beats).status_code == 200
        with django_assert_num_queries(5):
            assert administrator_client.get(people).status_code == 200
        for number in range(10):
            if _again == 0:
                make_beat(name=f"Beat {number}", unit=unit, officers=[make_user(role=Role.OFFICER, unit=unit)])


def test_settings_are_shown_without_secrets(administrator: User, settings: Settings) -> None:
    options = Options(
        secret_key="the very secret key",
        kannel_password="the kannel word",
        kannel_hook_secret="the hook",
        smsgate_signing_key="the signing key",
        database_url="postgresql://town:opensesame@127.0.0.1:5432/town",
    )
    settings.COMMONBEAT = options
    page = signed_in(administrator).get(reverse("administration:settings")).content.decode()
    for secret in ("very secret", "kannel word", "the hook", "signing key", "opensesame"):
        assert secret not in page
    assert "set, not shown" in page and "COMMONBEAT_REGION" in page
    assert all(row.description for row in shown_settings(options))
