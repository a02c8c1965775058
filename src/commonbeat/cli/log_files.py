"""Read keys, notes and proofs of a log from files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from commonbeat.journal.log_file import LogFileError
from commonbeat.journal.notes import Verifier, read_verifier
from commonbeat.journal.proofs import MOST_BYTES as PROOF_BYTES


def text_of(file: Path) -> str:
    """Read a small text file as it is; LogFileError where it is none."""
    with file.open("rb") as handle:
        data = handle.read(PROOF_BYTES + 1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise LogFileError(f"{file.name} is not a text") from None
    if len(data) > PROOF_BYTES:
        raise LogFileError(f"{file.name} is too large")
    return text


def keys_of(values: Iterable[str]) -> list[Verifier]:
    """Read public keys, each as it is or from a file."""
    found = []
    for value in values:
        is_key = value.count("+") >= 2 and not Path(value).is_file()
        try:
            found.append(read_verifier(value if is_key else text_of(Path(value))))
        except OSError:
            raise click.BadParameter(f"“{value}” is neither a key nor a file") from None
    return found
