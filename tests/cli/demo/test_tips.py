"""The demo town's desk for sealed tips: two who can open it, with what `make run` prints, and three tips."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from commonbeat.cli.demo.fill import WORDS
from commonbeat.cli.demo.tips import ASKED, LORRY, VAN, tell_tips
from commonbeat.cli.serve import announcement
from commonbeat.foundation import clock
from commonbeat.people.models import Role, User
from commonbeat.tips.models import Tip, TipDesk
from tests import make
from tests.alerts.rows import alert_row

pytestmark = pytest.mark.django_db
PICTURE = b"\xff\xd8\xff a picture"


def opened(user: User, passphrase: str, tip: Tip) -> str:
    client = make.signed_in(user)
    own = {"desk_id": tip.desk_id}
    assert client.post(reverse("desk:sealed_unlock", kwargs=own), {"passphrase": passphrase}).status_code == 302
    return read(client, tip)


def read(client: Client, tip: Tip) -> str:
    return client.get(reverse("desk:sealed_tip", kwargs={"desk_id": tip.desk_id, "tip_id": tip.pk})).content.decode()


def test_both_members_open_the_three_tips_with_what_is_printed(administrator: User) -> None:
    mira, sara = (make.make_user(name, role=Role.OFFICER, unit=make.fallback()) for name in ("mira", "sara"))
    alert = alert_row()
    file = Path(settings.COMMONBEAT.data_dir) / "demo.json"
    logins = [{"username": name, "password": "p", "role": "officer"} for name in ("mira", "jon", "sara")]
    file.touch(mode=0o600)
    file.write_text(json.dumps(logins), "utf-8")
    try:
        assert tell_tips((mira, sara), administrator, alert, PICTURE, WORDS, clock.now()) == 3
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        told = {login["username"]: login.get("passphrase", "") for login in json.loads(file.read_text("utf-8"))}
        printed = "\n".join(announcement(settings.COMMONBEAT))
    finally:
        file.unlink()
    assert told["jon"] == ""
    assert all(len(told[name]) >= 12 and told[name] in printed for name in ("mira", "sara"))
    assert TipDesk.objects.get().is_open
    lorry, van, _cards = Tip.objects.order_by("pk")
    assert (lorry.state, lorry.files, van.about_id) == ("answered", 1, alert.pk)
    for user in (mira, sara):
        text = opened(user, told[user.username], lorry)
        assert LORRY in text and ASKED in text and "barrels.jpg" in text
        assert VAN in opened(user, told[user.username], van)
