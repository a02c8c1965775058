"""The texts of a dialogue: sealed to the tip's key, which the desk and the source can open."""

from __future__ import annotations

from commonbeat.tips.envelope import Label, Purpose, seal, unseal
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import KeyPair, key_id
from commonbeat.tips.padding import pad, unpad


def seal_to_desk(text: str, *, tip: bytes, number: int, tip_public: bytes) -> bytes:
    """Seal what the source writes; `number` counts the source's texts of this tip from 0. TooLong above 524,287 B."""
    return seal(_label(Purpose.TEXT_TO_DESK, tip, number, tip_public), pad(text.encode("utf-8", "replace")), tip_public)


def seal_to_source(text: str, *, tip: bytes, number: int, tip_public: bytes) -> bytes:
    """Seal what the desk answers; `number` counts the desk's texts of this tip from 0; TooLong above 524,287 bytes."""
    return seal(
        _label(Purpose.TEXT_TO_SOURCE, tip, number, tip_public), pad(text.encode("utf-8", "replace")), tip_public
    )


def open_to_desk(box: bytes, *, tip: bytes, number: int, tip_key: KeyPair) -> str:
    """Read what the source wrote; Unopenable if it is anything else."""
    return _text(_label(Purpose.TEXT_TO_DESK, tip, number, tip_key.public), box, tip_key)


def open_to_source(box: bytes, *, tip: bytes, number: int, tip_key: KeyPair) -> str:
    """Read what the desk answered; Unopenable if it is anything else."""
    return _text(_label(Purpose.TEXT_TO_SOURCE, tip, number, tip_key.public), box, tip_key)


def _label(purpose: Purpose, tip: bytes, number: int, tip_public: bytes) -> Label:
    return Label(purpose, tip, key_id(tip_public), number)


def _text(label: Label, box: bytes, tip_key: KeyPair) -> str:
    try:
        return unpad(unseal(label, box, tip_key)).decode()
    except UnicodeDecodeError:
        # Its own message would quote the bytes.
        raise Unopenable from None
