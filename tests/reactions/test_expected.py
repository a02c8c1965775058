"""Expected reports: the board by the clock, and one reminder for whoever is late."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import stop_contact
from commonbeat.messaging.models import Contact, Outbound
from commonbeat.messaging.queries import text_of
from commonbeat.messaging.rules import BULK
from commonbeat.people.models import User
from commonbeat.reactions.due import do_due
from commonbeat.reactions.expected import remind_expected
from commonbeat.reports import events
from commonbeat.reports.actions.expected import Enrolment, enrol, unenrol
from commonbeat.reports.errors import NotAllowed
from commonbeat.reports.expected_models import ExpectedReporter
from commonbeat.reports.queries.expected import board
from commonbeat.reports.schedule import GRACE, Schedule, Standing
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import topic_by_code
from commonbeat.topics.ready_made import install_ready_made
from tests.intake.phone import Phone

pytestmark = pytest.mark.django_db

# A Saturday, in the site's own time.
NOON = datetime(2026, 3, 14, 12, 0, tzinfo=ZoneInfo("Europe/Belgrade"))


@pytest.fixture
def stock(unit: object) -> Topic:
    install_ready_made(NOON)
    topic = topic_by_code("medicine-stock-out")
    assert topic is not None
    return topic


def put(topic: Topic, number: int, **more: object) -> ExpectedReporter:
    """Enrol one reporter, due at noon unless said otherwise."""
    row = Enrolment(phone=f"+38344000{number}", site=f"Clinic {number}", **more)  # type: ignore[arg-type]
    assert enrol(topic_id=topic.pk, rows=[row], actor=None, now=NOON - timedelta(days=30)) == (1, {})
    return ExpectedReporter.objects.get(site=f"Clinic {number}")


def standing(viewer: User, topic: Topic, now: datetime) -> list[Standing]:
    return [line.standing for line in board(viewer, topic_id=topic.pk, now=now)]


# ------------------------------------------------------------------ the clock


def test_a_day_is_the_sites_day_also_when_the_clocks_change() -> None:
    zone = ZoneInfo("Europe/Belgrade")
    schedule = Schedule("daily", 0, time(2, 30))
    period = schedule.period_at(datetime(2026, 3, 28, 23, 30, tzinfo=UTC), zone)
    assert period.starts == datetime(2026, 3, 29, 0, 0, tzinfo=zone)
    # That day has 23 hours.
    assert period.ends.astimezone(UTC) - period.starts.astimezone(UTC) == timedelta(hours=23)


def test_a_week_begins_on_monday() -> None:
    zone = ZoneInfo("UTC")
    period = Schedule("weekly", 4, time(9)).period_at(datetime(2026, 3, 14, 12, tzinfo=UTC), zone)
    assert (period.starts.day, period.due, period.ends.day) == (9, datetime(2026, 3, 13, 9, tzinfo=zone), 16)


@pytest.mark.parametrize(
    ("hour", "reported", "standing"),
    [(8, None, "expected"), (13, None, "missing"), (13, 11, "reported"), (13, 12.5, "late"), (8, 7, "reported")],
)
def test_how_a_report_stands(hour: float, reported: float | None, standing: str) -> None:
    zone, day = ZoneInfo("UTC"), datetime(2026, 3, 14, tzinfo=UTC)
    said = day + timedelta(hours=reported) if reported is not None else None
    assert Schedule("daily", 0, time(12)).standing(day + timedelta(hours=hour), zone, reported_at=said) == standing


# ------------------------------------------------------------------ the board


def test_the_board_of_a_day(stock: Topic, supervisor: User) -> None:
    for number in (201, 202, 203):
        put(stock, number)
    put(stock, 204, rhythm="none")
    Phone("+38344000201", NOON - timedelta(hours=2)).say("STOCK amox 0")
    Phone("+38344000202", NOON + timedelta(hours=1)).say("STOCK amox 0")
    now = NOON + timedelta(hours=2)
    assert standing(supervisor, stock, now) == ["reported", "late", "missing", "free"]
    lines = board(supervisor, topic_id=stock.pk, now=now)
    assert lines[0].report is not None and lines[0].report.title == "Stock: Amoxicillin = 0 at Clinic 201."
    # Tomorrow is another day.
    assert standing(supervisor, stock, now + timedelta(hours=20)) == ["expected", "expected", "expected", "free"]


def test_one_telephone_for_two_places(stock: Topic, supervisor: User) -> None:
    rows = [Enrolment(phone="+38344000201", site=site) for site in ("Clinic 1", "Clinic 2")]
    enrol(topic_id=stock.pk, rows=rows, actor=None, now=NOON)
    Phone("+38344000201", NOON - timedelta(hours=1)).say("STOCK amox 0 clinic 2")
    assert standing(supervisor, stock, NOON + timedelta(hours=1)) == ["missing", "reported"]


def test_who_sees_the_board(
    stock: Topic, officer: User, far_officer: User, supervisor: User, outsider: User, administrator: User
) -> None:
    put(stock, 201)
    seen = {user: len(board(user, topic_id=stock.pk, now=NOON)) for user in (officer, supervisor)}
    assert list(seen.values()) == [1, 1]
    for user in (far_officer, outsider, administrator):
        assert board(user, topic_id=stock.pk, now=NOON) == []


def test_the_board_costs_as_much_for_ten_as_for_one(
    stock: Topic, supervisor: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    put(stock, 201)
    Phone("+38344000201", NOON - timedelta(hours=2)).say("STOCK amox 0")
    with django_assert_num_queries(3):
        board(supervisor, topic_id=stock.pk, now=NOON)
    for number in range(202, 211):
        put(stock, number)
        Phone(f"+38344000{number}", NOON - timedelta(hours=2)).say("STOCK amox 0")
    with django_assert_num_queries(3):
        assert len(board(supervisor, topic_id=stock.pk, now=NOON)) == 10


# ------------------------------------------------------------------ enrolling


def test_enrolling_needs_the_permission_and_is_journalled(stock: Topic, supervisor: User, officer: User) -> None:
    rows = [Enrolment(phone="+38344000201", site="Clinic 1")]
    with pytest.raises(NotAllowed):
        enrol(topic_id=stock.pk, rows=rows, actor=officer, now=NOON)
    enrol(topic_id=stock.pk, rows=rows, actor=supervisor, now=NOON)
    reporter = ExpectedReporter.objects.get()
    with pytest.raises(NotAllowed):
        unenrol(reporter_id=reporter.pk, actor=officer, now=NOON)
    unenrol(reporter_id=reporter.pk, actor=supervisor, now=NOON)
    assert not ExpectedReporter.objects.exists() and Contact.objects.exists()
    entries = Entry.objects.filter(kind__in=[events.ENROLLED, events.UNENROLLED]).order_by("id")
    assert [(e.kind, e.actor_id) for e in entries] == [
        (events.ENROLLED, supervisor.pk),
        (events.UNENROLLED, supervisor.pk),
    ]


def test_enrolling_again_changes_the_times_and_keeps_the_language_that_was_chosen(stock: Topic) -> None:
    put(stock, 201, language="sq")
    Phone("+38344000201").say("ENGLISH")
    put(stock, 201, language="ar", due_at=time(15))
    assert ExpectedReporter.objects.get().due_at == time(15)
    assert Contact.objects.get().language == "en"


def test_what_cannot_be_enrolled_is_said_per_row(stock: Topic) -> None:
    rows = [
        Enrolment(phone="12", site="Clinic 1"),
        Enrolment(phone="+38344000201", site=" "),
        Enrolment(phone="+38344000201", site="Clinic 1", rhythm="hourly"),
        Enrolment(phone="+38344000201", site="Clinic 1"),
    ]
    count, problems = enrol(topic_id=stock.pk, rows=rows, actor=None, now=NOON)
    assert (count, set(problems)) == (1, {0, 1, 2})


# ------------------------------------------------------------------ reminders


def test_whoever_is_late_is_reminded_once_a_day(stock: Topic) -> None:
    put(stock, 201, language="sq")
    put(stock, 202)
    Phone("+38344000202", NOON - timedelta(hours=2)).say("STOCK amox 0")
    sent = Outbound.objects.filter(idempotency_key__startswith="expected:")
    assert remind_expected(NOON + GRACE - timedelta(seconds=1)) == 0
    for minutes in range(30, 300, 7):
        do_due(NOON + timedelta(minutes=minutes))
    (reminder,) = sent
    assert text_of(reminder).startswith("Sot nuk kemi raport gjendjeje nga ju.")
    assert reminder.priority == BULK and reminder.contact.language == "sq"
    # Worth nothing tomorrow.
    assert timezone.localtime(reminder.expires_at).date() == NOON.date() + timedelta(days=1)
    do_due(NOON + timedelta(days=1, hours=2))
    assert sent.all().count() == 3


def test_a_reminder_that_was_forgotten_by_us_is_still_sent_once(stock: Topic) -> None:
    put(stock, 201)
    remind_expected(NOON + timedelta(hours=1))
    ExpectedReporter.objects.update(reminded_for=None, reminded_at=None)
    remind_expected(NOON + timedelta(hours=1))
    assert Outbound.objects.filter(idempotency_key__startswith="expected:").count() == 1


@pytest.mark.parametrize("why", ["stopped", "closed topic", "no rhythm"])
def test_who_is_not_reminded(why: str, stock: Topic) -> None:
    reporter = put(stock, 201, rhythm="none" if why == "no rhythm" else "daily")
    if why == "stopped":
        stop_contact(contact=reporter.contact, now=NOON)
    if why == "closed topic":
        Topic.objects.filter(pk=stock.pk).update(enabled=False)
    assert remind_expected(NOON + timedelta(hours=2)) == 0
    assert not Outbound.objects.filter(idempotency_key__startswith="expected:").exists()


def test_a_weekly_report_is_asked_for_in_its_week(stock: Topic) -> None:
    put(stock, 201, rhythm="weekly", weekday=4)
    friday = NOON - timedelta(days=1)
    assert remind_expected(friday - timedelta(hours=1)) == 0
    assert [remind_expected(friday + timedelta(hours=h)) for h in (1, 2, 24, 40)] == [1, 0, 0, 0]
    assert remind_expected(friday + timedelta(days=7, hours=1)) == 1


def test_reminding_costs_no_query_per_reporter_that_has_reported(
    stock: Topic, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(201, 206):
        put(stock, number)
        Phone(f"+38344000{number}", NOON - timedelta(hours=2)).say("STOCK amox 0")
    with django_assert_num_queries(2):
        remind_expected(NOON + timedelta(hours=1))
