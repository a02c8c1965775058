"""Notes, keys and countersignatures are those of C2SP."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from commonbeat.journal.notes import (
    COUNTERSIGNS,
    SIGNS,
    Checkpoint,
    Note,
    NoteError,
    check_signed,
    new_signer,
    read_checkpoint,
    read_note,
    read_signer,
    read_verifier,
    signature_of,
)
from commonbeat.journal.site_key import site_signer

# The example of golang.org/x/mod/sumdb/note, whose format this is.
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
CHECKPOINT = Checkpoint("town.example/log", 7, bytes(range(32)))


def test_a_signature_of_others_is_verified_and_made_again() -> None:
    verifier = read_verifier(VKEY)
    assert verifier.text == VKEY
    note = read_note(TEXT + "\n" + LINE)
    check_signed(note, [verifier])
    assert str(note) == TEXT + "\n" + LINE
    signer = read_signer(SKEY)
    assert signer.text == SKEY and signer.verifier == verifier
    assert signer.line(TEXT) == LINE
    with pytest.raises(NoteError, match="is wrong"):
        check_signed(Note(note.text.replace("answer", "question"), note.lines), [verifier])


def test_a_countersignature_says_when_and_holds_for_nothing_else() -> None:
    site, overseer = new_signer("town.example/log", SIGNS), new_signer("oversight.example", COUNTERSIGNS)
    note = Note(CHECKPOINT.text, (site.line(CHECKPOINT.text), overseer.line(CHECKPOINT.text, at=1_679_315_147)))
    read = read_note(str(note))
    found = signature_of(read, overseer.verifier)
    assert found == (note.lines[1], 1_679_315_147)
    # Eight bytes of time and 64 of signature behind the id, as tlog-cosignature says.
    data = base64.b64decode(found[0].split(" ")[2])
    assert (
        len(data) == 4 + 8 + 64
        and data[:4] == overseer.verifier.id
        and data[4:12] == (1_679_315_147).to_bytes(8, "big")
    )
    assert signature_of(read, new_signer("oversight.example", COUNTERSIGNS).verifier) is None
    later = data[:4] + (1_679_315_148).to_bytes(8, "big") + data[12:]
    forged = Note(note.text, (f"— oversight.example {base64.b64encode(later).decode()}\n",))
    with pytest.raises(NoteError):
        signature_of(forged, overseer.verifier)
    # The same seed under the other kind is another key: a plain signature is no countersignature.
    assert read_signer(overseer.text) == overseer and read_verifier(overseer.verifier.text).kind == COUNTERSIGNS


def test_checkpoints_are_read_as_they_are_written() -> None:
    assert CHECKPOINT.text == "town.example/log\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert read_checkpoint(CHECKPOINT.text) == CHECKPOINT


@pytest.mark.parametrize(
    "text",
    [
        "", "a\n", "a\n7\n", "a\n07\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", "a b\n7\nAAAA\n", "a\n7\nAAAA\n",
        "a\n-7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", "a\n7\nnot base64\n",
        "a\n٧\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        "a\n7\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\nmore\n",
        "a\n99999999999999999999\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        read_checkpoint(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "text\n", "text\n\n", "text\n\n— name\n", "text\n\nname AAAA\n", "text\n\n— name AAAA",
        "te\rxt\n\n— n AA==\n",
        "text\n\n" + "— name AAAA\n" * 40, "x" * 30_000 + "\n\n— name AAAA\n",
    ],
)  # fmt: skip
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        read_note(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "name", "name+c74f20a3", "name+c74f20a3+AAAA", VKEY.replace("c74f", "c74e"), VKEY.replace("Peter", "Meter"),
        SKEY, VKEY[:-4] + "????", VKEY.replace("+ARpc", "+AhpC"),
    ],
)  # fmt: skip
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        read_verifier(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nline", "x" * 201])
def test_names_that_a_note_cannot_carry_are_refused(name: str) -> None:
    with pytest.raises(NoteError):
        new_signer(name, COUNTERSIGNS)


def test_a_site_makes_its_key_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    signer = site_signer(folder, address="https://town.example")
    assert signer.name == "town.example/log" and signer.kind == SIGNS
    assert (folder / "log.key").stat().st_mode & 0o077 == 0
    # Under another address it stays the same log.
    assert site_signer(folder, address="https://other.example:8000") == signer
