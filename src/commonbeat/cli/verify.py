"""Verify a transparency log, or a proof of one; without the site, but for `verify site`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import NoReturn, ParamSpec

import click

from commonbeat.cli.log_files import keys_of, text_of
from commonbeat.journal.log_file import (
    LogFileError,
    Read,
    first_difference,
    leaf_hashes,
    named,
    read_log,
    told_hashes,
)
from commonbeat.journal.merkle import ProofError, root_of
from commonbeat.journal.notes import Checkpoint, Note, NoteError, check_signed, read_checkpoint, read_note
from commonbeat.journal.proofs import read_consistency, read_inclusion

# Exit codes: something is not what was signed; something cannot be read at all.
WRONG, UNREADABLE = 1, 2
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_key = click.option(
    "--key", "keys", multiple=True, help="The log's public key, or a file with it; of a note also others."
)
P = ParamSpec("P")


@click.group("verify")
def verify_group() -> None:
    """Verify the transparency log. Exit code 0: all is well, 1: something was changed, 2: it cannot be read."""


def _told(function: Callable[P, None]) -> Callable[P, None]:
    """End with a sentence and an exit code where a file or proof cannot be believed."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except LogFileError as error:
            _end(UNREADABLE, str(error))
        except (NoteError, ProofError) as error:
            _end(WRONG, f"This cannot be believed: {error}.")

    return run


@verify_group.command("log")
@click.argument("file", type=_FILE)
@_key
@click.option("--checkpoint", "kept", type=_FILE, multiple=True, help="A checkpoint that was kept elsewhere.")
@click.option("--against", type=_FILE, help="An older export of the same log, to name what was changed since.")
@_told
def verify_log(file: Path, keys: tuple[str, ...], kept: tuple[Path, ...], against: Path | None) -> None:
    """Verify a whole log, as the overseer's page exports it, and name the first entry that was tampered with."""
    begun = time.perf_counter()
    found = read_log(file)
    seconds = time.perf_counter() - begun
    _check_keys(found.note, keys)
    if not found.is_whole:
        _name_tampering(file, found, against)
    if against is not None:
        _check_against(file, against, keys)
    _check_kept(file, found, kept, keys)
    rate = f"{found.count / max(seconds, 1e-9):,.0f} entries a second"
    click.echo(f"{found.checkpoint.origin}: {found.count:,} entries are what was signed ({seconds:.1f} s, {rate}).")
    _say_of_keys(keys)


@verify_group.command("inclusion")
@click.argument("file", type=_FILE)
@_key
@_told
def verify_inclusion(file: Path, keys: tuple[str, ...]) -> None:
    """Verify the proof that an entry is in a log, and show the entry."""
    proof = read_inclusion(text_of(file))
    checkpoint = proof.check()
    _check_keys(proof.note, keys)
    click.echo(f"{checkpoint.origin}: at position {proof.index} of {checkpoint.size:,} stands")
    # Escaped, for the proof may be anybody's and a terminal obeys some bytes.
    click.echo(proof.entry.decode("ascii", "backslashreplace").encode("unicode_escape").decode())
    _say_of_keys(keys)


@verify_group.command("consistency")
@click.argument("file", type=_FILE)
@click.option("--old", "older", type=_FILE, required=True, help="The older checkpoint.")
@_key
@_told
def verify_consistency(file: Path, older: Path, keys: tuple[str, ...]) -> None:
    """Verify the proof that a log only grew since an older checkpoint."""
    note = read_note(text_of(older))
    old = read_checkpoint(note.text)
    proof = read_consistency(text_of(file))
    new = proof.check(old)
    for signed in (note, proof.note):
        _check_keys(signed, keys)
    click.echo(f"{new.origin}: the {old.size:,} entries of then are the first of the {new.size:,} of now.")
    _say_of_keys(keys)


@verify_group.command("site")
@click.option("--checkpoint", "kept", type=_FILE, multiple=True, help="A checkpoint that was kept elsewhere.")
@_key
@_told
def verify_site(kept: tuple[Path, ...], keys: tuple[str, ...]) -> None:
    """Verify this site's journal against its own log: each entry, each hash, each checkpoint."""
    from commonbeat.cli.site import open_site, unapplied_migrations

    options = open_site(only_load=True)
    if unapplied_migrations()[0]:
        _end(UNREADABLE, "The database is not up to date. Run `commonbeat migrate` first.")
    from commonbeat.journal.log_check import check_site
    from commonbeat.journal.site_key import blinding_key

    known = [read_checkpoint(note.text) for note in _notes(kept, keys)]
    found = check_site(blinding=blinding_key(options.secret), known=known)
    if found.wrong:
        _end(WRONG, f"The journal is not what was logged: {found.wrong}.")
    waiting = f" {found.waiting:,} newer ones are not in the log yet." if found.waiting else ""
    click.echo(f"All {found.size:,} entries are what was logged, under {found.checkpoints} checkpoints.{waiting}")


def _name_tampering(file: Path, found: Read, against: Path | None) -> NoReturn:
    told = told_hashes(file)
    if len(told) == found.checkpoint.size and root_of(told) == found.checkpoint.root:
        difference = first_difference(told, leaf_hashes(file))
        if difference is not None:
            _end(WRONG, f"This log was tampered with: {named(difference, file)}.")
    if against is not None:
        _check_against(file, against, ())
    _end(
        WRONG,
        f"This log was tampered with: its {found.count:,} entries do not give the root of its checkpoint, "
        "and its hashes neither. Name an older export with --against to learn where.",
    )


def _check_against(file: Path, against: Path, keys: Iterable[str]) -> None:
    old = read_log(against)
    _check_keys(old.note, keys)
    if not old.is_whole:
        _end(WRONG, f"{against.name} itself was tampered with, and says nothing of another file.")
    difference = first_difference(leaf_hashes(against), leaf_hashes(file))
    # What comes after the end of the older one is what has happened since.
    if difference is not None and difference.position < old.count:
        _end(WRONG, f"This log is not the one of {against.name}: {named(difference, file)}.")


def _check_kept(file: Path, found: Read, kept: Iterable[Path], keys: Iterable[str]) -> None:
    notes = _notes(kept, keys)
    hashes = leaf_hashes(file) if notes else []
    for note in notes:
        said = read_checkpoint(note.text)
        if said.origin != found.checkpoint.origin:
            _end(WRONG, f"These are two logs: {found.checkpoint.origin} and {said.origin}.")
        if said.size > found.count:
            _end(WRONG, f"{said.size - found.count:,} entries are missing at the end: {_named(said)} were signed.")
        if root_of(hashes[: said.size]) != said.root:
            _end(
                WRONG,
                f"This log is not the one of the checkpoint of {_named(said)}: an entry before position {said.size} "
                "was changed, removed or inserted. Name an older export with --against to learn which.",
            )


def _notes(files: Iterable[Path], keys: Iterable[str]) -> list[Note]:
    notes = [read_note(text_of(file)) for file in files]
    for note in notes:
        _check_keys(note, keys)
    return notes


def _check_keys(note: Note, keys: Iterable[str]) -> None:
    check_signed(note, keys_of(keys))


def _named(said: Checkpoint) -> str:
    return f"{said.size:,} entries"


def _say_of_keys(keys: tuple[str, ...]) -> None:
    if not keys:
        click.echo("Who signed it was not looked at: name the log's key with --key.", err=True)


def _end(code: int, sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(code)
