"""Feature models change only in actions, models and migrations."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.architecture.source import name_of, source_files

QUERYSET_WRITES = frozenset(
    {"create", "bulk_create", "update", "bulk_update", "get_or_create", "update_or_create", "delete"}
)
QUERYSET_STEPS = frozenset({"objects", "filter", "exclude", "all", "select_for_update", "get_queryset"})
SQL_WRITE = re.compile(r"^\s*(INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b", re.IGNORECASE)

# Each with its reason; an entry that is no longer needed fails the test.
ALLOWED = {
    "live/store.py": "the one row that live writes, the raw inbound message, by group commit (DESIGN 13)",
    "cli/drill/population.py": "people of a drill, by the hundred thousand, on a site of its own that is then deleted",
    "cli/demo/fill.py": "units and accounts of an empty demo town, before there is anybody whose act it could be",
}


def is_a_place_for_writes(path: Path) -> bool:
    """Tell whether changes belong into the file."""
    return path.stem in {"actions", "models"} or path.parent.name in {"actions", "models"}


def writes_in(source: str) -> list[int]:
    """Give the lines on which a table is written."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL_WRITE.match(node.value):
            lines.append(node.lineno)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        on_a_queryset = node.func.attr in QUERYSET_WRITES and bool(_chain(node.func.value) & QUERYSET_STEPS)
        # Pillow's image.save(buffer) and cache.delete(key) have a positional argument; a model's have none.
        on_a_row = node.func.attr in {"save", "delete"} and not node.args and not _is_session(node.func.value)
        if on_a_queryset or on_a_row:
            lines.append(node.lineno)
    return lines


def _chain(node: ast.expr) -> set[str]:
    names: set[str] = set()
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
            node = node.value
        else:
            return names


def _is_session(node: ast.expr) -> bool:
    return ast.unparse(node).endswith("session")


def test_tables_are_written_only_by_actions_models_and_migrations() -> None:
    found = {
        name_of(path): lines
        for path in source_files(".py")
        if not is_a_place_for_writes(path) and (lines := writes_in(path.read_text("utf-8")))
    }
    unneeded = set(ALLOWED) - set(found)
    wrong = [f"{name}:{line}" for name, lines in found.items() if name not in ALLOWED for line in lines]
    assert wrong == [], "move these writes into an action"
    assert not unneeded, "these no longer write: take them off the list"


def test_writes_are_recognised() -> None:
    assert writes_in("Report.objects.filter(pk=1).update(state='new')") == [1]
    assert writes_in("report.save(update_fields=['state'])") == [1]
    assert writes_in("Report.objects.create()\nReport.objects.filter().delete()") == [1, 2]
    assert writes_in("cursor.execute('INSERT INTO t VALUES (1)')") == [1]


def test_what_only_looks_like_a_write_is_left_alone() -> None:
    assert writes_in("image.save(buffer, 'JPEG')\nnames.update(a=1)\ncache.delete('key')\nrequest.session.save()") == []
