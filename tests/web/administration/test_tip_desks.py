"""Who manages desks for sealed dialogues: names, numbers, members; and that they read nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.journal.models import Entry
from commonbeat.people.models import Role, User
from commonbeat.tips.actions import membership
from commonbeat.tips.models import DeskKind, Member, TipDesk
from tests import make
from tests.make import NOW
from tests.tips.desks import TEXT, desk_with, seat, tip_at

pytestmark = pytest.mark.django_db
KINDS = {DeskKind.TIPS: "administration", DeskKind.COMPLAINTS: "oversight"}
NUMBERS = {"intake_cap": "40", "expires_after_days": "100", "deletes_after_days": "30", "answer_within_days": "45"}


def address(kind: str, name: str = "tip_desks", **numbers: int | str) -> str:
    return reverse(f"{KINDS[DeskKind(kind)]}:{name}", kwargs=numbers)


def manager(kind: str, administrator: User, overseer: User) -> Client:
    return make.signed_in(administrator if kind == DeskKind.TIPS else overseer)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_desk_is_made_changed_staffed_and_opened(kind: str, administrator: User, overseer: User) -> None:
    client = manager(kind, administrator, overseer)
    assert client.get(address(kind)).status_code == 200
    assert client.post(address(kind, "tip_desk_new"), {"name_plain": " ", **NUMBERS}).status_code == 422
    for wrong in ("", "x", "0", "-1", "9" * 30, "١٢"):
        answer = client.post(address(kind, "tip_desk_new"), {"name_plain": "River", **NUMBERS, "intake_cap": wrong})
        assert answer.status_code == 422, wrong
        assert 'value="River"' in answer.content.decode()
    assert not TipDesk.objects.exists()
    client.post(address(kind, "tip_desk_new"), {"name_plain": "River", "name_sq": "Lumi", **NUMBERS})
    desk = TipDesk.objects.get()
    assert (desk.kind, desk.names, desk.intake_cap, desk.is_open) == (kind, {"": "River", "sq": "Lumi"}, 40, False)
    page = address(kind, "tip_desk", pk=desk.pk)
    client.post(page, {"name_plain": "Riverside", **NUMBERS, "deletes_after_days": "20"})
    desk.refresh_from_db()
    assert (desk.names, desk.deletes_after_days) == ({"": "Riverside"}, 20)
    refused = client.post(address(kind, "tip_desk_act", pk=desk.pk, verb="open"))
    assert refused.status_code == 422
    assert "one forgotten passphrase closes everything for ever" in refused.content.decode()
    role = Role.OFFICER if kind == DeskKind.TIPS else Role.OVERSEER
    named = make.make_user(role=role, display_name="Drita")
    assert "Drita" in client.get(page).content.decode()
    assert client.post(address(kind, "tip_desk_act", pk=desk.pk, verb="name"), {"user": ""}).status_code == 422
    client.post(address(kind, "tip_desk_act", pk=desk.pk, verb="name"), {"user": named.pk})
    assert "named, has no key yet" in client.get(page).content.decode()
    member = Member.objects.get()
    client.post(address(kind, "tip_desk_act", pk=desk.pk, verb="remove"), {"member": member.pk})
    one = seat(desk)
    two = seat(desk)
    text = client.get(page).content.decode()
    assert "enrolled, waits for a member" in text
    assert ">left<" in text
    membership.add_member(member_id=two.member.pk, by_member_id=one.member.pk, user=one.user, pair=one.pair, now=NOW)
    assert client.post(address(kind, "tip_desk_act", pk=desk.pk, verb="open")).status_code == 302
    desk.refresh_from_db()
    assert desk.is_open
    last = client.post(address(kind, "tip_desk_act", pk=desk.pk, verb="remove"), {"member": two.member.pk})
    assert last.status_code == 422
    assert "A desk needs two members" in last.content.decode()
    client.post(address(kind, "tip_desk_act", pk=desk.pk, verb="close"))
    desk.refresh_from_db()
    assert not desk.is_open


@pytest.mark.parametrize("kind", list(KINDS))
def test_only_who_manages_the_kind_gets_there(kind: str, administrator: User, overseer: User) -> None:
    desk, (one, _other) = desk_with(2, kind=kind)
    other_kind = next(each for each in KINDS if each != kind)
    journal = Entry.objects.count()
    pages = [address(kind), address(kind, "tip_desk_new"), address(kind, "tip_desk", pk=desk.pk)]
    acts = {verb: address(kind, "tip_desk_act", pk=desk.pk, verb=verb) for verb in ("open", "close", "name", "remove")}
    for role in Role:
        if role == (Role.ADMINISTRATOR if kind == DeskKind.TIPS else Role.OVERSEER):
            continue
        client = make.signed_in(one.user if role == one.user.role else make.make_user(role=role))
        for page in pages:
            assert client.get(page).status_code == 403, (role, page)
        for page in [*pages[1:], *acts.values()]:
            posted = {"name_plain": "Mine", "user": one.user.pk, "member": one.member.pk, **NUMBERS}
            assert client.post(page, posted).status_code == 403
    # Who manages the other kind finds nothing of this one under their own addresses.
    client = manager(other_kind, administrator, overseer)
    assert client.get(address(other_kind, "tip_desk", pk=desk.pk)).status_code == 404
    assert client.get(address(other_kind, "tip_desk", pk=2**63)).status_code == 404
    for verb in acts:
        page = address(other_kind, "tip_desk_act", pk=desk.pk, verb=verb)
        assert client.post(page, {"user": one.user.pk, "member": one.member.pk}).status_code == 404
    assert "The desk</bdi>" not in client.get(address(other_kind)).content.decode()
    assert Entry.objects.count() == journal


def test_an_administrator_sees_how_many_wait_and_none_of_them(administrator_client: Client) -> None:
    desk, _seats = desk_with(2)
    complaints, _more = desk_with(2, kind=DeskKind.COMPLAINTS)
    tip, _receipt = tip_at(desk)
    tip_at(desk)
    tip_at(desk, "Something else.")
    for _one in range(9):
        tip_at(complaints, f"Complaint {_one}")
    text = administrator_client.get(address(DeskKind.TIPS)).content.decode()
    assert '<td class="number" data-label="Wait for an answer">2</td>' in text, "the same words count once"
    assert text.count("<bdi>The desk</bdi>") == 1
    for page in (f"/desk/tips/{desk.pk}/", f"/desk/tips/{desk.pk}/{tip.pk}/", "/oversight/complaints/"):
        answer = administrator_client.get(page)
        assert answer.status_code == 403
        assert TEXT not in answer.content.decode()


def test_an_overseer_sees_no_number_of_complaints_where_desks_are_managed(overseer_client: Client) -> None:
    desk, _seats = desk_with(2, kind=DeskKind.COMPLAINTS)
    tip_at(desk)
    assert "Wait for an answer" not in overseer_client.get(address(DeskKind.COMPLAINTS)).content.decode()


def test_the_number_of_queries_does_not_grow(administrator_client: Client, django_assert_num_queries: Any) -> None:
    desk_with(2)
    with django_assert_num_queries(5):
        administrator_client.get(address(DeskKind.TIPS))
    for _more in range(3):
        desk_with(2)
    with django_assert_num_queries(5):
        administrator_client.get(address(DeskKind.TIPS))
