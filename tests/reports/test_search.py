"""Finding reports by their words."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from commonbeat.people.models import Unit, User
from commonbeat.reports.models import Report
from commonbeat.reports.queries.search import search_reports
from tests import make

SQLITE = connection.vendor == "sqlite"


def found(text: str, **more: object) -> list[int]:
    """Give the numbers of what is found, in order."""
    return [report.pk for report in search_reports(Report.objects.all(), text, **more)]  # type: ignore[arg-type]


@pytest.mark.django_db
def test_words_anywhere_newest_first(unit: Unit) -> None:
    first = make.make_report(text="The lamp is dark")
    make.make_report(text="A heap of rubble")
    third = make.make_report(title="Lamp", text="broken")
    fourth = make.make_report(text="it is dark here", place_name="Lamp Street")
    assert found("lamp") == [fourth.pk, third.pk, first.pk]
    assert found("dark lamp") == [fourth.pk, first.pk]
    assert found("LAMP") == [fourth.pk, third.pk, first.pk]
    assert found("lamp", before=third.pk) == [first.pk]


@pytest.mark.django_db
def test_the_last_word_is_also_a_beginning(unit: Unit) -> None:
    report = make.make_report(text="Schoolchildren cross here")
    assert found("school") == [report.pk]
    assert found("cross school") == [report.pk]
    # Only the last one: the words before it are written to their end.
    assert found("school cross") == []
    assert found("sc") == []


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["ndriçimi", "ndricimi", "NDRIÇIMI", "ndriç"])
def test_accents_do_not_matter(query: str, unit: Unit) -> None:
    report = make.make_report(text="Ndriçimi i rrugës nuk punon")
    assert found(query) == [report.pk]


@pytest.mark.django_db
def test_arabic_is_found(unit: Unit) -> None:
    report = make.make_report(text="ضجيج في وقت متأخر من الليل")
    assert found("ضجيج") == [report.pk]


@pytest.mark.django_db
def test_changes_are_found_and_old_words_are_not(unit: Unit) -> None:
    report = make.make_report(text="The lamp is dark")
    Report.objects.filter(pk=report.pk).update(text="The bridge is down")
    assert (found("lamp"), found("bridge")) == ([], [report.pk])
    Report.objects.filter(pk=report.pk).delete()
    assert found("bridge") == []


@pytest.mark.django_db
def test_the_index_follows_unit_and_state(unit: Unit, far_unit: Unit) -> None:
    report = make.make_report(text="The lamp is dark", unit=unit)
    assert found("lamp", within={"unit": unit.pk, "state": "new"}) == [report.pk]
    assert found("lamp", within={"unit": far_unit.pk}) == []
    Report.objects.filter(pk=report.pk).update(state="triaged", unit=far_unit)
    assert found("lamp", within={"unit": unit.pk}) == []
    assert found("lamp", within={"unit": far_unit.pk, "state": ["triaged", "new"]}) == [report.pk]


@pytest.mark.django_db
def test_a_filter_is_no_word_to_search_for(unit: Unit) -> None:
    report = make.make_report(text="A dark lamp")
    assert found("new") == []
    assert found(str(report.unit_id)) == []
    assert found("state") == []


@pytest.mark.django_db
def test_search_stays_behind_the_gate(unit: Unit, far_unit: Unit, officer: User, far_officer: User) -> None:
    report = make.make_report(text="The lamp is dark", unit=unit)
    assert [r.pk for r in search_reports(Report.objects.visible_to(officer), "lamp")] == [report.pk]
    for text in ("lamp", report.reference):
        assert not search_reports(Report.objects.visible_to(far_officer), text).exists()


@pytest.mark.django_db
def test_a_reference_or_a_handle_finds_its_reports(unit: Unit) -> None:
    contact = make.make_contact()
    one, two = make.make_report(contact=contact), make.make_report(contact=contact)
    make.make_report()
    reference = one.reference
    for typed in (reference, reference.lower(), f"{reference[:4]}-{reference[4:8]}-{reference[8:]}"):
        assert found(typed) == [one.pk]
    for typed in (contact.handle, contact.handle.lower(), f" {contact.handle.upper()} "):
        assert found(typed) == [two.pk, one.pk]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["", "   ", '"', "'", "*", "-", "AND", "OR NOT", "NEAR(a b)", "a:b", "title:lamp", "(", "lamp)", "^lamp",
             "lamp'; DROP TABLE reports_report; --", "\x00lamp", "%", "_", "\\", "ﷺ", "x" * 5_000,
             "a " * 500, "&", "|", "!"]
)  # fmt: skip
def test_whatever_is_typed_is_words_and_never_a_command(text: str, unit: Unit) -> None:
    make.make_report(text="Nothing of that kind")
    found(text)
    assert Report.objects.count() == 1


class AnyText(TestCase):
    """No text breaks the search, and a report is found by each of its own words."""

    @given(st.text(max_size=60))
    def test_no_text_breaks_it(self, text: str) -> None:
        found(text)

    @given(st.lists(st.text("abcdefghijçëšžäé", min_size=3, max_size=9), min_size=1, max_size=6))
    def test_each_word_finds_it(self, words: list[str]) -> None:
        make.fallback()
        report = make.make_report(text=" ".join(words))
        for word in words:
            assert report.pk in found(word)
        if len(words) <= 8:
            assert report.pk in found(" ".join(words))


@pytest.mark.django_db
@pytest.mark.skipif(not SQLITE, reason="triggers are SQLite's way; not in CI of PostgreSQL")
def test_the_triggers_are_still_there_after_all_migrations() -> None:
    # A later migration that rebuilds the table (SQLite alters few things in place) would drop them silently.
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'reports_report'")
        names = {row[0] for row in cursor.fetchall()}
        cursor.execute("INSERT INTO reports_search(reports_search, rank) VALUES ('integrity-check', 1)")
    assert {"reports_search_insert", "reports_search_update", "reports_search_delete"} <= names


@pytest.mark.django_db
@pytest.mark.skipif(not SQLITE, reason="the shape of SQLite's plan; not in CI of PostgreSQL")
@pytest.mark.parametrize("before", [None, 500])
def test_the_index_leads_and_nothing_is_sorted(before: int | None, unit: Unit, officer: User) -> None:
    query = search_reports(
        Report.objects.visible_to(officer).filter(state="new"), "lamp", within={"unit": unit.pk}, before=before
    )
    plan = query[:51].explain()
    assert plan.splitlines()[0].startswith("3 0 0 SCAN reports_search") or "SCAN reports_search" in plan.splitlines()[0]
    assert "SEARCH reports_report USING INTEGER PRIMARY KEY" in plan
    assert "TEMP B-TREE" not in plan
