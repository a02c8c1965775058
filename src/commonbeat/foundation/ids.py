"""References that people read aloud, tokens and keys that nobody reads."""

import itertools
import re
import secrets
import unicodedata

from commonbeat.foundation.text import ascii_digits

# 31 characters: no 0/O and no 1/I/L. 31 is prime, so a weighted sum modulo 31 catches every single wrong
# character and every swap of two characters. Nine random ones carry 44 bits.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 10

_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_DIGITS = frozenset("23456789")
_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 1)
# What a person may have seen when they typed a character that no reference contains. The check character
# decides between the candidates; when two of them pass, none is taken.
_LOOK_ALIKES = {"0": "QD", "O": "QD", "1": "7JT", "I": "7JT", "L": "7JT"}
# Letters of Cyrillic and Greek keyboards that look the same on the screen.
_SAME_SHAPE = str.maketrans("АВЕКМНРСТУХЈЅΑΒΕΗΚΜΝΡΤΥΧΖ", "ABEKMHPCTYXJSABEHKMNPTYXZ")
_SEPARATORS = re.compile(r"[\s\-‐-―−_.·/]+")
_CANDIDATE = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{4}[\s\-‐-―−_.]{0,3}[0-9A-Z]{4}[\s\-‐-―−_.]{0,3}[0-9A-Z]{2}(?![0-9A-Z])")


def new_reference() -> str:
    """Return a fresh 10-character reference: nine random characters and a check character."""
    while True:
        body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
        reference = body + _check_character(body)
        if _is_mixed(reference):
            return reference


def format_reference(reference: str) -> str:
    """Group a reference for reading aloud: KX7M-4QXP-2R."""
    return f"{reference[:4]}-{reference[4:8]}-{reference[8:]}"


def parse_reference(text: str) -> str | None:
    """Return the reference that a person typed, forgiving case, spaces, dashes, scripts and look-alikes.

    None when it has another length or its check character fails.
    """
    if len(text) > 80:
        return None
    return _parse(_SEPARATORS.sub("", _flatten(text)))


def find_reference(text: str) -> str | None:
    """Return the first reference inside a message, or None."""
    flat = _flatten(text[:5000])
    for match in _CANDIDATE.finditer(flat):
        reference = _parse(_SEPARATORS.sub("", match.group()))
        if reference is not None:
            return reference
    return None


def new_token() -> str:
    """Return 128 random bits as 22 URL-safe characters."""
    return secrets.token_urlsafe(16)


def random_key() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(32)


def _flatten(text: str) -> str:
    plain = unicodedata.normalize("NFKC", ascii_digits(text)).upper().translate(_SAME_SHAPE)
    return "".join(character for character in plain if unicodedata.category(character) != "Cf")


def _parse(compact: str) -> str | None:
    if len(compact) != LENGTH:
        return None
    choices = []
    for character in compact:
        choice = character if character in _VALUE else _LOOK_ALIKES.get(character, "")
        if not choice:
            return None
        choices.append(choice)
    # Three look-alikes in one reference would make the check character decide among too many.
    if sum(len(choice) > 1 for choice in choices) > 2:
        return None
    passing = [
        reference
        for reference in map("".join, itertools.product(*choices))
        if _sum(reference) == 0 and _is_mixed(reference)
    ]
    return passing[0] if len(passing) == 1 else None


def _is_mixed(reference: str) -> bool:
    # A digit and a letter, so that no word and no phone number in a message is taken for a reference.
    digits = sum(character in _DIGITS for character in reference)
    return 0 < digits < LENGTH


def _sum(reference: str) -> int:
    return sum(weight * _VALUE[character] for weight, character in zip(_WEIGHTS, reference, strict=True)) % 31


def _check_character(body: str) -> str:
    return ALPHABET[-_sum(body + ALPHABET[0]) % 31]
