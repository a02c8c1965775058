"""Find reports by their words, newest first; one function over SQLite's FTS5 and PostgreSQL's tsvector."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import cast

from django.db import connection
from django.db.models.expressions import RawSQL

from commonbeat.foundation.ids import ALPHABET, parse_reference
from commonbeat.messaging.models import Contact
from commonbeat.reports.models import ReportQuerySet
from commonbeat.reports.queries.expected import enrolled_ones

WORD_LIMIT = 8
LETTER_LIMIT = 40
# The index has beginnings of three to six letters; shorter ones would match half of it.
PREFIX_FROM = 3
# Filters of the desk that are words of the index.
FILTERS = ("unit", "beat", "topic", "state")

_WORD = re.compile(r"[^\W_]+")
_HANDLE = re.compile(rf"([A-Za-z]+)[\s-]+([{ALPHABET}{ALPHABET.lower()}]{{3}})")
# The same folding as the generated column of the migrations.
_PLAIN = str.maketrans("çëáàâäãåéèêíìîïñóòôöõúùûüýšžćčđ", "ceaaaaaaeeeiiiinooooouuuuyszccd")


def search_reports(
    queryset: ReportQuerySet,
    text: str,
    *,
    within: Mapping[str, int | str | Sequence[int | str]] | None = None,
    before: int | None = None,
) -> ReportQuerySet:
    """Keep the reports that hold every word, their own or of a translation, the last one also as a beginning.

    Newest first. A reference or a handle of a reporter finds its reports. `within` repeats filters that the queryset
    already has (unit, beat, topic, state) for the index, so that a narrow filter is not a long walk; `before` is a
    report's id.
    """
    exact = _named(queryset, text)
    if exact is not None:
        return (exact.filter(pk__lt=before) if before else exact).order_by("-pk")
    found = _words(text)
    if not found:
        return queryset.none()
    filters = {key: within[key] for key in FILTERS if within and within.get(key) not in (None, "", (), [])}
    if connection.vendor == "postgresql":
        words, kept = _tsquery(found), _tsfilters(filters)
        condition = (
            RawSQL("reports_report.search @@ (to_tsquery('simple', %s) && %s::tsquery)", [words, kept])
            if kept
            else RawSQL("reports_report.search @@ to_tsquery('simple', %s)", [words])
        )
        narrowed = queryset.alias(_found=condition).filter(_found=True)
        return (narrowed.filter(pk__lt=before) if before else narrowed).order_by("-pk")
    # The index leads and gives row numbers downwards, so that LIMIT ends the work: no sorting, no scan. Ordering by
    # its own rowid matters, ordering by reports_report.id would sort all that was found.
    where = ["reports_search MATCH %s", "reports_search.rowid = reports_report.id"]
    values: list[str | int] = [_fts_query(found, filters)]
    if before:
        where.append("reports_search.rowid < %s")
        values.append(before)
    found_rows = queryset.extra(tables=["reports_search"], where=where, params=values)  # noqa: S610  # bound values
    return cast("ReportQuerySet", found_rows.order_by(RawSQL("reports_search.rowid", []).desc()))


def _named(queryset: ReportQuerySet, text: str) -> ReportQuerySet | None:
    reference = parse_reference(text)
    if reference is not None:
        one: ReportQuerySet = queryset.filter(reference=reference)
        if one.exists():
            return one
    handle = _HANDLE.fullmatch(text.strip())
    if handle is not None:
        contact = Contact.objects.filter(handle=f"{handle[1].capitalize()} {handle[2].upper()}").first()
        if contact is not None:
            # What an enrolled reporter sent for a place would tell whose handle it is.
            return queryset.filter(contact_id=contact.pk).exclude(enrolled_ones())
    return None


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFC", text[:400])
    return [word[:LETTER_LIMIT] for word in _WORD.findall(plain)][:WORD_LIMIT]


def _values(value: int | str | Sequence[int | str]) -> list[str]:
    several = [value] if isinstance(value, int | str) else value
    return [re.sub(r"\W", "", str(one)) for one in several]


def _fts_query(words: list[str], filters: Mapping[str, int | str | Sequence[int | str]]) -> str:
    # Quoted strings are never operators, and a word of letters and digits holds no quote.
    terms = [f'"{word}"' for word in words]
    if len(words[-1]) >= PREFIX_FROM:
        terms[-1] += "*"
    parts = [f"({{title text place_name translated_words}} : ({' AND '.join(terms)}))"]
    for name, value in filters.items():
        column = name if name == "state" else f"{name}_id"
        parts.append(f"({column} : ({' OR '.join(chr(34) + one + chr(34) for one in _values(value))}))")
    return " AND ".join(parts)


def _tsquery(words: list[str]) -> str:
    terms = [f"'{word.lower().translate(_PLAIN)}'" for word in words]
    if len(words[-1]) >= PREFIX_FROM:
        terms[-1] += ":*"
    return " & ".join(terms)


def _tsfilters(filters: Mapping[str, int | str | Sequence[int | str]]) -> str:
    # Written as they stand in the index; to_tsquery would cut "=unit=7" into words.
    terms = [" | ".join(f"'={name}={one}'" for one in _values(value)) for name, value in filters.items()]
    return " & ".join(f"({term})" for term in terms)
