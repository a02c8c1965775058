"""What is hashed of an entry never changes, and shows nobody who is meant."""

from __future__ import annotations

import ast
import hashlib
import json
from datetime import UTC, datetime, timedelta

from commonbeat.journal.leaves import (
    ACCOUNT,
    CONTACT,
    DETAILS,
    SUBJECTS,
    Row,
    commitment,
    entry_bytes,
    microseconds,
    number_in,
    people_in,
)
from tests.architecture.source import name_of, source_files

AT = datetime(2026, 3, 14, 12, 0, 0, 123456, tzinfo=UTC)
KEY = bytes(32)
PEOPLE = {(ACCOUNT, 7): commitment(b"s" * 32, (ACCOUNT, 7)), (CONTACT, 57): commitment(b"t" * 32, (CONTACT, 57))}


def row(kind: str = "reports.moved", subject: int = 812, actor: int | None = 7, **data: object) -> Row:
    return Row(12, microseconds(AT), kind, subject, actor, data)


def test_the_bytes_are_these_for_ever() -> None:
    assert entry_bytes(row(to="triaged", acknowledged=True, x=None), people=PEOPLE, blinding=KEY) == (
        b'[12,1773489600123456,"reports.moved",812,'
        b'"account:5c230be049bbfb0ac0e71cd4d0d782a331d71fdd8ae00da5bd37fa9b6fc0659d",'
        b'{"acknowledged":true,"to":"triaged","x":null},"3c4252a13b695c7b503df6073bef096b"]'
    )


def test_people_stand_in_it_as_commitments_only() -> None:
    stopped = row("messaging.stopped", 57, None)
    assert list(people_in(stopped)) == [(CONTACT, 57)]
    told = json.loads(entry_bytes(stopped, people=PEOPLE, blinding=KEY))
    assert told[3] == "contact:" + hashlib.sha256(b"t" * 32 + b"contact:57").hexdigest() and told[4] is None
    enrolled = row("reports.enrolled", 3, 7, contact=57, topic=2, new=True)
    assert set(people_in(enrolled)) == {(ACCOUNT, 7), (CONTACT, 57)}
    told = json.loads(entry_bytes(enrolled, people=PEOPLE, blinding=KEY))
    assert told[3] == 3 and told[5] == {"contact": told[5]["contact"], "new": True, "topic": 2}
    assert told[5]["contact"].startswith("contact:") and told[4].startswith("account:")
    # The same account as subject and as actor has one commitment.
    made = json.loads(entry_bytes(row("people.invited", 7, 7), people=PEOPLE, blinding=KEY))
    assert made[3] == made[4]


def test_what_failed_is_about_whom_its_entry_was_about() -> None:
    def failed(kind: str) -> Row:
        return Row(12, microseconds(AT), "reactions.failed", 57, None, {"entry": 3, "kind": kind, "error": "OSError"})

    assert list(people_in(failed("messaging.stopped"))) == [(CONTACT, 57)]
    assert list(people_in(failed("reports.moved"))) == []


def test_nothing_that_is_written_makes_a_second_line_or_another_entry() -> None:
    told = entry_bytes(row("two\nlines \u2028 “x”", note="\n-- hashes\n\x00\ud800"), people=PEOPLE, blinding=KEY)
    assert b"\n" not in told and told.isascii() and told.startswith(b"[")
    assert json.loads(told)[2] == "two\nlines \u2028 “x”"
    assert number_in(told) == 12 and number_in(b"") is None and number_in(b'["x",3') is None


def test_an_entry_cannot_be_guessed_without_the_key() -> None:
    plain = row("reports.submitted", 812, None)
    mine, other = (entry_bytes(plain, people={}, blinding=key) for key in (KEY, b"k" * 32))
    assert json.loads(mine)[:6] == json.loads(other)[:6] and json.loads(mine)[6] != json.loads(other)[6]
    assert len(json.loads(mine)[6]) == 32
    second = entry_bytes(Row(13, plain.at, plain.kind, 812, None, {}), people={}, blinding=KEY)
    assert json.loads(second)[6] != json.loads(mine)[6]


def test_a_microsecond_makes_a_difference() -> None:
    later = Row(12, microseconds(AT + timedelta(microseconds=1)), "reports.moved", 812, 7, {})
    assert entry_bytes(later, people=PEOPLE, blinding=KEY) != entry_bytes(row(), people=PEOPLE, blinding=KEY)


def test_no_kind_whose_subject_is_a_person_was_forgotten() -> None:
    """Read each call that writes to the journal: where the subject is a contact or an account, its kind is listed."""
    people = {
        "contact.pk": CONTACT,
        "contact_id": CONTACT,
        "user.pk": ACCOUNT,
        "user_id": ACCOUNT,
        "account.pk": ACCOUNT,
    }
    seen, missing = set(), []
    for path in source_files(".py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            given = {one.arg: one.value for one in node.keywords}
            subject = ast.unparse(given["subject_id"]) if "subject_id" in given else ""
            kind = given.get("kind") or (node.args[0] if node.args else None)
            if subject in people and kind is not None:
                for code in _codes(path.read_text("utf-8"), ast.unparse(kind), name_of(path)):
                    seen.add(code)
                    if SUBJECTS.get(code) != people[subject]:
                        missing.append(f"{name_of(path)}:{node.lineno} {code}")
    assert missing == [], "add the kind to SUBJECTS in journal/leaves.py"
    assert len(seen) > 10


def _codes(source: str, written: str, name: str) -> list[str]:
    """Give the kinds that an expression names: constants of its own file, or of the feature's events."""
    names = [part.rpartition(".")[2] for part in written.replace("(", " ").replace(")", " ").split()]
    package = name.split("/")[0]
    texts = [
        source,
        *(path.read_text("utf-8") for path in source_files(".py") if name_of(path) == f"{package}/events.py"),
    ]
    found = []
    for text in texts:
        for node in ast.parse(text).body:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                target = node.targets[0]
                if isinstance(target, ast.Name) and target.id in names and "." in node.value.value:
                    found.append(node.value.value)
    return found


def test_details_that_name_people_are_listed() -> None:
    """Read each dictionary of details: where a value is a contact or an account, the key is committed."""
    people = ("contact.pk", "contact_id", "user.pk", "user_id", "actor_id", "actor.pk")
    missing = []
    for path in source_files(".py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "data" and isinstance(node.value, ast.Dict):
                for key, value in zip(node.value.keys, node.value.values, strict=True):
                    is_person = ast.unparse(value).endswith(people)
                    if is_person and isinstance(key, ast.Constant) and key.value not in DETAILS:
                        missing.append(f"{name_of(path)}:{node.value.lineno} {key.value!r}")
    assert missing == [], "add the key to DETAILS in journal/leaves.py"
