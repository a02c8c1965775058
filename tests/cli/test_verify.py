"""`commonbeat verify` finds what was done to a log, and `commonbeat log` signs none that does not go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from django.test import Client

from commonbeat.cli import log as log_command
from commonbeat.cli.log import log_group
from commonbeat.cli.verify import verify_group
from commonbeat.journal.actions import move_cursor
from commonbeat.journal.actions.log import add_countersignature, add_countersigner
from commonbeat.journal.log_file import CHECKPOINT_LINE, HASHES_LINE
from commonbeat.journal.log_queries import LOG_CURSOR, inclusion_of
from commonbeat.journal.models import Checkpoint, Entry, Tile
from tests.journal.log_site import BLINDING, MINUTE, SITE, countersigned, exported, logged
from tests.make import NOW

pytestmark = pytest.mark.django_db
KEY = SITE.verifier.text


def verify(*arguments: object) -> Result:
    return CliRunner().invoke(verify_group, [str(one) for one in arguments])


def run(*arguments: object) -> Result:
    return CliRunner().invoke(log_group, [str(one) for one in arguments])


def lines_of(file: Path) -> list[bytes]:
    return file.read_bytes().split(b"\n")


def test_a_whole_log_verifies(tmp_path: Path) -> None:
    logged(600)
    countersigned()
    file = exported(tmp_path / "log.txt")
    answer = verify("log", file, "--key", KEY)
    assert answer.exit_code == 0 and "town.example/log: 600 entries are what was signed" in answer.output
    assert "was not looked at" in verify("log", file).output
    stranger = KEY.replace("town.example/log", "other.example")
    assert verify("log", file, "--key", stranger).exit_code == 1
    (tmp_path / "key").write_text(KEY + "\n")
    assert verify("log", file, "--key", tmp_path / "key").exit_code == 0
    assert verify("log", file, "--key", tmp_path / "none").exit_code == 2


def _changed(lines: list[bytes]) -> None:
    lines[4] = lines[4].replace(b"stopped", b"started")


def _removed(lines: list[bytes]) -> None:
    del lines[4]


def _inserted(lines: list[bytes]) -> None:
    lines.insert(4, lines[4].replace(b"[", b"[9", 1))


def _reordered(lines: list[bytes]) -> None:
    lines[4], lines[7] = lines[7], lines[4]


def _truncated(lines: list[bytes]) -> None:
    del lines[lines.index(b"-- hashes") - 1]


def _appended(lines: list[bytes]) -> None:
    lines.insert(lines.index(b"-- hashes"), lines[4].replace(b"[", b"[9", 1))


def _torn(lines: list[bytes]) -> None:
    lines[4] = b"x"


CHANGES: dict[Callable[[list[bytes]], None], str] = {
    _changed: "an entry was changed at position 3",
    _removed: "an entry was removed at position 3",
    _inserted: "an entry was inserted at position 3",
    _reordered: "an entry was moved from here to a later place at position 3",
    _truncated: "an entry was removed at position 599",
    _appended: "an entry was inserted at position 600",
    _torn: "an entry was changed at position 3",
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_first_entry_that_was_tampered_with_is_named(change: Callable[[list[bytes]], None], tmp_path: Path) -> None:
    logged(600)
    file = exported(tmp_path / "log.txt")
    lines = lines_of(file)
    change(lines)
    file.write_bytes(b"\n".join(lines))
    answer = verify("log", file, "--key", KEY)
    assert answer.exit_code == 1 and CHANGES[change] in answer.output


def test_whoever_changes_the_hashes_too_is_found_by_an_older_export(tmp_path: Path) -> None:
    logged(600)
    old = exported(tmp_path / "old.txt")
    forged = tmp_path / "forged.txt"
    text = old.read_bytes()
    lines = text.split(b"\n")
    _changed(lines)
    head, _mark, rest = b"\n".join(lines).partition(HASHES_LINE)
    forged.write_bytes(head + HASHES_LINE + CHECKPOINT_LINE + rest.partition(CHECKPOINT_LINE)[2])
    answer = verify("log", forged)
    assert answer.exit_code == 1 and "Name an older export" in answer.output
    answer = verify("log", forged, "--against", old)
    assert answer.exit_code == 1 and "an entry was changed at position 3" in answer.output


def test_a_log_that_was_made_anew_is_found_by_what_was_kept(tmp_path: Path) -> None:
    before = logged(300)
    old, note = exported(tmp_path / "old.txt"), tmp_path / "checkpoint"
    note.write_text(before.note)
    logged(10, now=NOW + MINUTE)
    file = exported(tmp_path / "log.txt")
    assert verify("log", file, "--checkpoint", note, "--against", old, "--key", KEY).exit_code == 0
    # Somebody with the database and the site's key makes another past.
    number = int(Entry.objects.order_by("id")[12].pk)
    Entry.objects.filter(pk=number).delete()
    _anew()
    logged(0, now=NOW + 2 * MINUTE)
    fork = exported(tmp_path / "fork.txt")
    assert verify("log", fork, "--key", KEY).exit_code == 0
    answer = verify("log", fork, "--checkpoint", note, "--key", KEY)
    assert answer.exit_code == 1 and "before position 300" in answer.output
    answer = verify("log", fork, "--against", old, "--key", KEY)
    assert answer.exit_code == 1 and "an entry was removed at position 12" in answer.output
    Entry.objects.filter(pk__gt=number).delete()
    _anew()
    logged(0, now=NOW + 3 * MINUTE)
    answer = verify("log", exported(fork), "--checkpoint", note)
    assert answer.exit_code == 1 and "288 entries are missing at the end" in answer.output


def _anew() -> None:
    Tile.objects.all().delete()
    Checkpoint.objects.all().delete()
    move_cursor(name=LOG_CURSOR, to=0)


@pytest.mark.parametrize("text", [b"", b"hello\n", b"commonbeat-log 1\n[1]\n", b"commonbeat-log 1\n-- hashes\n"])
def test_what_is_no_log_is_told_apart_from_one_that_was_changed(text: bytes, tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(text)
    assert verify("log", file).exit_code == 2


def test_proofs_are_verified_without_the_site(tmp_path: Path) -> None:
    before = logged(290)
    note, file = tmp_path / "checkpoint", tmp_path / "proof"
    note.write_text(before.note)
    logged(20, now=NOW + MINUTE)
    number = int(Entry.objects.order_by("id")[258].pk)
    proof = inclusion_of(number, blinding=BLINDING)
    assert proof is not None
    file.write_text(str(proof))
    answer = verify("inclusion", file, "--key", KEY)
    assert answer.exit_code == 0 and f"[{number}," in answer.output and "position 258 of 310" in answer.output
    file.write_text(str(proof).replace("index 258", "index 257"))
    assert verify("inclusion", file, "--key", KEY).exit_code == 1
    file.write_text("hello")
    assert verify("inclusion", file).exit_code == 1
    log = exported(tmp_path / "log.txt")
    assert run("inclusion", log, number).output == str(proof)
    assert run("inclusion", log, 10**9).exit_code == 1
    answer = run("consistency", log, 290)
    file.write_text(answer.output)
    answer = verify("consistency", file, "--old", note, "--key", KEY)
    assert answer.exit_code == 0 and "the 290 entries of then are the first of the 310 of now" in answer.output
    note.write_text(before.note.replace("290", "289"))
    assert verify("consistency", file, "--old", note).exit_code == 1
    assert run("consistency", log, 311).exit_code == 1


# ---------------------------------------------------------------- countersigning


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "overseer" / "key"
    answer = run("key", file, "--name", "oversight.example")
    assert answer.exit_code == 0 and answer.output.startswith("oversight.example+")
    assert file.stat().st_mode & 0o077 == 0
    return file


def test_a_key_is_made_once(key: Path) -> None:
    kept = key.read_text()
    answer = run("key", key, "--name", "other.example")
    assert "oversight.example+" in answer.output and "nothing was changed" in answer.output and key.read_text() == kept
    assert run("key", key.with_name("second"), "--name", "two words").exit_code == 1


def test_only_a_log_that_goes_on_is_countersigned(key: Path, tmp_path: Path) -> None:
    logged(300)
    file = exported(tmp_path / "log.txt")
    # Whose log it is must be said the first time.
    answer = run("countersign", file, "--key", key)
    assert answer.exit_code == 1 and "--log-key" in answer.output
    answer = run("countersign", file, "--key", key, "--log-key", KEY)
    assert answer.exit_code == 0
    add_countersigner(text=run("key", key, "--name", "x").stdout, now=NOW, actor_id=1)
    assert add_countersignature(text=answer.output, now=NOW, actor_id=1).size == 300
    state = json.loads((key.parent / "key.signed.json").read_text())
    assert state["town.example/log"]["size"] == 300
    shorter = file
    logged(20, now=NOW + MINUTE)
    file = exported(tmp_path / "longer.txt")
    note = tmp_path / "note"
    note.write_text(Checkpoint.objects.latest("pk").note)
    answer = run("countersign", note, "--key", key)
    assert answer.exit_code == 1 and "--log" in answer.output
    assert run("countersign", note, "--key", key, "--log", file).exit_code == 0
    assert run("countersign", note, "--key", key).exit_code == 0  # the same once more
    answer = run("countersign", shorter, "--key", key)
    assert answer.exit_code == 1 and "some were removed" in answer.output
    # A fork of the same length or longer is refused, and forgotten at once.
    Entry.objects.filter(pk=Entry.objects.order_by("id")[2].pk).update(subject_id=4)
    _anew()
    for count in (0, 30):
        logged(count, now=NOW + 2 * MINUTE + count * MINUTE)
        answer = run("countersign", exported(tmp_path / "fork.txt"), "--key", key)
        assert answer.exit_code == 1 and "does not go on" in answer.output and "—" not in answer.output
    assert json.loads((key.parent / "key.signed.json").read_text())["town.example/log"]["size"] == 322


def test_another_key_of_the_log_is_refused(key: Path, tmp_path: Path) -> None:
    logged(3)
    file = exported(tmp_path / "log.txt")
    other = run("key", tmp_path / "other", "--name", "town.example/log").stdout.strip()
    assert run("countersign", file, "--key", key, "--log-key", other).exit_code == 1
    assert run("countersign", file, "--key", key, "--log-key", KEY).exit_code == 0
    answer = run("countersign", file, "--key", key, "--log-key", other)
    assert answer.exit_code == 1 and "not the one of last time" in answer.output
    (key.parent / "key.signed.json").write_text("{")
    answer = run("countersign", file, "--key", key)
    assert answer.exit_code == 1 and "damaged" in answer.output


def test_a_log_is_countersigned_from_its_public_address(
    key: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        found = client.get(request.url.path)
        return httpx.Response(found.status_code, content=found.content)

    def connected() -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(answer))

    monkeypatch.setattr(log_command, "new_client", connected)
    address = "https://town.example/log"
    assert run("countersign", address, "--key", key, "--log-key", KEY).exit_code == 1  # no checkpoint yet
    logged(700)
    assert run("countersign", address, "--key", key, "--log-key", KEY).exit_code == 0
    logged(50, now=NOW + MINUTE)
    asked.clear()
    assert run("countersign", address + "/checkpoint", "--key", key).exit_code == 0
    assert set(asked) == {"/log/checkpoint", "/log/tile/0/002.p/238", "/log/tile/1/000.p/2"}
    Tile.objects.filter(level=1).update(hashes=bytes(64))
    logged(0)
    Checkpoint.objects.filter(size=750).delete()
    assert run("countersign", address, "--key", key).exit_code == 1
