"""The yearly table of complaints, as a page and as a file."""

from __future__ import annotations

import pytest
from django.test import Client

from commonbeat.foundation import clock
from commonbeat.tips.complaint_queries import HOW_ENDED
from commonbeat.web.public.complaint_table import how_ended
from tests import make
from tests.tips.complaint_years import count

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: make.NOW)


def test_nothing_before_a_year_is_over() -> None:
    count(2026, received=40, upheld=9)
    page = Client().get("/complaints/")
    assert page.status_code == 200
    assert "No year is over yet" in page.content.decode()
    assert len(Client().get("/complaints.csv").content.decode().splitlines()) == 1


def test_page_and_file_say_the_same() -> None:
    count(2024, received=3, upheld=2)
    count(2025, received=37, praise=7, upheld=12, not_upheld=2, withdrawn=3, days=23)
    page = Client().get("/complaints/").content.decode()
    for said in (">37<", ">24<", ">12<", "fewer than 5", "not shown", "23 days"):
        assert said in page
    assert page.index(">2025<") < page.index(">2024<")
    answer = Client().get("/complaints.csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.content.decode().splitlines() == [
        "year,received,ended,praise,upheld,partly_upheld,not_upheld,withdrawn,elsewhere,expired,median_days",
        "2024,<5,,,,,,,,,",
        "2025,37,24,7,12,<5,<5,<5,<5,<5,23",
    ]


def test_every_year_has_every_column() -> None:
    count(2024, received=37, upheld=12, not_upheld=20, praise=2, withdrawn=1)
    count(2025, received=3)
    page = Client().get("/complaints/").content.decode()
    assert page.count('scope="col"') == 1 + 3 + len(HOW_ENDED)
    assert page.count("data-label=") == 2 * (3 + len(HOW_ENDED))


def test_every_way_to_end_has_a_name() -> None:
    assert list(how_ended()) == list(HOW_ENDED)
