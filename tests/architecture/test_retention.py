"""What docs/retention.md says of every table is what the source says, and what it names exists and is tried."""

from __future__ import annotations

import re
from importlib import import_module

from tests.architecture.source import REPOSITORY
from tests.architecture.test_models import our_models
from tests.reactions.old_rows import OLD_ROWS

_ROW = re.compile(r"^\| `(\w+\.\w+)` \| ([^|]+) \| ([^|]+) \|([^|]*)\|$", re.MULTILINE)
_ACTION = re.compile(r"`([a-z_]+(?:\.[a-z_]+)+)`")


def table() -> dict[str, tuple[str, str]]:
    """Read table → how long, and what deletes it."""
    text = (REPOSITORY / "docs" / "retention.md").read_text("utf-8")
    rows = _ROW.findall(text)
    assert len(rows) == len({name for name, *_ in rows}), "a table has two lines"
    return {name: (how_long.strip(), what.strip()) for name, how_long, what, _setting in rows}


def enforced() -> set[str]:
    """Name the tables of which something is deleted."""
    return {name for name, (_how_long, what) in table().items() if _ACTION.search(what)}


def test_every_table_has_its_line_and_every_line_its_table() -> None:
    said = {model._meta.label: model.RETENTION for model in our_models()}
    written = {name: how_long for name, (how_long, _what) in table().items()}
    assert written == said, "change docs/retention.md and the model together"


def test_what_deletes_exists() -> None:
    missing = []
    for name, (_how_long, what) in table().items():
        for action in _ACTION.findall(what):
            module, _dot, function = action.rpartition(".")
            try:
                found = import_module(f"commonbeat.{module}")
            except ModuleNotFoundError:
                missing.append(f"{name}: {action}")
                continue
            # A module may be named as a whole, where a later act replaces what is there.
            if not hasattr(found, function):
                missing.append(f"{name}: {action}")
    assert missing == []


def test_what_stays_says_why() -> None:
    for name, (_how_long, what) in table().items():
        if name not in enforced():
            assert re.match(r"stays: \w.{8,}", what), f"{name} neither goes nor says why it stays"


def test_every_table_from_which_something_goes_is_tried_with_an_old_row() -> None:
    assert set(OLD_ROWS) == enforced(), "make an old row of it in tests/reactions/old_rows.py"
