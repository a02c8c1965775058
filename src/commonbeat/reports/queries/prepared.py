"""Queries that Django composes once and that are asked many times.

Composing the query of a public page takes 1.2 ms, more than answering it and writing the page's fifty rows do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateTimeField, Field, FloatField, IntegerField, QuerySet, TextField, Value
from django.db.models.sql.compiler import SQLCompiler

_ROWS = msgspec.json.Decoder(list[tuple[Any, ...]])


class Blank(Value):
    """Stand in a query for a value that is known when it is asked."""

    def __init__(self, name: str, output_field: Field[Any, Any]) -> None:
        super().__init__(name, output_field)

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """Put itself among the parameters."""
        return "%s", [self]


def blank_moment(name: str) -> datetime:
    """Make a blank for a moment, where a moment is expected."""
    return cast(datetime, Blank(name, DateTimeField()))


def blank_number(name: str) -> int:
    """Make a blank for a number, where a number is expected."""
    return cast(int, Blank(name, IntegerField()))


def blank_text(name: str) -> str:
    """Make a blank for a text, where a text is expected."""
    return cast(str, Blank(name, TextField()))


class Prepared:
    """A query with blanks, already composed; the same for every thread.

    SQLite gives all rows in one piece of JSON: its driver gives Python's lock away at each row and takes it again, and
    on a busy site that costs more than reading.
    """

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, self._params = compiler.as_sql()
        columns = [column[0] for column in compiler.select]
        # Column → how its values are read, such as text → datetime on SQLite.
        self._converters: dict[int, tuple[list[Callable[..., Any]], Any]] = compiler.get_converters(columns)
        self._is_in_one = connection.vendor == "sqlite"
        if self._is_in_one:
            for converters, expression in self._converters.values():
                if isinstance(expression.output_field, DateTimeField):
                    converters[:] = [_moment]
            self._numbers = {
                place for place, column in enumerate(columns) if isinstance(column.output_field, FloatField)
            }
            self._converters |= {place: ([_number], None) for place in self._numbers}
            names = ", ".join(f"c{place}" for place in range(len(columns)))
            # As JSON it writes 15 digits of a number, two short of all.
            written = ", ".join(
                f"CASE WHEN c{place} IS NOT NULL THEN printf('%%!.17g', c{place}) END"
                if place in self._numbers
                else f"c{place}"
                for place in range(len(columns))
            )
            # The order is that of the inner query, which its LIMIT keeps SQLite from dissolving.
            self._sql = f"WITH page({names}) AS ({self._sql}) SELECT json_group_array(json_array({written})) FROM page"

    def rows(self, **values: object) -> list[tuple[Any, ...]]:
        """Ask with these values in the blanks; KeyError when one is missing."""
        return [self.read(row) for row in self.raw_rows(**values)]

    def raw_rows(self, **values: object) -> list[tuple[Any, ...]]:
        """Ask, and give rows as the database writes them, for who keeps what was made of a row."""
        with connection.cursor() as cursor:
            cursor.execute(self._sql, [_filled(param, values) for param in self._params])
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return _ROWS.decode(found[0][0]) if self._is_in_one else found

    def read(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Read a row of raw_rows()."""
        values = list(row)
        for place, (converters, expression) in self._converters.items():
            for convert in converters:
                values[place] = convert(values[place], expression, connection)
        return tuple(values)


def _moment(value: str | datetime | None, _expression: Any, _connection: Any) -> datetime | None:
    """Read a moment as SQLite keeps it, in UTC; Django's own way costs ten times as much."""
    if value is None:
        return None
    return (datetime.fromisoformat(value) if isinstance(value, str) else value).replace(tzinfo=UTC)


def _number(text: str | None, _expression: Any, _connection: Any) -> float | None:
    return None if text is None else float(text)


def _filled(param: Any, values: Mapping[str, object]) -> Any:
    if not isinstance(param, Blank):
        return param
    return param.output_field.get_db_prep_value(values[param.value], connection)
