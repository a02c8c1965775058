from __future__ import annotations

import secrets

import pytest

from commonbeat.tips import members
from commonbeat.tips.errors import Misspelt, Unopenable
from commonbeat.tips.keys import KeyPair, new_key_pair
from tests.tips.vectors import MEMBER, VECTORS, flipped, pair

# As little as Argon2 allows; the real cost is in the test of what is written down.
CHEAP = members.Cost(passes=1, lanes=1, memory_kib=8)
OWN, ID, OTHER = new_key_pair(), secrets.token_bytes(16), secrets.token_bytes(16)
PHRASE = "correct horse battery"
RECOVERY = members.new_recovery_key()
ONE = VECTORS["member_key"]


def wrapped(phrase: str = PHRASE) -> bytes:
    return members.wrap_by_passphrase(OWN, member=ID, passphrase=phrase, cost=CHEAP)


def opened(blob: bytes, *, phrase: str = PHRASE, member: bytes = ID, public: bytes = OWN.public) -> object:
    return members.open_by_passphrase(blob, member=member, passphrase=phrase, public=public)


def test_opens_what_is_written_down_at_the_real_cost() -> None:
    own = pair("member")
    blob = bytes.fromhex(ONE["by_passphrase"])
    assert blob[6:12] == bytes([3, 1]) + (128 * 1024).to_bytes(4, "big") and len(blob) == 100
    assert members.Cost() == members.COST == members.Cost(3, 1, 131_072)
    assert members.open_by_passphrase(blob, member=MEMBER, passphrase=ONE["passphrase"], public=own.public) == own
    by_recovery = bytes.fromhex(ONE["by_recovery"])
    assert members.open_by_recovery(by_recovery, member=MEMBER, recovery=ONE["recovery"], public=own.public) == own
    halves = bytes.fromhex(ONE["cookie_half"]), bytes.fromhex(ONE["server_half"])
    assert members.join_key(*halves, member=MEMBER, public=own.public) == own


def test_a_passphrase_opens_its_own_key_only() -> None:
    blob = wrapped()
    assert opened(blob) == OWN
    assert OWN.private not in blob and wrapped() != blob
    for wrong in ({"phrase": PHRASE + "."}, {"phrase": ""}, {"member": OTHER}, {"public": new_key_pair().public}):
        with pytest.raises(Unopenable):
            opened(blob, **wrong)


def test_the_same_letters_from_another_keyboard_are_the_same_passphrase() -> None:
    blob = wrapped("shtëpi e vogël")
    assert opened(blob, phrase=" shte\u0308pi  e\u00a0vogël ") == OWN


def test_every_bit_of_a_wrapped_key_counts() -> None:
    blob = wrapped()
    by_recovery = members.wrap_by_recovery(OWN, member=ID, recovery=RECOVERY)
    for place in range(len(blob)):
        # The higher bits of cost ask for more memory than a test may take.
        with pytest.raises(Unopenable):
            opened(flipped(blob, place))
    for place in range(len(by_recovery)):
        with pytest.raises(Unopenable):
            members.open_by_recovery(flipped(by_recovery, place, 7), member=ID, recovery=RECOVERY, public=OWN.public)
    for size in range(len(blob)):
        with pytest.raises(Unopenable):
            opened(blob[:size])
    with pytest.raises(Unopenable):
        opened(blob + b"\0")


@pytest.mark.parametrize(
    "cost",
    [(0, 1, 8), (11, 1, 8), (1, 0, 8), (1, 5, 40), (1, 1, 7), (1, 2, 15), (1, 1, 2**20 + 1), (1, 1, 2**32 - 1)],
)
def test_a_row_cannot_ask_for_all_the_memory(cost: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "hash_secret_raw", lambda *a, **k: pytest.fail("it was stretched"))
    blob = bytes.fromhex(ONE["by_passphrase"])
    passes, lanes, memory = cost
    with pytest.raises(Unopenable):
        opened(blob[:6] + bytes([passes, lanes]) + memory.to_bytes(4, "big") + blob[12:])


@pytest.mark.parametrize(
    ("phrase", "short"),
    [("", True), ("elevenchars", True), ("twelve chars", False), ("a" * 40, True), ("abcdabcdabcd", True),
     ("one two ten!", False), ("a            b", True), ("njëmbëdhjetë", False),
     ("كلمات قليلة", True), ("كلمات كثيرة جدا", False)],
)  # fmt: skip
def test_what_is_too_short(phrase: str, short: bool) -> None:
    assert members.is_too_short(phrase) is short
    if short:
        with pytest.raises(ValueError):
            wrapped(phrase)


def test_what_is_too_long_is_refused_before_it_costs_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    blob = wrapped()
    monkeypatch.setattr(members, "hash_secret_raw", lambda *a, **k: pytest.fail("it was stretched"))
    assert not members.is_too_long("abcdefgh" * 64) and members.is_too_long("abcdefgh" * 64 + "i")
    with pytest.raises(ValueError):
        wrapped("abcdefgh" * 65)
    with pytest.raises(Unopenable):
        opened(blob, phrase="abcdefgh" * 65)


def test_a_new_passphrase_wraps_the_same_key() -> None:
    again = wrapped("another four words")
    assert opened(again, phrase="another four words") == OWN
    with pytest.raises(Unopenable):
        opened(again)


def test_the_printed_key_opens_it_when_typed_from_paper() -> None:
    blob = members.wrap_by_recovery(OWN, member=ID, recovery=RECOVERY)
    lines = members.show_recovery_key(RECOVERY)
    assert [len(line.split()) for line in lines] == [4, 4, 4]
    typed = members.read_recovery_key("\n".join(lines).upper())
    assert members.open_by_recovery(blob, member=ID, recovery=typed, public=OWN.public) == OWN
    assert 12 * members.RECOVERY_WORDS >= 128
    with pytest.raises(Unopenable):
        members.open_by_recovery(blob, member=ID, recovery=members.new_recovery_key(), public=OWN.public)
    with pytest.raises(Unopenable):
        members.open_by_recovery(blob, member=OTHER, recovery=RECOVERY, public=OWN.public)
    wrong = ("b" if RECOVERY[0] != "b" else "d") + RECOVERY[1:]
    with pytest.raises(Misspelt):
        members.read_recovery_key(wrong)


def test_the_oversight_body_opens_it_where_it_was_given() -> None:
    escrow = new_key_pair()
    box = members.seal_for_escrow(OWN, member=ID, escrow_public=escrow.public)
    assert members.open_as_escrow(box, member=ID, escrow=escrow, public=OWN.public) == OWN
    for member, key in ((OTHER, escrow), (ID, new_key_pair())):
        with pytest.raises(Unopenable):
            members.open_as_escrow(box, member=member, escrow=key, public=OWN.public)
    short = members.seal_for_escrow(KeyPair(OWN.public, b"short"), member=ID, escrow_public=escrow.public)
    with pytest.raises(Unopenable):
        members.open_as_escrow(short, member=ID, escrow=escrow, public=OWN.public)


def test_half_a_session_opens_nothing() -> None:
    cookie, server = members.split_key(OWN, member=ID)
    other_cookie, other_server = members.split_key(OWN, member=ID)
    assert members.join_key(cookie, server, member=ID, public=OWN.public) == OWN
    assert OWN.private not in cookie + server and cookie != other_cookie
    for one, two, member in [
        (other_cookie, server, ID),
        (cookie, other_server, ID),
        (cookie, server, OTHER),
        (b"", server, ID),
        (cookie, b"", ID),
        (bytes(32), server, ID),
        (cookie, flipped(server, 40), ID),
    ]:
        with pytest.raises(Unopenable):
            members.join_key(one, two, member=member, public=OWN.public)


def test_one_way_of_keeping_cannot_stand_in_for_another() -> None:
    blob = members.wrap_by_recovery(OWN, member=ID, recovery=RECOVERY)
    cookie, server = members.split_key(OWN, member=ID)
    with pytest.raises(Unopenable):
        members.join_key(cookie, blob, member=ID, public=OWN.public)
    with pytest.raises(Unopenable):
        members.open_by_recovery(server, member=ID, recovery=RECOVERY, public=OWN.public)
    with pytest.raises(Unopenable):
        opened(blob)
