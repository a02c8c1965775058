from __future__ import annotations

import secrets

import pytest

from commonbeat.tips import receipts, texts, tipkeys
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import KeyPair, new_key_pair

TIP, OTHER_TIP = tipkeys.new_tip_id(), tipkeys.new_tip_id()


def desk(count: int) -> dict[bytes, KeyPair]:
    return {secrets.token_bytes(16): new_key_pair() for _ in range(count)}


def publics(members: dict[bytes, KeyPair]) -> dict[bytes, bytes]:
    return {member: own.public for member, own in members.items()}


def test_everybody_named_opens_it_and_nobody_else() -> None:
    members, escrow = desk(3), new_key_pair()
    source = receipts.source_pair(receipts.new_receipt())
    pair, kept = tipkeys.new_tip_key(
        TIP, members=publics(members), source_public=source.public, escrow_public=escrow.public
    )
    assert kept.public == pair.public and set(kept.for_members) == set(members) and kept.for_escrow is not None
    for member, own in members.items():
        box = kept.for_members[member]
        assert tipkeys.open_as_member(box, tip=TIP, member=member, own=own, tip_public=kept.public) == pair
        with pytest.raises(Unopenable):
            tipkeys.open_as_member(box, tip=TIP, member=member, own=new_key_pair(), tip_public=kept.public)
        with pytest.raises(Unopenable):
            tipkeys.open_as_source(box, tip=TIP, own=own, tip_public=kept.public)
    assert tipkeys.open_as_source(kept.for_source, tip=TIP, own=source, tip_public=kept.public) == pair
    assert tipkeys.open_as_escrow(kept.for_escrow, tip=TIP, own=escrow, tip_public=kept.public) == pair
    with pytest.raises(Unopenable):
        tipkeys.open_as_escrow(kept.for_source, tip=TIP, own=source, tip_public=kept.public)


def test_boxes_cannot_be_swapped_between_tips_or_members() -> None:
    members = desk(2)
    (one, own), (two, _) = members.items()
    source = new_key_pair()
    _, here = tipkeys.new_tip_key(TIP, members=publics(members), source_public=source.public)
    _, there = tipkeys.new_tip_key(OTHER_TIP, members=publics(members), source_public=source.public)
    assert here.for_escrow is None
    for box, tip, member in [
        (there.for_members[one], TIP, one),
        (here.for_members[one], OTHER_TIP, one),
        (here.for_members[two], TIP, one),
        (here.for_members[one], TIP, two),
    ]:
        with pytest.raises(Unopenable):
            tipkeys.open_as_member(box, tip=tip, member=member, own=own, tip_public=here.public)
    with pytest.raises(Unopenable):
        tipkeys.open_as_source(there.for_source, tip=TIP, own=source, tip_public=here.public)


def test_a_key_that_is_not_the_tips_is_refused() -> None:
    members = desk(1)
    (member, own), *_ = members.items()
    # Anybody can seal to a public key, so that another key pair may come in a box that is whole.
    box = tipkeys.wrap_for_member(new_key_pair(), tip=TIP, member=member, public=own.public)
    with pytest.raises(Unopenable):
        tipkeys.open_as_member(box, tip=TIP, member=member, own=own, tip_public=new_key_pair().public)
    short = tipkeys.wrap_for_member(KeyPair(own.public, b"short"), tip=TIP, member=member, public=own.public)
    with pytest.raises(Unopenable):
        tipkeys.open_as_member(short, tip=TIP, member=member, own=own, tip_public=own.public)


def test_who_joins_reads_what_was_written_before() -> None:
    members, newcomer, own = desk(2), secrets.token_bytes(16), new_key_pair()
    pair, kept = tipkeys.new_tip_key(TIP, members=publics(members), source_public=new_key_pair().public)
    box = texts.seal_to_desk("Before.", tip=TIP, number=0, tip_public=kept.public)
    (first, opener), *_ = members.items()
    opened = tipkeys.open_as_member(kept.for_members[first], tip=TIP, member=first, own=opener, tip_public=pair.public)
    added = tipkeys.wrap_for_member(opened, tip=TIP, member=newcomer, public=own.public)
    again = tipkeys.open_as_member(added, tip=TIP, member=newcomer, own=own, tip_public=pair.public)
    assert texts.open_to_desk(box, tip=TIP, number=0, tip_key=again) == "Before."
