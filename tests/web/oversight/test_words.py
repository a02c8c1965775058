"""Every kind of entry has a phrase, and details are told in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

import commonbeat
from commonbeat.foundation import clock
from commonbeat.journal.actions import append
from commonbeat.journal.models import Entry
from commonbeat.web.oversight.words import PHRASES, details_of, phrase_of

SOURCE = Path(commonbeat.__file__).parent
# Constants such as MOVED = "reports.moved", and kinds that stand in a call or in the live writer's SQL.
KINDS = re.compile(r"^[A-Z_]+ = \"([a-z]+\.[a-z_]+)\"$|kind=\"([a-z]+\.[a-z_]+)\"", re.MULTILINE)


def written_kinds() -> set[str]:
    """Find the kinds of journal entries that the sources name."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        if "migrations" not in path.parts:
            found |= {first or second for first, second in KINDS.findall(path.read_text())}
    return found


def test_every_kind_has_a_phrase_and_every_phrase_a_kind() -> None:
    kinds = written_kinds()
    assert len(kinds) > 40
    assert kinds == PHRASES.keys()
    assert len({str(phrase) for phrase in PHRASES.values()}) == len(PHRASES)
    assert phrase_of("unknown.kind") == "unknown.kind"


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("reports.submitted", {"acknowledged": True, "channel": "demo_sms"}, "by SMS (demo)"),
        ("reports.moved", {"from": "new", "to": "triaged"}, "from new to accepted"),
        ("reports.sorted", {"from": 2, "to": 5}, "from topic 2 to topic 5"),
        ("people.role_changed", {"from": "officer", "to": "moderator", "unit": None}, "from officer to moderator"),
        ("reports.merged", {"incident": 3, "with": 8, "was": "new"}, "incident 3 · with report 8 · before: new"),
        ("reports.verified", {"sources": 1}, "1 independent source"),
        ("topics.revised", {"version": 4}, "version 4"),
        ("alerts.released", {"by": "single"}, "released by the one person of a unit that is set so"),
        ("later.kind", {"size": 4}, "size: 4"),
        ("reports.looked", {}, ""),
    ],
)
def test_details_are_told_in_words(kind: str, data: dict[str, object], expected: str) -> None:
    assert details_of(Entry(kind=kind, data=data), {"demo_sms": "SMS (demo)"}) == expected


@pytest.mark.django_db
def test_the_page_shows_phrases_with_the_code_beside(overseer_client: Client) -> None:
    data: dict[str, int | str | bool | None] = {"acknowledged": True, "channel": "demo_sms"}
    append(kind="reports.submitted", subject_id=4, now=clock.now(), data=data)
    page = overseer_client.get(reverse("oversight:journal")).content.decode()
    assert "<td>Report arrived<br>" in page and "reports.submitted</code>" in page and "by SMS (demo)" in page
    assert re.search(r"<option[^>]*value=\"reports.submitted\"[^>]*>Report arrived", page)
    assert "acknowledged" not in page and "Report / account number" in page
