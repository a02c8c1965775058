"""Between which languages a volunteer translates."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.journal.models import Entry
from commonbeat.people.actions import LANGUAGES_SET, PeopleError, invite_staff, set_languages_read
from commonbeat.people.models import Role, User
from tests import make

pytestmark = pytest.mark.django_db


def test_a_translator_reads_at_least_two_languages(administrator: User) -> None:
    by = {"actor_id": administrator.pk, "now": make.NOW}
    for too_few in ((), ("en",), ("en", "en"), ("en", "xx")):
        with pytest.raises(PeopleError) as told:
            invite_staff(username="lena", role=Role.TRANSLATOR, unit_id=None, languages_read=too_few, **by)  # type: ignore[arg-type]  # one dictionary for both
        assert told.value.field == "languages_read"
    assert not User.objects.filter(username="lena").exists()
    user, _token = invite_staff(
        username="lena",
        role=Role.TRANSLATOR,
        unit_id=None,
        languages_read=["sq", "en", "xx"],
        **by,  # type: ignore[arg-type]  # as above
    )
    assert user.languages_read == ["en", "sq"] and not user.has_usable_password()


def test_changing_them_is_journalled_once(administrator: User, translator: User) -> None:
    for _n in range(2):
        set_languages_read(user_id=translator.pk, languages=["ar", "en"], actor_id=administrator.pk, now=make.NOW)
    translator.refresh_from_db()
    assert translator.languages_read == ["en", "ar"]
    entry = Entry.objects.get(kind=LANGUAGES_SET)
    assert (entry.subject_id, entry.actor_id, entry.data) == (translator.pk, administrator.pk, {"languages": "en ar"})


def test_the_page_invites_a_translator(administrator_client: Client) -> None:
    address = reverse("administration:person_new")
    assert 'name="languages_read"' in administrator_client.get(address).content.decode()
    form = {"username": "lena", "role": "translator", "do": "create"}
    refused = administrator_client.post(address, {**form, "languages_read": ["en"]})
    page = refused.content.decode()
    assert refused.status_code == 422 and "Choose at least two languages" in page and 'value="en" checked' in page
    assert (
        "/account/invitation/"
        in administrator_client.post(address, {**form, "languages_read": ["en", "sq"]}).content.decode()
    )
    user = User.objects.get(username="lena")
    assert (user.role, user.languages_read, user.unit_id) == (Role.TRANSLATOR, ["en", "sq"], None)


def test_the_page_changes_them(administrator_client: Client, translator: User, moderator: User) -> None:
    def edit(user: User, **fields: object) -> int:
        address = reverse("administration:person_edit", kwargs={"pk": user.pk})
        return int(administrator_client.post(address, {"do": "role", "role": "translator", **fields}).status_code)

    assert edit(translator, languages_read=["sq", "ar"]) == 302
    assert edit(moderator) == 422
    translator.refresh_from_db()
    moderator.refresh_from_db()
    assert translator.languages_read == ["sq", "ar"] and moderator.role == Role.MODERATOR
    assert edit(moderator, languages_read=["sq", "ar"]) == 302
    moderator.refresh_from_db()
    assert (moderator.role, moderator.languages_read) == (Role.TRANSLATOR, ["sq", "ar"])
