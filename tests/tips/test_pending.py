"""What sources do stands in the journal when the day is over: once, in no order, and of each day by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from commonbeat.journal.models import Entry
from commonbeat.tips.actions import dialogue, pending
from commonbeat.tips.actions.pending import journal_sources, note_of_source
from commonbeat.tips.models import Pending
from tests.make import NOW
from tests.tips.desks import desk_with, tip_at

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MIDNIGHT = datetime(NOW.year, NOW.month, NOW.day, tzinfo=UTC)


def received() -> list[int]:
    return list(Entry.objects.filter(kind="tips.received").order_by("pk").values_list("subject_id", flat=True))


def test_nothing_is_journalled_before_the_day_is_over() -> None:
    desk, _seats = desk_with()
    tip, receipt = tip_at(desk)
    dialogue.answer_by_receipt(receipt=receipt, text="More.", now=NOW)
    assert journal_sources(now=MIDNIGHT + DAY - timedelta(seconds=1)) == 0
    assert received() == []
    assert journal_sources(now=MIDNIGHT + DAY) == 2
    entries = Entry.objects.filter(subject_id=tip.pk, kind__in=("tips.received", "tips.answered"))
    assert {(each.at, each.actor_id) for each in entries} == {(MIDNIGHT, None)}
    assert entries.count() == 2
    assert not Pending.objects.exists()
    assert journal_sources(now=MIDNIGHT + DAY) == 0


def test_the_order_of_a_day_is_not_that_in_which_it_came() -> None:
    for number in range(40):
        note_of_source("tips.received", tip_id=number, now=NOW, desk_kind="tips")
    while journal_sources(now=NOW + DAY, limit=15):
        pass
    assert sorted(received()) == list(range(40))
    assert received() != list(range(40))
    # Nor are those that came first in the first batch.
    assert set(received()[:15]) != set(range(15))


def test_each_day_is_dated_to_itself() -> None:
    for days in (1, 0, 2):
        note_of_source("tips.received", tip_id=days, now=NOW + days * DAY, desk_kind="tips")
    while journal_sources(now=NOW + 2 * DAY):
        pass
    assert list(Entry.objects.order_by("pk").values_list("subject_id", "at")) == [
        (0, MIDNIGHT),
        (1, MIDNIGHT + DAY),
    ]
    assert Pending.objects.get().number == 2


def test_what_cannot_be_journalled_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    note_of_source("tips.received", tip_id=1, now=NOW, desk_kind="complaints")

    def broken(**_more: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(pending, "append_all", broken)
        with pytest.raises(OSError):
            journal_sources(now=NOW + DAY)
    assert Pending.objects.count() == 1
    assert journal_sources(now=NOW + DAY) == 1
    assert Entry.objects.get().kind == "complaints.received"
