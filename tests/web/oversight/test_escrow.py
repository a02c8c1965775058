"""The emergency key of a desk: set by the oversight body, and by nobody else."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.journal.models import Entry
from commonbeat.people.models import Role
from commonbeat.tips.keys import new_key_pair
from commonbeat.tips.models import DeskKind
from tests import make
from tests.tips.desks import desk_with

pytestmark = pytest.mark.django_db
PAGE = reverse("oversight:escrow")


@pytest.mark.parametrize("kind", list(DeskKind))
def test_it_is_set_and_taken_away_and_stands_in_the_journal(kind: str, overseer_client: Client) -> None:
    desk, _seats = desk_with(2, kind=kind)
    public = new_key_pair().public
    for wrong in ("", "xyz", public.hex()[:-2], public.hex() + "00", "é" * 64):
        answer = overseer_client.post(PAGE, {"desk": desk.pk, "key": wrong, "do": "set"})
        assert answer.status_code == 422, wrong
    overseer_client.post(PAGE, {"desk": desk.pk, "key": f" {public.hex().upper()}\n", "do": "set"})
    desk.refresh_from_db()
    assert bytes(desk.escrow_public) == public
    assert public.hex() in overseer_client.get(PAGE).content.decode()
    overseer_client.post(PAGE, {"desk": desk.pk, "do": "remove"})
    desk.refresh_from_db()
    assert not bytes(desk.escrow_public)
    assert Entry.objects.filter(kind="tips.escrow_set", subject_id=desk.pk).count() == 2
    assert overseer_client.post(PAGE, {"desk": "0", "key": public.hex(), "do": "set"}).status_code == 404


@pytest.mark.parametrize("role", [role for role in Role if role != Role.OVERSEER])
def test_nobody_else_gets_there(role: Role) -> None:
    desk, _seats = desk_with(2)
    client = make.signed_in(make.make_user(role=role))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, {"desk": desk.pk, "key": "00" * 32, "do": "set"}).status_code == 403
    desk.refresh_from_db()
    assert not bytes(desk.escrow_public)
    assert Client().get(PAGE)["Location"].startswith("/account/login/")
