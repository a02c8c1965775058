"""Each line of the threat model and of the list of parsers names tests, and they exist."""

from __future__ import annotations

import re

import pytest

from tests.architecture.source import REPOSITORY

FOLDER = REPOSITORY / "docs" / "security"
REFERENCE = re.compile(r"`(?:tests/)?([\w/]+\.py)::(test_\w+)`")
PAGES = ("threat-model.md", "fuzzing.md")
# What no test can show says so.
NO_TEST = "no test"


def rows(page: str) -> list[str]:
    """Give the rows of every table of a page, without heads and rules."""
    lines = (FOLDER / page).read_text("utf-8").splitlines()
    rules = {number for number, line in enumerate(lines) if line.startswith("|") and set(line) <= set("|-: ")}
    heads = {number - 1 for number in rules}
    return [line for number, line in enumerate(lines) if line.startswith("|") and number not in rules | heads]


@pytest.mark.parametrize("page", PAGES)
def test_every_test_that_is_named_exists(page: str) -> None:
    found = REFERENCE.findall((FOLDER / page).read_text("utf-8"))
    assert len(found) > 15
    missing = [
        f"{file}::{name}"
        for file, name in found
        if not (REPOSITORY / "tests" / file).is_file()
        or not re.search(rf"^\s*(?:async )?def {name}\b", (REPOSITORY / "tests" / file).read_text("utf-8"), re.M)
    ]
    assert missing == []


def test_every_line_of_the_threat_model_names_a_test_or_says_that_there_is_none() -> None:
    lines = rows("threat-model.md")
    assert len(lines) > 30
    assert [line for line in lines if not REFERENCE.search(line) and NO_TEST not in line] == []


def test_the_threat_model_is_found_from_where_one_looks() -> None:
    for name in ("SECURITY.md", "README.md"):
        assert "docs/security/threat-model.md" in (REPOSITORY / name).read_text("utf-8"), name
