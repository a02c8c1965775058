"""What is past its time is gone after the worker's step; what is public, counted or needed stays."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.db import connection

from commonbeat.alerts.actions.subscribing import Where, subscribe
from commonbeat.alerts.models import Subscription
from commonbeat.journal.models import Entry
from commonbeat.messaging.actions.retention import old_messages
from commonbeat.messaging.models import Contact, Inbound, Outbound, Silenced
from commonbeat.people.models import User
from commonbeat.reactions import retention
from commonbeat.reactions.auditing import rate_batch
from commonbeat.reactions.counting import count_batch
from commonbeat.reactions.due import do_due
from commonbeat.reactions.retention import Pace, due_by_table
from commonbeat.reports.models import ExpectedReporter, Incident, LegalHold, Report
from commonbeat.reports.queries.retention import old_reports
from tests import make
from tests.make import NOW
from tests.reactions.old_rows import OLD, OLD_ROWS, broadcast, old_contact, old_report, outbound

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def worker_runs(now: datetime = NOW, hours: int = 3) -> None:
    """Let the worker count and do what is due, for some hours."""
    for number in range(hours):
        moment = now + number * HOUR
        while count_batch(moment) or rate_batch(moment):
            pass
        do_due(moment)


@pytest.mark.parametrize("label", sorted(OLD_ROWS))
def test_an_old_row_of_every_table_goes(label: str, unit: object) -> None:
    pk = OLD_ROWS[label]()
    model = apps.get_model(label)
    worker_runs()
    assert not model._default_manager.filter(pk=pk).exists()


def test_everything_old_goes_together_and_nothing_is_left_to_count(unit: object) -> None:
    rows = {label: maker() for label, maker in OLD_ROWS.items()}
    assert sum(due_by_table(NOW).values()) > len(OLD_ROWS) / 2
    worker_runs()
    left = [label for label, pk in rows.items() if apps.get_model(label)._default_manager.filter(pk=pk).exists()]
    assert left == []
    assert set(due_by_table(NOW + 3 * HOUR).values()) == {0}


def test_counting_what_is_due_changes_nothing(unit: object) -> None:
    for maker in OLD_ROWS.values():
        maker()
    before = {model._meta.label: model._default_manager.count() for model in apps.get_models()}
    found = due_by_table(NOW)
    assert found["reports.Message"] >= 1 and found["messaging.Contact"] >= 1
    assert {model._meta.label: model._default_manager.count() for model in apps.get_models()} == before


def test_what_waits_for_the_desk_stays_however_old(unit: object) -> None:
    for state in ("new", "triaged"):
        old_report(state=state, contact=old_contact())
    worker_runs()
    assert Report.objects.count() == 2
    assert Contact.objects.count() == 2


def test_what_is_a_day_too_young_stays(unit: object) -> None:
    report = old_report()
    Report.objects.filter(pk=report.pk).update(changed_at=NOW - timedelta(days=729))
    row = outbound(created_at=NOW - timedelta(days=729))
    worker_runs(hours=1)
    assert Report.objects.filter(pk=report.pk).exists()
    kept = Outbound.objects.get(pk=row.pk)
    # Its contact stays with it, and its text is long gone.
    assert bytes(kept.body_sealed) == b"" and Contact.objects.filter(pk=kept.contact_id).exists()


def test_a_topic_has_its_own_time(unit: object) -> None:
    short = make.make_topic("short", retention_days=30)
    gone, kept = (old_report(topic=topic) for topic in (short, make.make_topic("long")))
    Report.objects.update(changed_at=NOW - timedelta(days=31))
    worker_runs()
    assert list(Report.objects.values_list("pk", flat=True)) == [kept.pk]
    assert Entry.objects.filter(kind="reports.purged", subject_id=gone.pk).count() == 1


def test_whoever_is_on_a_list_stays(unit: object) -> None:
    contact = old_contact()
    topic = make.make_topic("stock")
    ExpectedReporter.objects.create(topic=topic, contact=contact, site="Clinic", unit=make.fallback(), created_at=OLD)
    gone = old_contact()
    worker_runs()
    assert list(Contact.objects.values_list("pk", flat=True)) == [contact.pk]
    assert Entry.objects.get(kind="messaging.forgotten").subject_id == gone.pk


def test_many_kept_contacts_do_not_hide_one_that_goes(unit: object) -> None:
    topic = make.make_topic("stock")
    kept = [old_contact() for _ in range(30)]
    for contact in kept:
        ExpectedReporter.objects.create(topic=topic, contact=contact, site="A", unit=make.fallback(), created_at=OLD)
    old_contact()
    worker_runs(hours=1)
    assert Contact.objects.count() == len(kept)


def test_alerts_keep_a_contact_and_those_that_stop_has_silenced_do_not(unit: object) -> None:
    heard, silenced = old_contact(), old_contact()
    for contact in (heard, silenced):
        subscribe(contact=contact, where=Where(), language="en", is_confirmed=True, now=OLD)
    Contact.objects.filter(pk=silenced.pk).update(stopped_at=OLD)
    worker_runs(hours=1)
    assert [contact.pk for contact in Contact.objects.all()] == [heard.pk]
    assert Subscription.objects.get().contact_id == heard.pk


def test_who_said_stop_is_remembered_without_an_address(unit: object) -> None:
    contact = make.make_contact("+38344777001", now=OLD)
    Contact.objects.filter(pk=contact.pk).update(stopped_at=OLD)
    worker_runs()
    assert not Contact.objects.exists() and Silenced.objects.count() == 1
    again = make.make_contact("+38344777001")
    assert again.stopped_at == OLD and again.pk != contact.pk and again.handle != contact.handle
    assert not Silenced.objects.exists()


def test_raw_texts_are_emptied_and_rows_stay(unit: object) -> None:
    month = NOW - timedelta(days=31)
    fields = {"channel": "demo_sms", "body_sealed": b"x", "received_at": month}
    for number in range(30):
        Inbound.objects.create(provider_id=str(number), state="understood", **fields)
    waits = Inbound.objects.create(provider_id="waits", state="new", **fields)
    cast = broadcast()
    worker_runs(hours=1)
    assert Inbound.objects.filter(body_sealed=b"").count() == 30
    assert bytes(Inbound.objects.get(pk=waits.pk).body_sealed) == b"x"
    assert not type(cast).objects.exists()


def test_the_words_of_a_deleted_report_are_found_no_more(unit: object, supervisor: User) -> None:
    from commonbeat.reports.queries.search import search_reports

    old_report(text="The heliotrope lantern by the bridge")
    assert search_reports(Report.objects.all(), "heliotrope").count() == 1
    worker_runs()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM reports_search WHERE reports_search MATCH 'heliotrope'")
            assert cursor.fetchone()[0] == 0
    assert search_reports(Report.objects.all(), "heliotrope").count() == 0


def test_an_incident_keeps_no_words_of_a_deleted_report(unit: object) -> None:
    gone, stays = old_report(text="Words that must go"), make.make_report(text="Words that may stay")
    incident = Incident.objects.create(title="Words that must go", topic=gone.topic, created_at=OLD)
    Report.objects.update(incident=incident)
    worker_runs()
    incident.refresh_from_db()
    assert incident.title == "Words that may stay"
    assert list(incident.reports.values_list("pk", flat=True)) == [stays.pk]


def test_a_hold_keeps_an_old_report_until_its_day(unit: object) -> None:
    report = old_report()
    LegalHold.objects.create(report=report, reason="Case 12", until=NOW.date(), placed_at=OLD)
    worker_runs(hours=1)
    assert Report.objects.filter(pk=report.pk).exists()
    worker_runs(NOW + timedelta(days=1))
    assert not Report.objects.exists()
    assert Entry.objects.filter(kind="reports.hold_ended", subject_id=report.pk).exists()


def test_it_works_once_an_hour(unit: object, monkeypatch: pytest.MonkeyPatch) -> None:
    worker_runs(hours=1)
    old_report()
    do_due(NOW + timedelta(minutes=20))
    assert Report.objects.count() == 1
    do_due(NOW + HOUR)
    assert Report.objects.count() == 0


def test_what_was_not_finished_goes_on_in_the_next_minute(unit: object, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(60):
        old_report()
    monkeypatch.setattr(retention, "Pace", lambda: Pace(seconds=0.0, rest=lambda seconds: None))
    do_due(NOW)
    left = Report.objects.count()
    assert 0 < left < 60
    monkeypatch.undo()
    do_due(NOW + timedelta(minutes=1))
    assert Report.objects.count() == 0


def test_a_batch_grows_while_it_is_quick_and_shrinks_when_it_is_slow() -> None:
    moment = [0.0]
    sizes: list[int] = []
    rests: list[float] = []

    def step(size: int) -> int:
        sizes.append(size)
        moment[0] += 0.003 * size
        return len(sizes) < 12

    pace = Pace(clock=lambda: moment[0], rest=rests.append)
    assert pace.run(step)
    # Three milliseconds each: it settles where a transaction takes 25 to 50 ms.
    assert sizes[0] == 25 and all(8 <= size <= 16 for size in sizes[1:])
    assert len(rests) == len(sizes) - 1


def test_the_journal_of_a_deletion_holds_ids_only(unit: object) -> None:
    report = old_report(text="Nobody may read this again", contact=old_contact())
    worker_runs()
    entries = Entry.objects.filter(kind="reports.purged")
    assert [(entry.subject_id, entry.data) for entry in entries] == [(report.pk, {})]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="plans are told for SQLite; not in CI on PostgreSQL")
def test_what_is_due_is_found_along_indexes(unit: object) -> None:
    make.make_topic("one")
    inbound, outbound, _casts = old_messages(now=NOW)
    looks = {
        "report_kept": next(iter(old_reports(now=NOW))),
        "inbound_age": inbound,
        "outbound_age": outbound,
    }
    for index, rows in looks.items():
        plan = rows.explain()
        assert index in plan and "TEMP B-TREE" not in plan, plan
