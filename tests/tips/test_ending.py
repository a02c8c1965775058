"""Dialogues end by time, both sides see it coming, and what is deleted leaves a commitment that nobody can test."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from commonbeat.journal.models import Entry
from commonbeat.reactions.due import do_due
from commonbeat.tips import queries, store
from commonbeat.tips.actions import dialogue, ending
from commonbeat.tips.actions.pending import journal_sources
from commonbeat.tips.models import DeskKind, Pending, Tip, TipFile, TipKey, TipText, Trace
from tests.make import NOW
from tests.tips.desks import desk_with, tip_at
from tests.tips.test_uploading import uploaded

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_the_worker_announces_ends_and_deletes() -> None:
    desk, (one, _other) = desk_with(expires_after_days=30, deletes_after_days=10)
    tip, receipt = tip_at(desk)
    file = uploaded(tip)
    dialogue.open_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, pair=one.pair, now=NOW)
    do_due(NOW)
    tip.refresh_from_db()
    assert (tip.is_announced, tip.news_for_desk, tip.state) == (False, False, "open")
    soon = NOW + 17 * DAY
    do_due(soon)
    tip.refresh_from_db()
    assert (tip.is_announced, tip.news_for_desk, tip.news_for_source, tip.state) == (True, True, True, "open")
    assert queries.is_ending_soon(tip, soon)
    do_due(NOW + 30 * DAY)
    assert Tip.objects.get(pk=tip.pk).state == "open"
    do_due(NOW + 31 * DAY)
    tip.refresh_from_db()
    assert (tip.state, tip.deletes_day) == ("expired", (NOW + 41 * DAY).date())
    assert queries.ends_on(tip) == tip.deletes_day
    assert dialogue.read_as_source(receipt=receipt).texts
    do_due(NOW + 41 * DAY)
    assert Tip.objects.filter(pk=tip.pk).exists()
    do_due(NOW + 42 * DAY)
    for model in (Tip, TipKey, TipText, TipFile):
        assert not model._default_manager.exists()
    assert not store.path_of(file.token, data_dir=settings.COMMONBEAT.data_dir).exists()
    assert queries.find_by_receipt(receipt) is None
    trace = Trace.objects.get(tip_number=tip.pk)
    assert trace.salt is None
    assert len(bytes(trace.commitment)) == 32
    kinds = list(Entry.objects.filter(subject_id=tip.pk, kind__startswith="tips.e").values_list("kind", flat=True))
    assert kinds == ["tips.expired"]
    assert Entry.objects.filter(kind="tips.deleted", subject_id=tip.pk).exists()


def test_whoever_writes_puts_the_end_off() -> None:
    desk, _seats = desk_with(expires_after_days=30)
    tip, receipt = tip_at(desk)
    later = NOW + 29 * DAY
    ending.announce_endings(now=later)
    dialogue.answer_by_receipt(receipt=receipt, text="Still there.", now=later)
    tip.refresh_from_db()
    assert (tip.is_announced, tip.expires_day) == (False, (later + 30 * DAY).date())
    assert ending.expire_tips(now=NOW + 31 * DAY) == 0


def test_a_complaint_ends_under_its_own_name() -> None:
    desk, _seats = desk_with(kind=DeskKind.COMPLAINTS, expires_after_days=1, deletes_after_days=1)
    tip, _receipt = tip_at(desk)
    ending.expire_tips(now=NOW + 5 * DAY)
    ending.delete_tips(now=NOW + 10 * DAY)
    kinds = set(Entry.objects.filter(kind__startswith="complaints.").values_list("kind", flat=True))
    assert kinds == {"complaints.expired", "complaints.deleted"}
    assert Pending.objects.get().kind == "complaints.received"
    assert not Entry.objects.filter(kind__in=("tips.received", "tips.expired", "tips.deleted")).exists()
    assert not Tip.objects.filter(pk=tip.pk).exists()


def test_a_source_deletes_at_once_and_the_hour_is_not_kept() -> None:
    desk, _seats = desk_with()
    tip, receipt = tip_at(desk)
    other, _receipt = tip_at(desk, "Another one.")
    ending.delete_tip(tip_id=tip.pk, now=NOW)
    assert queries.find_by_receipt(receipt) is None
    assert Tip.objects.get().pk == other.pk
    assert not Entry.objects.filter(kind="tips.deleted").exists()
    journal_sources(now=NOW + DAY)
    entry = Entry.objects.get(kind="tips.deleted")
    assert (entry.at.date(), entry.at.hour, entry.actor_id) == (NOW.date(), 0, None)


def test_what_tells_floods_apart_is_kept_for_its_day() -> None:
    desk, _seats = desk_with()
    tip, _receipt = tip_at(desk)
    assert len(bytes(tip.sameness)) == 32
    ending.forget_sameness(now=NOW)
    tip.refresh_from_db()
    assert tip.sameness
    ending.forget_sameness(now=NOW + DAY)
    tip.refresh_from_db()
    assert bytes(tip.sameness) == b""
