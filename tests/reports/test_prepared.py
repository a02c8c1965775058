"""Queries that are composed once give what plain ones give, whatever stands in the blanks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from commonbeat.reports.models import Publication, PublicationState
from commonbeat.reports.queries import public
from commonbeat.reports.queries.prepared import Prepared, blank_moment, blank_number, blank_text
from tests import make

pytestmark = pytest.mark.django_db


def test_rows_are_those_of_the_plain_query() -> None:
    shown = [make.make_publication(title=f"Lamp {n}", public_at=make.NOW - timedelta(hours=n)) for n in range(4)]
    columns = ("code", "occurred_on", "public_at", "is_verified", "latitude", "id")
    prepared = Prepared(
        Publication.objects.public(blank_moment("now"))
        .filter(id__gt=blank_number("id"))
        .order_by("id")
        .values_list(*columns)
    )
    for now, pk in ((make.NOW, 0), (make.NOW - timedelta(hours=2), 0), (make.NOW, shown[1].pk)):
        plain = Publication.objects.public(now).filter(id__gt=pk).order_by("id").values_list(*columns)
        rows = prepared.rows(now=now, id=pk)
        assert rows == list(plain)
        assert [[type(value) for value in row] for row in rows] == [[type(value) for value in row] for row in plain]


def test_a_text_in_a_blank_is_a_value_and_nothing_else() -> None:
    code = make.make_publication().code
    prepared = Prepared(Publication.objects.filter(code=blank_text("code")).values_list("code"))
    assert prepared.rows(code=code) == [(code,)]
    assert prepared.rows(code="' OR 1=1 --") == prepared.rows(code="%s") == []
    with pytest.raises(KeyError):
        prepared.rows()


def test_what_is_withdrawn_is_gone_from_the_next_page() -> None:
    first, second = make.make_publication(), make.make_publication()
    assert len(public.list_page(public.Filters(), now=make.NOW).rows) == 2
    Publication.objects.filter(pk=first.pk).update(state=PublicationState.WITHDRAWN)
    assert [row.code for row in public.list_page(public.Filters(), now=make.NOW).rows] == [second.code]
    assert public.list_page(public.Filters(), now=make.NOW, before=first.code).newer == ""
