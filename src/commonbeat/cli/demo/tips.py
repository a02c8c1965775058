"""A desk for sealed tips in the demo town: two members, and three tips of which one is answered and has a picture."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from commonbeat.alerts.models import Alert
from commonbeat.people.models import User
from commonbeat.tips import queries, sealing
from commonbeat.tips.actions.desks import make_desk, open_desk
from commonbeat.tips.actions.dialogue import ask_as_member, open_tip
from commonbeat.tips.actions.membership import add_member, enrol_member, name_member
from commonbeat.tips.actions.submitting import submit_text
from commonbeat.tips.actions.uploading import SealingWriter
from commonbeat.tips.keys import KeyPair
from commonbeat.tips.members import Cost
from commonbeat.tips.models import DeskKind, Member, TipDesk

# The passphrases stand in a file beside them; a real site takes 128 MiB and half a second for each.
COST = Cost(passes=1, lanes=1, memory_kib=8_192)
NAMES = {"": "Tips about crime", "sq": "Informata për krim", "ar": "معلومات عن الجرائم"}
LORRY = (
    "Every Thursday after ten at night a lorry without plates unloads barrels behind the old mill. "
    "The picture is from last week. I live close by and do not want to be asked at my door."
)
ASKED = "Thank you. Can you see from where you are which way it leaves? Do not go closer than you usually do."
VAN = (
    "About the minibus: it stands under a tarpaulin in the yard behind the tyre shop. "
    "I saw the yellow sun on the door this morning."
)
CARDS = "The boy at the phone stall sells cards that were taken from parcels. He keeps them in the blue tin."


def tell_tips(
    members: Sequence[User], manager: User, alert: Alert, picture: bytes, words: Sequence[str], now: datetime
) -> int:
    """Make the desk, its members and the tips, and write the passphrases to demo.json; gives how many tips came."""
    begun = now - timedelta(days=9)
    desk = make_desk(names=NAMES, kind=DeskKind.TIPS, actor=manager, now=begun)
    seats = [
        _seat(desk, user, manager, "-".join(secrets.choice(words) for _word in range(4)), begun) for user in members
    ]
    (first, first_key), others = seats[0], seats[1:]
    for member, _key in others:
        add_member(member_id=member.pk, by_member_id=first.pk, user=members[0], pair=first_key, now=begun)
    open_desk(desk_id=desk.pk, actor=manager, now=begun)

    came = now - timedelta(days=3)
    prepared = sealing.prepare(desk_id=desk.pk)
    writer = SealingWriter(prepared)
    writer.write(picture)
    files = [writer.finish("barrels.jpg")]
    lorry = submit_text(desk_id=desk.pk, text=LORRY, now=came, prepared=prepared, files=files).tip
    own: dict[str, Any] = {"tip_id": lorry.pk, "member_id": first.pk, "user": members[0]}
    open_tip(**own, pair=first_key, now=came + timedelta(hours=2))
    ask_as_member(**own, text=ASKED, now=came + timedelta(hours=2))
    submit_text(desk_id=desk.pk, text=VAN, now=now - timedelta(hours=1), about=("alert", alert.pk))
    submit_text(desk_id=desk.pk, text=CARDS, now=now - timedelta(minutes=50))
    return 3


def _seat(desk: TipDesk, user: User, manager: User, passphrase: str, now: datetime) -> tuple[Member, KeyPair]:
    name_member(desk_id=desk.pk, user_id=user.pk, actor=manager, now=now)
    member = enrol_member(desk_id=desk.pk, user=user, passphrase=passphrase, now=now, cost=COST).member
    _write_down(user.username, passphrase)
    return member, queries.unlock(member, passphrase)


def _write_down(username: str, passphrase: str) -> None:
    file = settings.COMMONBEAT.data_dir / "demo.json"
    logins = json.loads(file.read_text("utf-8"))
    for login in logins:
        if login["username"] == username:
            login["passphrase"] = passphrase
    file.write_text(json.dumps(logins, indent=1), "utf-8")
