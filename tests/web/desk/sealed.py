"""A desk of sealed dialogues in a browser: who is signed in, and how a key is unlocked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.tips import members
from commonbeat.tips.actions import membership
from commonbeat.tips.models import DeskKind, TipDesk
from tests import make
from tests.tips.desks import CHEAP, PASSPHRASE, Seated


def cheaply(monkeypatch: Any) -> None:
    """Let what pages make be cheap: half a second of Argon2id for each would make these tests slow."""
    for name in ("enrol_member", "recover_member", "change_passphrase"):
        given = getattr(membership, name)
        monkeypatch.setattr(membership, name, lambda given=given, **more: given(**{**more, "cost": CHEAP}))
    assert members.COST.memory_kib == 131_072, "what pages really make costs what it must"


def address(desk: TipDesk, name: str, **numbers: int | str) -> str:
    """Give the address of a member's page."""
    namespace = "desk" if desk.kind == DeskKind.TIPS else "oversight"
    return reverse(f"{namespace}:sealed_{name}", kwargs={"desk_id": desk.pk, **numbers})


def unlocked(seated: Seated, desk: TipDesk, passphrase: str = PASSPHRASE) -> Client:
    """Give a browser in which a member has unlocked the key."""
    client = make.signed_in(seated.user)
    answer = unlock(client, desk, passphrase)
    assert answer.status_code == 302
    return client


def unlock(client: Client, desk: TipDesk, passphrase: str = PASSPHRASE, **more: Any) -> Any:
    """Send the form that unlocks."""
    return client.post(address(desk, "unlock"), {"passphrase": passphrase, **more})


def wait(monkeypatch: Any, **past: int) -> None:
    """Let time pass for the site."""
    later = clock.now() + timedelta(**past)
    monkeypatch.setattr(clock, "now", lambda: later)
