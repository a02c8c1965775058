"""The receipt: eight words that are shown once, and the two things that are derived from them.

The site keeps neither the words nor the look-up, only a keyed hash of the look-up; the source's key pair is made anew
from the words each time. So nobody can list receipts, and whoever has lost one has lost the dialogue.
"""

from __future__ import annotations

import hashlib

from commonbeat.tips import syllables
from commonbeat.tips.errors import Misspelt
from commonbeat.tips.keys import KEY_BYTES, KeyPair, derive, pair_from_seed

# Seven words of chance carry 84 bits; the eighth is their check.
CHANCE_WORDS = 7
RECEIPT_WORDS = CHANCE_WORDS + 1
LOOK_UP_LABEL = "commonbeat tip v1 look-up"
SOURCE_LABEL = "commonbeat tip v1 source key"


def new_receipt() -> str:
    """Draw a receipt: 32 lower-case letters."""
    return syllables.draw(CHANCE_WORDS)


def show_receipt(receipt: str) -> str:
    """Write a receipt as a person copies it: bado-fiku-lura-…"""
    return "-".join(syllables.split(receipt))


def read_receipt(typed: str) -> str:
    """Give the receipt that a person typed; Misspelt when there is an error of typing in it.

    A well-spelt receipt that is unknown is a wrong one: only those count against whoever tries.
    """
    return syllables.read(typed, CHANCE_WORDS)


def is_word_of(receipt: str, typed: str) -> bool:
    """Tell whether a person typed one of the receipt's words back."""
    try:
        word = syllables.meant(syllables.letters_in(typed))
    except Misspelt:
        return False
    return word in syllables.split(receipt)


def look_up(receipt: str) -> bytes:
    """Derive the 32 bytes by which the site finds the tip; they open nothing."""
    return derive(LOOK_UP_LABEL, receipt.encode("ascii"))


def stored_look_up(site_key: bytes, looked_up: bytes) -> bytes:
    """Give the keyed hash that the site stores of a look-up; without the site's key nobody can test a guess by it."""
    if not 16 <= len(site_key) <= 64 or len(looked_up) != KEY_BYTES:
        raise ValueError("the site's key has 16 to 64 bytes and a look-up 32")
    return hashlib.blake2b(looked_up, digest_size=32, key=site_key).digest()


def source_pair(receipt: str) -> KeyPair:
    """Derive the source's key pair."""
    return pair_from_seed(derive(SOURCE_LABEL, receipt.encode("ascii")))
