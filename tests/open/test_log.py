"""Anybody reads what was signed and its hashes, and nothing of what was done."""

from __future__ import annotations

import pytest
from django.test import Client

from commonbeat.journal.actions import append
from commonbeat.journal.actions.log import sequence
from commonbeat.journal.leaves import commitment
from commonbeat.journal.log_queries import logged_entries, read_tile
from commonbeat.journal.merkle import leaf_hash, split, subtree_in, width_of
from commonbeat.journal.models import Commitment, Entry
from commonbeat.journal.notes import check_signed, read_checkpoint, read_note, read_verifier
from tests.journal.log_site import BLINDING, MINUTE, OVERSEER, SITE, countersigned, entries, logged
from tests.make import NOW

pytestmark = pytest.mark.django_db


def test_what_is_not_there_yet_is_not_found(client: Client) -> None:
    for path in ("checkpoint", "countersigned", "key", "tile/0/000"):
        assert client.get(f"/log/{path}").status_code == 404


def test_checkpoint_and_key_verify_each_other(client: Client) -> None:
    logged(5)
    answer = client.get("/log/checkpoint")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=5" and not answer.cookies
    note = read_note(answer.content.decode())
    check_signed(note, [read_verifier(client.get("/log/key").content.decode())])
    assert read_checkpoint(note.text).size == 5
    etag = answer.headers["ETag"]
    assert client.get("/log/checkpoint", headers={"if-none-match": etag}).status_code == 304
    logged(1, now=NOW + MINUTE)
    assert client.get("/log/checkpoint", headers={"if-none-match": etag}).status_code == 200
    assert client.post("/log/checkpoint").status_code == 405


def test_what_is_countersigned_stays_readable_beside_what_is_newer(client: Client) -> None:
    logged(5)
    countersigned()
    logged(5, now=NOW + MINUTE)
    note = read_note(client.get("/log/countersigned").content.decode())
    check_signed(note, [SITE.verifier, OVERSEER.verifier])
    assert read_checkpoint(note.text).size == 5
    assert read_checkpoint(read_note(client.get("/log/checkpoint").content.decode()).text).size > 5


def test_the_tree_can_be_built_from_the_tiles(client: Client) -> None:
    logged(600)
    said = read_checkpoint(read_note(client.get("/log/checkpoint").content.decode()).text)

    def read(level: int, number: int) -> bytes:
        width = width_of(level, number, said.size)
        answer = client.get(f"/log/tile/{level}/{number:03d}" + (f".p/{width}" if width < 256 else ""))
        assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/octet-stream"
        assert "immutable" in answer.headers["Cache-Control"] and not answer.cookies
        return answer.content

    assert subtree_in(read)(0, said.size) == said.root
    hashes = [leaf_hash(entry) for entry in logged_entries(600, blinding=BLINDING)]
    assert [one for number in range(3) for one in split(read(0, number))] == hashes
    # A narrower one that was asked for before is still given.
    assert client.get("/log/tile/0/002.p/7").content == read(0, 2)[: 7 * 32]


@pytest.mark.parametrize(
    "path",
    [
        "0/002", "0/002.p/89", "0/002.p/0", "0/003.p/1", "1/000", "1/000.p/3", "2/000.p/1", "0/000.p/256", "00/000",
        "0/0",
        "0/x000/000", "0/x001/000", "64/000", "0/-01", "0/000.p/", "0/000/", "entries/000", "0/٠٠٠", "x/000", "0/1000",
        "99/x999/x999/x999/x999/x999/999",
    ],
)  # fmt: skip
def test_what_is_no_tile_of_the_signed_tree_is_not_found(path: str, client: Client) -> None:
    logged(600)
    assert client.get(f"/log/tile/{path}").status_code == 404


def test_what_is_not_signed_yet_is_not_shown(client: Client) -> None:
    logged(5)
    entries(3)
    sequence(blinding=BLINDING)
    assert len(read_tile(0, 0)) == 8 * 32
    assert client.get("/log/tile/0/000.p/8").status_code == 404
    assert client.get("/log/tile/0/000.p/5").status_code == 200


def test_nobody_learns_from_the_tiles_what_was_done_or_by_whom(client: Client) -> None:
    """Hash what a guesser knows: all of an entry but the bytes that nobody can guess, and the person in every way."""
    append(kind="messaging.stopped", subject_id=57, now=NOW)
    append(kind="reports.submitted", subject_id=812, now=NOW, data={"channel": "sms"})
    logged(0)
    shown = client.get("/log/tile/0/000.p/2").content
    salt = bytes(Commitment.objects.get(number=57).salt or b"")
    for line, entry in zip(logged_entries(2, blinding=BLINDING), Entry.objects.order_by("id"), strict=True):
        assert leaf_hash(line) in shown
        for known in (line[: line.rindex(b',"')] + b"]", str(entry.subject_id).encode(), entry.kind.encode()):
            assert leaf_hash(known) not in shown and known not in shown
    for secret in (salt, commitment(salt, ("contact", 57)), b"57"):
        assert secret not in shown
