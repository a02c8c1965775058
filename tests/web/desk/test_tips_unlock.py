"""A key is open in one browser for a while: its halves, the passphrase, the idle time, and what was typed meanwhile."""

from __future__ import annotations

import re
import threading
from base64 import b64encode, urlsafe_b64encode
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.db import connection

from commonbeat.people.models import Role, User
from commonbeat.tips import queries
from commonbeat.tips.actions import ending, membership
from commonbeat.tips.models import TipText
from commonbeat.web.desk import tips_keyring
from commonbeat.web.sessions import SessionStore
from tests import make
from tests.make import NOW
from tests.tips.desks import PASSPHRASE, TEXT, desk_with, tip_at
from tests.web.desk.sealed import address, unlock, unlocked, wait

pytestmark = pytest.mark.django_db
ANSWER = "Was it the blue lorry of the brickyard?"


@pytest.fixture(autouse=True)
def _no_keys() -> None:
    tips_keyring._halves.clear()


def dump() -> bytes:
    """Give every value of every row of every table, as bytes and as text has it."""
    parts: list[bytes] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # names of the test's own tables
            for row in cursor.fetchall():
                for value in row:
                    plain = bytes(value) if isinstance(value, (bytes, memoryview)) else str(value).encode()
                    parts.append(plain)
    # What is in a session is packed and signed.
    parts += [repr(SessionStore().decode(row.session_data)).encode() for row in Session.objects.all()]
    return b"\n".join(parts)


def folder() -> bytes:
    """Give every byte of the data folder, the database left out, which is read as a database."""
    files = [path for path in Path(django_settings.COMMONBEAT.data_dir).rglob("*") if path.is_file()]
    return b"\n".join(path.read_bytes() for path in files if "sqlite" not in path.name)


def test_after_reading_neither_database_nor_folder_hold_the_key_or_a_word() -> None:
    desk, (one, _other) = desk_with(2)
    tip, receipt = tip_at(desk)
    client = unlocked(one, desk)
    assert TEXT in client.get(address(desk, "tip", tip_id=tip.pk)).content.decode()
    client.post(address(desk, "act", tip_id=tip.pk, verb="answer"), {"text": ANSWER})
    cookie = client.cookies[tips_keyring.COOKIE].value
    (half,) = [kept.half for kept in tips_keyring._halves.values()]
    stored = dump() + folder()
    # What is looked for can be found.
    assert bytes(one.member.public) in stored and bytes(one.member.by_passphrase) in stored
    hidden = (one.pair.private, half, cookie.encode(), TEXT.encode(), ANSWER.encode(), PASSPHRASE.encode())
    for secret in (*hidden, receipt.encode()):
        for form in (secret, secret.hex().encode(), b64encode(secret), urlsafe_b64encode(secret)):
            assert form not in stored


def test_each_half_alone_opens_nothing() -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    page = address(desk, "tip", tip_id=tip.pk)
    client = unlocked(one, desk)
    cookie = client.cookies[tips_keyring.COOKIE]
    half = cookie.value
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == (address(desk, "desk"), "Strict", True)
    assert cookie["max-age"] == "" and cookie["expires"] == "", "it goes with the browser"
    # The cookie in another session of the same person.
    thief = make.signed_in(one.user)
    thief.cookies[tips_keyring.COOKIE] = half
    assert TEXT not in thief.get(page).content.decode()
    # The session without the cookie, or with another one.
    for value in ("", "AAAA", "A" * 44, "é"):
        client.cookies[tips_keyring.COOKIE] = value
        assert TEXT not in client.get(page).content.decode()
    client.cookies[tips_keyring.COOKIE] = half
    assert TEXT in client.get(page).content.decode()


def test_the_cookie_is_secure_where_the_site_is(settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    desk, (one, _other) = desk_with(2)
    assert unlocked(one, desk).cookies[tips_keyring.COOKIE]["secure"]


def test_it_locks_after_fifteen_minutes_without_a_page_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    page = address(desk, "tip", tip_id=tip.pk)
    client = unlocked(one, desk)
    for _page in range(3):
        wait(monkeypatch, minutes=14)
        assert TEXT in client.get(page).content.decode()
    wait(monkeypatch, minutes=14)
    assert client.post(address(desk, "stay")).status_code == 204
    wait(monkeypatch, minutes=14)
    assert TEXT in client.get(page).content.decode()
    wait(monkeypatch, minutes=15)
    assert TEXT not in client.get(page).content.decode()
    assert not tips_keyring._halves, "what is idle is not kept"
    assert client.post(address(desk, "stay")).status_code == 409


def test_what_was_typed_survives_the_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, (one, other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    client = unlocked(one, desk)
    wait(monkeypatch, minutes=16)
    posted = client.post(address(desk, "act", tip_id=tip.pk, verb="answer"), {"text": f"{ANSWER}\r\n\r\n<b>Δ</b>"})
    assert posted.status_code == 409
    text = posted.content.decode()
    assert "What you typed is kept" in text
    assert ANSWER not in text, "who finds the computer reads nothing in the page"
    sealed = unescape(re.findall(r'name="typed" value="([^"]+)"', text)[0])
    assert not TipText.objects.filter(direction="to_source").exists()
    assert ANSWER.encode() not in dump() + folder()
    # A wrong passphrase loses nothing either.
    wrong = unlock(client, desk, "not this one at all", tip=tip.pk, typed=sealed)
    assert wrong.status_code == 422
    assert sealed in unescape(wrong.content.decode())
    shown = unlock(client, desk, tip=tip.pk, typed=sealed)
    assert shown.status_code == 200
    assert ANSWER in unescape(re.findall(r"<textarea.*?>(.*?)</textarea>", shown.content.decode(), re.S)[0])
    assert "&lt;b&gt;Δ&lt;/b&gt;" in shown.content.decode()
    assert not TipText.objects.filter(direction="to_source").exists(), "it is sent when somebody says so"
    # Another member, and another tip, get nothing of it.
    stranger = unlock(make.signed_in(other.user), desk, tip=tip.pk, typed=sealed)
    assert stranger.status_code == 302
    another, _more = tip_at(desk, "Another one.")
    assert unlock(client, desk, tip=another.pk, typed=sealed).status_code == 302


def test_a_tip_that_is_gone_meanwhile_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    client = unlocked(one, desk)
    wait(monkeypatch, minutes=16)
    text = client.post(address(desk, "act", tip_id=tip.pk, verb="answer"), {"text": ANSWER}).content.decode()
    sealed = unescape(re.findall(r'name="typed" value="([^"]+)"', text)[0])
    number = tip.pk
    ending.delete_tip(tip_id=number, now=NOW)
    told = client.post(address(desk, "unlock"), {"passphrase": PASSPHRASE, "tip": number, "typed": sealed}, follow=True)
    assert "is not there any more" in told.content.decode()


def test_a_chosen_outcome_survives_too(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    client = unlocked(one, desk)
    wait(monkeypatch, minutes=16)
    text = client.post(address(desk, "act", tip_id=tip.pk, verb="close"), {"outcome": "spam"}).content.decode()
    sealed = unescape(re.findall(r'name="typed" value="([^"]+)"', text)[0])
    shown = unlock(client, desk, tip=tip.pk, typed=sealed).content.decode()
    assert re.search(r'value="spam" checked', shown)
    tip.refresh_from_db()
    assert tip.state == "open"


@pytest.mark.parametrize("nonsense", ["x", "AAAA", "é", "A" * 4_000, "=" * 40])
def test_nonsense_for_what_was_typed_is_nothing(nonsense: str) -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    client = make.signed_in(one.user)
    assert unlock(client, desk, tip=tip.pk, typed=nonsense)["Location"] == address(desk, "tip", tip_id=tip.pk)
    assert unlock(client, desk, tip="../x")["Location"] == address(desk, "desk")


def test_wrong_passphrases_are_slowed_down_for_that_member_alone() -> None:
    desk, (one, other) = desk_with(2)
    client = make.signed_in(one.user)
    for _right in range(8):
        assert unlock(client, desk).status_code == 302
    for _wrong in range(5):
        assert unlock(client, desk, "not this one at all").status_code == 422
    assert unlock(client, desk).status_code == 429
    assert unlock(make.signed_in(one.user), desk).status_code == 429, "nor in another browser"
    own = {"passphrase": "quite another phrase", "again": "quite another phrase"}
    for name, more in (("recover", {"recovery": one.recovery}), ("key_act", {"old": PASSPHRASE})):
        numbers = {"verb": "passphrase"} if name == "key_act" else {}
        assert client.post(address(desk, name, **numbers), {**own, **more}).status_code == 429
    assert unlock(make.signed_in(other.user), desk).status_code == 302


def test_lock_now_sign_out_and_a_new_password_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, (one, _other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    page = address(desk, "tip", tip_id=tip.pk)
    client = unlocked(one, desk)
    answer = client.post(address(desk, "lock"))
    assert answer.cookies[tips_keyring.COOKIE].value == ""
    assert not tips_keyring._halves
    assert TEXT not in client.get(page).content.decode()
    unlock(client, desk)
    assert tips_keyring._halves
    client.post("/account/logout/")
    assert not tips_keyring._halves
    assert client.get(page).status_code == 302
    client = unlocked(one, desk)
    one.user.set_password("another long enough word")
    one.user.save()
    assert client.get(page).status_code == 302
    again = make.signed_in(one.user)
    again.cookies[tips_keyring.COOKIE] = client.cookies[tips_keyring.COOKIE].value
    assert TEXT not in again.get(page).content.decode()


def test_unlocking_heals_what_a_race_left_out() -> None:
    desk, (one, other) = desk_with(2)
    tip, _receipt = tip_at(desk)
    tip.keys.filter(member_id=other.member.pk).delete()
    assert queries.tip_for(other.member, tip.pk) is None
    unlocked(one, desk)
    assert queries.tip_for(other.member, tip.pk) is not None


def test_few_passphrases_are_tried_at_once_and_the_others_wait_or_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tips_keyring, "PATIENCE_SECONDS", 0.01)
    going, busy = threading.Event(), 0
    inside = threading.Barrier(tips_keyring.AT_ONCE + 1)

    def stretch() -> None:
        with tips_keyring.stretching():
            inside.wait(5)
            going.wait(5)

    threads = [threading.Thread(target=stretch) for _one in range(tips_keyring.AT_ONCE)]
    for thread in threads:
        thread.start()
    inside.wait(5)
    desk, (one, _other) = desk_with(2)
    client = make.signed_in(one.user)
    answer = unlock(client, desk)
    assert answer.status_code == 503
    assert "Try again in a moment" in answer.content.decode()
    going.set()
    for thread in threads:
        thread.join()
    # It was not counted as wrong.
    for _again in range(6):
        busy += unlock(client, desk).status_code == 503
    assert busy == 0


def test_who_has_no_key_is_led_to_make_one(administrator: User) -> None:
    desk, _seats = desk_with(2)
    user = make.make_user(role=Role.OFFICER)
    membership.name_member(desk_id=desk.pk, user_id=user.pk, actor=administrator, now=NOW)
    client = make.signed_in(user)
    for name in ("unlock", "key", "recover"):
        assert client.get(address(desk, name))["Location"] == address(desk, "enrol")
