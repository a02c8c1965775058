"""What of an entry goes into the log, byte for byte: docs/reference/log.md has the format.

The bytes are the same on SQLite and PostgreSQL, and never change for an entry that is in a log: a table here may get
new kinds, and what it says of a kind that was written stays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

ACCOUNT, CONTACT = "account", "contact"
SALT_BYTES = 32
BLIND_BYTES = 16

# Of these kinds the subject is a person.
SUBJECTS: dict[str, str] = {
    **dict.fromkeys(
        (
            "people.staff_created", "people.role_changed", "people.deactivated", "people.reactivated",
            "people.factor_reset", "people.invited", "people.invitation_accepted", "people.languages_set",
        ),
        ACCOUNT,
    ),
    **dict.fromkeys(
        (
            "messaging.stopped", "messaging.started", "messaging.erasure_asked", "messaging.erased",
            "messaging.forgotten", "messaging.trust_weighed", "messaging.trust_set", "messaging.blocked",
            "messaging.unblocked", "messaging.let_in", "messaging.discarded", "messaging.taken_back",
            "messaging.contact_looked",
        ),
        CONTACT,
    ),
}  # fmt: skip
# An entry of this kind has the subject of the entry that it is about, whose kind stands in its data.
ABOUT_ANOTHER = "reactions.failed"
# Of these details the value is the number of a person.
DETAILS: dict[str, str] = {"contact": CONTACT, "account": ACCOUNT}

# Who is meant: what kind of person, and the number.
Person = tuple[str, int]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# ASCII only, so that no newline and no other end of a line can stand in it.
_encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True, ensure_ascii=True, allow_nan=False).encode


class Row(NamedTuple):
    """An entry as the database has it."""

    id: int
    # Microseconds since 1970: a float would lose some.
    at: int
    kind: str
    subject_id: int
    actor_id: int | None
    data: Mapping[str, Any]


def microseconds(at: datetime) -> int:
    """Give a moment as an entry has it."""
    return (at - _EPOCH) // _MICROSECOND


def commitment(salt: bytes, person: Person) -> bytes:
    """Give the 32 bytes that stand for a person: whoever has the salt can test a number, and nobody else."""
    holder, number = person
    return hashlib.sha256(salt + f"{holder}:{number}".encode()).digest()


def people_in(row: Row) -> Iterator[Person]:
    """Name the people whom an entry is about or who made it."""
    if row.actor_id is not None:
        yield ACCOUNT, row.actor_id
    holder = _subject(row)
    if holder:
        yield holder, row.subject_id
    if row.data:
        for key, value in row.data.items():
            if key in DETAILS and _is_number(value):
                yield DETAILS[key], value


def entry_bytes(row: Row, *, people: Mapping[Person, bytes], blinding: bytes) -> bytes:
    """Give the bytes of an entry, one line of JSON; `people` has the commitment of each whom people_in names.

    `blinding` is a key: an entry is easily guessed, and its hash is public, so each gets bytes that nobody can guess.
    """
    number, at, kind, subject_id, actor_id, data = row
    holder = _subject(row)
    subject = _name(people, (holder, subject_id)) if holder else subject_id
    actor = "null" if actor_id is None else _name(people, (ACCOUNT, actor_id))
    details = "{}"
    if data:
        if not DETAILS.keys().isdisjoint(data):
            data = {
                key: f"{DETAILS[key]}:{people[DETAILS[key], value].hex()}"
                if key in DETAILS and _is_number(value)
                else value
                for key, value in data.items()
            }
        details = _encode(data)
    blind = hashlib.blake2b(b"%d" % number, digest_size=BLIND_BYTES, key=blinding).hexdigest()
    # What json.dumps() gives of the seven, in a third of its time.
    return f'[{number},{at},{_text(kind)},{subject},{actor},{details},"{blind}"]'.encode("ascii")


def number_in(entry: bytes) -> int | None:
    """Read the number of an entry from its bytes; None where they are no entry."""
    begin, _comma, _rest = entry[:24].partition(b",")
    return int(begin[1:]) if begin[:1] == b"[" and begin[1:].isdigit() else None


def _subject(row: Row) -> str | None:
    if row.kind != ABOUT_ANOTHER:
        return SUBJECTS.get(row.kind)
    kind = row.data.get("kind")
    return SUBJECTS.get(kind) if isinstance(kind, str) else None


def _name(people: Mapping[Person, bytes], person: Person) -> str:
    return f'"{person[0]}:{people[person].hex()}"'


@lru_cache(maxsize=1_000)
def _text(kind: str) -> str:
    return _encode(kind)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
