"""Words of accepted translations in the full-text index.

The index is made anew: at 1,000,000 reports that takes some tens of seconds, and the site is being upgraded anyway.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.db import migrations, models

# A column of the reports' own table, for a generated column of PostgreSQL and the content of FTS5 read one row only. With
# a default of the database: adding it then rewrites nothing, and SQLite's triggers stay where they are.
COLUMN = "ALTER TABLE reports_report ADD COLUMN translated_words text NOT NULL DEFAULT ''"
COLUMN_BACK = "ALTER TABLE reports_report DROP COLUMN translated_words"
_WORDS = ("title", "text", "place_name", "translated_words")
_NAMES = (*_WORDS, "unit_id", "beat_id", "topic_id", "state")


def _sqlite(words: tuple[str, ...]) -> tuple[str, ...]:
    names = (*words, "unit_id", "beat_id", "topic_id", "state")
    columns = ", ".join(names)
    old, new = (", ".join(f"{row}.{name}" for name in names) for row in ("old", "new"))
    changed = " OR ".join(f"old.{name} IS NOT new.{name}" for name in ("id", *names))
    add = f"INSERT INTO reports_search(rowid, {columns}) VALUES (new.id, {new});"
    take = f"INSERT INTO reports_search(reports_search, rowid, {columns}) VALUES ('delete', old.id, {old});"
    return (
        f"""
        CREATE VIRTUAL TABLE reports_search USING fts5(
            {columns}, content='reports_report', content_rowid='id',
            tokenize='unicode61 remove_diacritics 2', prefix='3 4 5 6'
        )
        """,
        f"CREATE TRIGGER reports_search_insert AFTER INSERT ON reports_report BEGIN {add} END",
        f"CREATE TRIGGER reports_search_delete AFTER DELETE ON reports_report BEGIN {take} END",
        # Django writes every column that a save() names, so the trigger looks whether anything changed.
        f"CREATE TRIGGER reports_search_update AFTER UPDATE ON reports_report WHEN {changed} BEGIN {take} {add} END",
        "INSERT INTO reports_search(reports_search) VALUES ('rebuild')",
    )


def _postgresql(words: tuple[str, ...]) -> tuple[str, ...]:
    said = " || ' ' || ".join(words)
    return (
        f"""
        ALTER TABLE reports_report ADD COLUMN search tsvector GENERATED ALWAYS AS (
            to_tsvector('simple'::regconfig, translate(
                lower({said}),
                'çëáàâäãåéèêíìîïñóòôöõúùûüýšžćčđ', 'ceaaaaaaeeeiiiinooooouuuuyszccd'
            ))
            || array_to_tsvector(ARRAY[
                '=unit=' || unit_id::text, '=beat=' || coalesce(beat_id::text, ''), '=topic=' || topic_id::text,
                '=state=' || state::text
            ])
        ) STORED
        """,
        "CREATE INDEX report_search ON reports_report USING gin (search)",
    )


DROP_SQLITE = (
    "DROP TRIGGER IF EXISTS reports_search_insert",
    "DROP TRIGGER IF EXISTS reports_search_delete",
    "DROP TRIGGER IF EXISTS reports_search_update",
    "DROP TABLE IF EXISTS reports_search",
)
DROP_POSTGRESQL = ("DROP INDEX IF EXISTS report_search", "ALTER TABLE reports_report DROP COLUMN IF EXISTS search")


def make_index(apps: Any, schema_editor: Any) -> None:
    """Make the index with the words of translations; a later migration that rebuilds the table runs this again."""
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in _postgresql(_WORDS) if is_postgresql else _sqlite(_WORDS):
        schema_editor.execute(statement)


def make_old_index(apps: Any, schema_editor: Any) -> None:
    """Make the index as it was before."""
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in _postgresql(_WORDS[:3]) if is_postgresql else _sqlite(_WORDS[:3]):
        schema_editor.execute(statement)


def drop_index(apps: Any, schema_editor: Any) -> None:
    """Take the index away."""
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    for statement in DROP_POSTGRESQL if is_postgresql else DROP_SQLITE:
        schema_editor.execute(statement)


# As reports.actions.translated_words and screening.masking had them when this was written.
_MARK = re.compile(r"\[\s*(?:name|number|plate|address|link|place|hidden)\s*\d{0,3}\s*\]", re.IGNORECASE)
_LIMIT = 100_000


def gather_words(apps: Any, schema_editor: Any) -> None:
    """Give the reports that have accepted translations their words."""
    found: dict[int, dict[str, None]] = {}
    accepted = apps.get_model("reports", "Translation").objects.filter(state="accepted").order_by("-pk")
    for report_id, source, text in accepted.values_list("report_id", "source", "text").iterator():
        said = _MARK.sub(" ", text) if source else text
        found.setdefault(report_id, {}).update(dict.fromkeys(said.lower().split()))
    for report_id, words in found.items():
        apps.get_model("reports", "Report").objects.filter(pk=report_id).update(
            translated_words=" ".join(words)[:_LIMIT]
        )


class Migration(migrations.Migration):
    dependencies: ClassVar = [("reports", "0006_message_sender")]
    operations: ClassVar = [
        migrations.RunPython(drop_index, make_old_index, elidable=False),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(COLUMN, COLUMN_BACK)],
            state_operations=[
                migrations.AddField("report", "translated_words", models.TextField(blank=True, default=""))
            ],
        ),
        migrations.RunPython(gather_words, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(make_index, drop_index, elidable=False),
    ]
