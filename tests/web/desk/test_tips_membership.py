"""A member's key from the first passphrase to the last: made, printed once, changed, recovered, given up."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from commonbeat.people.models import Role, User
from commonbeat.tips import members, queries
from commonbeat.tips.actions import desks, membership
from commonbeat.tips.models import DeskKind, Member, TipDesk
from commonbeat.web.desk import tips_keyring
from tests import make
from tests.make import NOW
from tests.tips.desks import PASSPHRASE, TEXT, desk_with, manager_of, seat, tip_at
from tests.web.desk.sealed import address, cheaply, unlock, unlocked

pytestmark = pytest.mark.django_db
NEW = "quite another phrase"


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    tips_keyring._halves.clear()
    cheaply(monkeypatch)


def named(desk: TipDesk, role: Role = Role.OFFICER) -> tuple[User, Client]:
    """Give somebody whom the manager has just named."""
    user = make.make_user(role=role)
    membership.name_member(desk_id=desk.pk, user_id=user.pk, actor=manager_of(desk.kind), now=NOW)
    return user, make.signed_in(user)


def words_in(page: Any) -> str:
    """Read the recovery key off the page that shows it."""
    shown = re.findall(r'<p class="reference" translate="no">(.*?)</p>', page.content.decode(), re.S)
    return re.sub(r"<br>|\s+", " ", shown[0])


def test_the_recovery_key_is_shown_once_and_typed_back() -> None:
    desk = desks.make_desk(names={"": "Desk"}, kind=DeskKind.TIPS, actor=manager_of(DeskKind.TIPS), now=NOW)
    user, client = named(desk)
    page = address(desk, "enrol")
    assert client.get(page).status_code == 200
    assert client.post(page, {"passphrase": PASSPHRASE, "again": NEW}).status_code == 422
    short = client.post(page, {"passphrase": "short", "again": "short"})
    assert short.status_code == 422
    assert "Use 12 characters or more" in short.content.decode()
    shown = client.post(page, {"passphrase": PASSPHRASE, "again": PASSPHRASE})
    words = words_in(shown)
    assert len(words.split()) == 12
    assert shown["Cache-Control"] == "no-store"
    assert PASSPHRASE not in shown.content.decode()
    # Nowhere a second time.
    for again in (page, address(desk, "key"), address(desk, "desk")):
        assert words.split()[0] not in client.get(again, follow=True).content.decode()
    twice = client.post(page, {"passphrase": NEW, "again": NEW})
    assert twice["Location"] == address(desk, "key")
    member = Member.objects.get(user_id=user.pk)
    queries.unlock(member, PASSPHRASE)
    confirm = address(desk, "key_act", verb="confirm")
    wrong = client.post(confirm, {"recovery": "qqqq " + words.partition(" ")[2]})
    assert wrong.status_code == 422
    assert "Word 1 cannot be right" in wrong.content.decode()
    other = " ".join(members.show_recovery_key(members.new_recovery_key()))
    assert "not the recovery key" in client.post(confirm, {"recovery": other}).content.decode()
    assert not Member.objects.get().recovery_confirmed
    assert client.post(confirm, {"recovery": words.upper()})["Location"] == address(desk, "key")
    assert Member.objects.get().recovery_confirmed
    # One member with a printed key is enough to open.
    desks.open_desk(desk_id=desk.pk, actor=manager_of(DeskKind.TIPS), now=NOW)


def test_a_waiting_member_is_let_in_with_an_open_key_only() -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    waiting = seat(desk)
    page = address(desk, "admit", member_id=waiting.member.pk)
    client = make.signed_in(one.user)
    assert client.post(page).status_code == 409
    assert make.signed_in(waiting.user).post(page).status_code == 404
    assert not Member.objects.get(pk=waiting.member.pk).is_admitted
    unlock(client, desk)
    assert "Let in" in client.get(address(desk, "members")).content.decode()
    assert client.post(page)["Location"] == address(desk, "members")
    assert TEXT in unlocked(waiting, desk).get(address(desk, "tip", tip_id=tip.pk)).content.decode()
    nobody, _client = named(desk)
    not_yet = Member.objects.get(user_id=nobody.pk)
    answer = client.post(address(desk, "admit", member_id=not_yet.pk))
    assert answer.status_code == 422
    assert "has not enrolled yet" in answer.content.decode()


def test_letting_in_goes_on_until_all_is_shared_and_ends_at_what_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, (one, _other) = desk_with(2)
    tips = [tip_at(desk, f"Tip {number}")[0] for number in range(7)]
    # A box of nonsense, as a browser may have sent: it keeps one tip from being shared, and not the page from ending.
    key = tips[3].keys.get(member_id=one.member.pk)
    key.box = bytes(reversed(bytes(key.box)))
    key.save()
    monkeypatch.setattr(membership.share_keys, "__kwdefaults__", {"limit": 2})
    waiting = seat(desk)
    client = unlocked(one, desk)
    answer = client.post(address(desk, "admit", member_id=waiting.member.pk), follow=True)
    admitted = Member.objects.get(pk=waiting.member.pk)
    assert admitted.keys.count() >= 5
    assert "left to be shared" in answer.content.decode()


def test_another_passphrase_locks_everywhere() -> None:
    desk, (one, other) = desk_with(2)
    client, elsewhere, others = unlocked(one, desk), unlocked(one, desk), unlocked(other, desk)
    page = address(desk, "key_act", verb="passphrase")
    for given, status in (
        ({"old": "wrong wrong wrong", "passphrase": NEW, "again": NEW}, 422),
        ({"old": PASSPHRASE, "passphrase": NEW, "again": "not the same"}, 422),
        ({"old": PASSPHRASE, "passphrase": "short", "again": "short"}, 422),
        ({"old": PASSPHRASE, "passphrase": NEW, "again": NEW}, 302),
    ):
        answer = client.post(page, given)
        assert answer.status_code == status
        assert NEW not in answer.content.decode()
    for browser in (client, elsewhere):
        assert "Your key is locked" in browser.get(address(desk, "desk")).content.decode()
    assert "Your key is open" in others.get(address(desk, "desk")).content.decode()
    assert unlock(client, desk).status_code == 422
    assert unlock(client, desk, NEW).status_code == 302


def test_a_new_recovery_key_takes_an_open_key_and_ends_the_old_one() -> None:
    desk, (one, _other) = desk_with(2)
    client = make.signed_in(one.user)
    page = address(desk, "key_act", verb="renew")
    assert client.post(page).status_code == 409
    unlock(client, desk)
    words = words_in(client.post(page))
    forgotten = {"passphrase": NEW, "again": NEW}
    old = client.post(address(desk, "recover"), {"recovery": one.recovery, **forgotten})
    assert old.status_code == 422
    assert "not the recovery key" in old.content.decode()
    assert client.post(address(desk, "recover"), {"recovery": words, **forgotten}).status_code == 302


def test_the_printed_key_opens_and_a_new_passphrase_is_chosen() -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    client = make.signed_in(one.user)
    page = address(desk, "recover")
    assert client.get(page).status_code == 200
    typed = " ".join(members.show_recovery_key(one.recovery))
    for given in (
        {"recovery": "bado", "passphrase": NEW, "again": NEW},
        {"recovery": typed, "passphrase": NEW, "again": "not the same"},
        {"recovery": typed, "passphrase": "short", "again": "short"},
    ):
        answer = client.post(page, given)
        assert answer.status_code == 422
        assert typed not in answer.content.decode()
    assert client.post(page, {"recovery": typed, "passphrase": NEW, "again": NEW}).status_code == 302
    # It is open at once.
    assert TEXT in client.get(address(desk, "tip", tip_id=tip.pk)).content.decode()


def test_who_leaves_has_no_key_any_more_and_the_last_ones_stay() -> None:
    desk, (one, _other, third) = desk_with(3)
    client = unlocked(third, desk)
    page = address(desk, "key_act", verb="leave")
    assert client.post(page).status_code == 422
    assert client.post(page, {"sure": "yes"}).status_code == 302
    assert not tips_keyring._halves
    assert Member.objects.get(pk=third.member.pk).left_day is not None
    # Two are left: without one of them a forgotten passphrase would close everything.
    tip_at(desk)
    refused = unlocked(one, desk).post(page, {"sure": "yes"})
    assert refused.status_code == 422
    assert "A desk needs two members" in refused.content.decode()
    assert Member.objects.get(pk=one.member.pk).is_admitted


def test_unknown_verbs_are_nothing() -> None:
    desk, (one, _other) = desk_with(2)
    client = unlocked(one, desk)
    assert client.post(address(desk, "key_act", verb="nonsense")).status_code == 404
