"""For the oversight body's own computer: make a key, countersign a site's log, take proofs out of an exported one."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from commonbeat.cli.log_files import keys_of, text_of
from commonbeat.cli.log_source import fetch, new_client, tiles_at
from commonbeat.foundation.crypto import keep_key
from commonbeat.journal.log_file import (
    FIRST_LINE,
    LogFileError,
    entry_at,
    leaf_hashes,
    position_of,
    read_log,
    tiles_over,
    told_hashes,
)
from commonbeat.journal.merkle import (
    ProofError,
    ReadTile,
    check_consistency,
    consistency_path,
    inclusion_path,
    subtree_in,
)
from commonbeat.journal.notes import (
    COUNTERSIGNS,
    Checkpoint,
    Note,
    NoteError,
    Signer,
    Verifier,
    check_signed,
    new_signer,
    read_checkpoint,
    read_note,
    read_signer,
    read_verifier,
    signature_of,
)
from commonbeat.journal.proofs import Consistency, Inclusion

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(dir_okay=False, path_type=Path)


@click.group("log")
def log_group() -> None:
    """Make a key, countersign a log, take proofs out of an exported one. None of these needs a site here."""


@log_group.command("key")
@click.argument("file", type=_NEW)
@click.option("--name", required=True, help="Name of the key: one word, such as oversight.example/2026.")
def make_key(file: Path, name: str) -> None:
    """Make a private key in FILE, unless it is there, and write its public key."""
    try:
        if file.exists():
            signer = read_signer(text_of(file))
            click.echo(f"{file} is there already; nothing was changed.", err=True)
        else:
            signer = read_signer(keep_key(file, new_signer(name, COUNTERSIGNS).text.encode() + b"\n").decode())
    except (NoteError, LogFileError) as error:
        raise click.ClickException(f"{error}.") from None
    click.echo(signer.verifier.text)


@log_group.command("countersign")
@click.argument("checkpoint")
@click.option("--key", "key_file", type=_FILE, required=True, help="File with the oversight body's private key.")
@click.option("--log-key", help="The log's public key, or a file with it; needed the first time.")
@click.option("--log", "exported", type=_FILE, help="An exported log, where CHECKPOINT is a file of its own.")
@click.option("--state", type=_NEW, help="File that remembers what was signed; unless given, beside the key.")
def countersign(
    checkpoint: str, key_file: Path, log_key: str | None, exported: Path | None, state: Path | None
) -> None:
    """Countersign CHECKPOINT: the log's address (https://town.example/log), an exported log, or a checkpoint's file.

    Refused where the log does not go on from the one that was signed last. Writes the checkpoint with both signatures.
    """
    try:
        signer = read_signer(text_of(key_file))
        if signer.kind != COUNTERSIGNS:
            raise click.ClickException("This is no key for countersigning. Make one with `commonbeat log key`.")
        state = state or key_file.with_name(key_file.name + ".signed.json")
        with _alone(state):
            text = _countersign(checkpoint, exported, signer, log_key, state)
    except (NoteError, ProofError, LogFileError) as error:
        raise click.ClickException(f"Not signed: {error}.") from None
    click.echo(text, nl=False)


@log_group.command("inclusion")
@click.argument("file", type=_FILE)
@click.argument("number", type=click.IntRange(min=0))
def inclusion(file: Path, number: int) -> None:
    """Write the proof that the entry with NUMBER (of the journal) is in the exported log FILE."""
    try:
        found = read_log(file)
        position = position_of(file, number)
        entry = None if position is None else entry_at(file, position)
        if position is None or entry is None:
            raise click.ClickException(f"There is no entry number {number} in {file.name}.")
        path = inclusion_path(position, found.count, subtree_in(tiles_over(leaf_hashes(file))))
        proof = Inclusion(entry, position, tuple(path), found.note)
        proof.check()
    except (NoteError, ProofError, LogFileError) as error:
        raise click.ClickException(f"{error}.") from None
    click.echo(str(proof), nl=False)


@log_group.command("consistency")
@click.argument("file", type=_FILE)
@click.argument("old", type=click.IntRange(min=0))
def consistency(file: Path, old: int) -> None:
    """Write the proof that the exported log FILE goes on from the one of OLD entries."""
    try:
        found = read_log(file)
        if not found.is_whole:
            raise click.ClickException("This log was tampered with: see `commonbeat verify log`.")
        path = consistency_path(old, found.count, subtree_in(tiles_over(leaf_hashes(file))))
    except (NoteError, ProofError, LogFileError) as error:
        raise click.ClickException(f"{error}.") from None
    click.echo(str(Consistency(old, tuple(path), found.note)), nl=False)


def _countersign(source: str, exported: Path | None, signer: Signer, log_key: str | None, state: Path) -> str:
    with new_client() as client:
        if source.startswith(("http://", "https://")):
            address = source.rstrip("/").removesuffix("/checkpoint")
            note = read_note(fetch(client, f"{address}/checkpoint").decode("utf-8", "replace"))
            said = read_checkpoint(note.text)
            read: ReadTile | None = tiles_at(client, address, said.size)
        else:
            note, read = _from_file(Path(source), exported)
            said = read_checkpoint(note.text)
        seen = _read_state(state)
        verifier = _log_verifier(said, log_key, seen.get(said.origin))
        check_signed(note, [verifier])
        if said.origin in seen:
            _check_goes_on(seen[said.origin], said, read)
    line = signer.line(note.text, at=int(time.time()))
    seen[said.origin] = {"key": verifier.text, "size": said.size, "root": base64.b64encode(said.root).decode()}
    # Remembered before it is given away: what is not remembered was not signed.
    _write_state(state, seen)
    others = tuple(one for one in note.lines if signature_of(Note(note.text, (one,)), signer.verifier) is None)
    return str(Note(note.text, (*others, line)))


def _from_file(file: Path, exported: Path | None) -> tuple[Note, ReadTile | None]:
    try:
        with file.open("rb") as handle:
            is_export = handle.read(len(FIRST_LINE)) == FIRST_LINE
    except OSError:
        raise click.BadParameter(f"“{file}” is neither an address nor a file that can be read") from None
    if is_export:
        found = read_log(file)
        if not found.is_whole:
            raise ProofError(f"{file.name} was tampered with: see `commonbeat verify log`")
        return found.note, tiles_over(leaf_hashes(file))
    return read_note(text_of(file)), tiles_over(told_hashes(exported)) if exported is not None else None


def _log_verifier(said: Checkpoint, given: str | None, seen: dict[str, Any] | None) -> Verifier:
    known = read_verifier(seen["key"]) if seen is not None else None
    wanted = keys_of([given])[0] if given else known
    if wanted is None:
        raise NoteError(
            "this log is signed for the first time. Name its key with --log-key: it stands at …/log/key, "
            "and somebody of the site should read it to you by another way"
        )
    if known is not None and known != wanted:
        raise NoteError("the log's key is not the one of last time; if that is meant, begin with another --state")
    if wanted.name != said.origin:
        raise NoteError(f"this is the log {said.origin}, and the key is that of {wanted.name}")
    return wanted


def _check_goes_on(seen: dict[str, Any], said: Checkpoint, read: ReadTile | None) -> None:
    size, root = int(seen["size"]), base64.b64decode(seen["root"])
    if said.size < size:
        raise ProofError(f"it has {said.size} entries, and had {size} when it was signed last: some were removed")
    path: list[bytes] = []
    if 0 < size < said.size:
        if read is None:
            raise ProofError("whether it goes on from the last one cannot be told: name an exported log with --log")
        path = consistency_path(size, said.size, subtree_in(read))
    try:
        check_consistency(size, said.size, path, root, said.root)
    except ProofError as error:
        raise ProofError(f"it does not go on from the {size} entries that were signed last ({error})") from None


def _read_state(file: Path) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise NoteError(f"{file} is damaged, and so what was signed last is not known") from None
    return {str(origin): dict(one) for origin, one in found.items()}


def _write_state(file: Path, seen: dict[str, dict[str, Any]]) -> None:
    temporary = file.with_name(f".{file.name}.part")
    with temporary.open("w", encoding="utf-8") as handle:
        json.dump(seen, handle, indent=2)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.replace(file)


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    # Two at once could each sign another log.
    with state.with_name(f".{state.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
