"""The keys of a site's log: one signs its checkpoints, one keeps its entries from being guessed."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from commonbeat.foundation.crypto import derive, keep_key
from commonbeat.journal.notes import SIGNS, Signer, new_signer, read_signer


def site_signer(folder: Path, *, address: str) -> Signer:
    """Give the key that signs a site's checkpoints, from its folder of keys; made on first use.

    The log is named after the site's address once and for all: under another name it would be another log.
    """
    file = folder / "log.key"
    try:
        kept = file.read_bytes()
    except FileNotFoundError:
        host = urlsplit(address).netloc.rpartition("@")[2] or "commonbeat"
        kept = keep_key(file, new_signer(f"{host}/log", SIGNS).text.encode() + b"\n")
    return read_signer(kept.decode())


def blinding_key(secret: bytes) -> bytes:
    """Give the key that makes entries unguessable, from the site's secret."""
    return derive(secret, "journal leaves")
