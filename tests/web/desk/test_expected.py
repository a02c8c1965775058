"""The board of expected reports, and how a supervisor fills the list."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.expected import Enrolment, enrol
from commonbeat.reports.expected_models import ExpectedReporter
from commonbeat.reports.models import Report
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import topic_by_code
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.intake.phone import Phone

pytestmark = pytest.mark.django_db
BOARD = "/desk/expected/?topic=medicine-stock-out"
SITE = "Clinic of the hidden valley"


@pytest.fixture
def stock(unit: object) -> Topic:
    install_ready_made(make.NOW)
    topic = topic_by_code("medicine-stock-out")
    assert topic is not None
    enrol(topic_id=topic.pk, rows=[Enrolment(phone="+38344000277", site=SITE)], actor=None, now=clock.now())
    return topic


@pytest.fixture
def boss(supervisor: User) -> Client:
    return make.signed_in(supervisor)


def send(client: Client, **data: object) -> tuple[int, str]:
    address = reverse("desk:expected_enrol", kwargs={"code": "medicine-stock-out"})
    answer = client.post(address, data, follow=True)
    return answer.status_code, answer.content.decode()


def test_the_board_names_place_and_report_and_neither_number_nor_handle(stock: Topic, boss: Client) -> None:
    phone = Phone("+38344000277", clock.now())
    phone.say("STOCK insulin 7")
    report = Report.objects.get()
    page = boss.get(BOARD).content.decode()
    assert SITE in page and "Insulin = 7" in page and f"/desk/reports/{report.pk}/" in page
    assert "38344000277" not in page.replace(" ", "")
    # Whoever enrolled the number knows it; with the handle they would know who wrote every other report of it.
    assert phone.contact.handle not in page
    assert phone.contact.handle not in boss.get(f"/desk/reports/{report.pk}/").content.decode()


def test_an_ordinary_report_of_the_same_person_keeps_its_handle(stock: Topic, boss: Client) -> None:
    phone = Phone("+38344000277", clock.now())
    phone.say("The doctor sells our medicines at the market")
    page = boss.get(f"/desk/reports/{Report.objects.get().pk}/").content.decode()
    assert phone.contact.handle in page and SITE not in page


def test_beats_and_desks_are_read_once_for_a_whole_list(stock: Topic, unit: Unit) -> None:
    make.make_beat(unit=unit)
    # Every second place lies on no beat.
    rows = [
        Enrolment(f"+383440004{n:02}", f"Post {n}", latitude=make.LATITUDE - n % 2 * 20, longitude=make.LONGITUDE)
        for n in range(12)
    ]

    def looks(rows: list[Enrolment]) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert enrol(topic_id=stock.pk, rows=rows, actor=None, now=clock.now()) == (len(rows), {})
        return sum('FROM "places_beat' in query["sql"] or 'FROM "people_unit' in query["sql"] for query in seen)

    # The first look of a process also reads the areas.
    of_two = looks(rows[:2])
    assert looks(rows[2:]) <= of_two


def test_the_history_of_a_report_shows_what_it_said_before(stock: Topic, officer_client: Client) -> None:
    phone = Phone("+38344000277", clock.now())
    phone.say("STOCK insulin 7")
    phone.say("STOCK insulin 70")
    page = officer_client.get(f"/desk/reports/{Report.objects.get().pk}/").content.decode()
    assert f"Insulin = 70 at {SITE}." in page
    assert f"<s>Stock: Insulin = 7 at {SITE}.</s>" in page
    assert "The reporter sent it again, corrected" in page


@pytest.mark.parametrize("who", ["outsider", "moderator", "overseer", "administrator"])
def test_others_see_nothing(who: str, stock: Topic, request: pytest.FixtureRequest) -> None:
    client = make.signed_in(request.getfixturevalue(who))
    for answer in (
        client.get(BOARD),
        client.post(reverse("desk:expected_enrol", kwargs={"code": "medicine-stock-out"}), {"lines": "x"}),
        client.post(reverse("desk:expected_remove", kwargs={"reporter_id": ExpectedReporter.objects.get().pk})),
    ):
        assert answer.status_code == 403 and SITE not in answer.content.decode()
    assert ExpectedReporter.objects.count() == 1


def test_another_unit_sees_nothing_of_it(stock: Topic, far_officer: User) -> None:
    answer = make.signed_in(far_officer).get(BOARD)
    assert answer.status_code == 200 and SITE not in answer.content.decode()


def test_an_officer_reads_the_board_and_may_not_enrol(stock: Topic, officer_client: Client) -> None:
    page = officer_client.get(BOARD).content.decode()
    assert SITE in page and "Enrol reporters" not in page
    assert send(officer_client, lines="+38344000202, Clinic 2")[0] == 403


def test_a_list_is_enrolled_as_it_is_typed(stock: Topic, boss: Client) -> None:
    status, page = send(boss, lines="+383 44 000 202, Clinic 2, sq, daily, 14:00\n044 000 203, Clinic 3")
    assert status == 200 and "2 reporters are enrolled." in page
    second = ExpectedReporter.objects.get(site="Clinic 2")
    assert (second.contact.language, second.rhythm, second.due_at.hour) == ("sq", "daily", 14)


def test_a_file_names_its_columns_in_any_order(stock: Topic, boss: Client) -> None:
    text = "\ufeffplace;phone;weekday;rhythm;latitude;longitude\nClinic 2;+38344000202;Fri;weekly;42,4;20.5\n"
    file = SimpleUploadedFile("list.csv", text.encode(), "text/csv")
    assert send(boss, file=file)[0] == 200
    second = ExpectedReporter.objects.get(site="Clinic 2")
    assert (second.rhythm, second.weekday, second.latitude, second.longitude) == ("weekly", 4, 42.4, 20.5)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("", "Write at least a telephone number and a place."),
        ("12, Clinic 2", "This is no telephone number."),
        ("+38344000202", "Name the place that the person reports from."),
        ("+38344000202, Clinic 2, fr", "The language is one of: en, sq, ar."),
        ("+38344000202, Clinic 2, en, hourly", "Say how often a report is expected"),
        ("+38344000202, Clinic 2, en, daily, 25:00", "The time when a report is due"),
        ("+38344000202, Clinic 2, en, weekly, 9, Funday", "The weekday is a name such as Monday."),
        ("+38344000202, Clinic 2, en, daily, 9, Mon, north, 20", "Latitude and longitude are numbers"),
        ('"+38344000202, Clinic 2\n\x00', "Name the place that the person reports from."),
    ],
)
def test_what_cannot_be_read_comes_back_with_a_sentence(lines: str, sentence: str, stock: Topic, boss: Client) -> None:
    status, page = send(boss, lines=lines)
    assert status == 422 and sentence in page
    assert ExpectedReporter.objects.count() == 1


def test_a_file_that_is_no_text_and_one_that_is_too_long(
    stock: Topic, boss: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commonbeat.web.desk.expected.LONGEST", 1_000)
    for data in (b"\xff\xfe\x00\x01", b"a," * 600):
        status, page = send(boss, file=SimpleUploadedFile("list.csv", data, "text/csv"))
        assert status == 422 and "error-summary" in page


def test_somebody_is_taken_off_the_list(stock: Topic, boss: Client) -> None:
    address = reverse("desk:expected_remove", kwargs={"reporter_id": ExpectedReporter.objects.get().pk})
    assert "Taken off the list" in boss.post(address, {"topic": "medicine-stock-out"}, follow=True).content.decode()
    assert not ExpectedReporter.objects.exists()
    assert boss.post(address, {"topic": "https://elsewhere.example"}).headers["Location"] == "/desk/expected/"


def test_an_unknown_topic_is_not_found(stock: Topic, boss: Client) -> None:
    assert boss.post("/desk/expected/street-light/enrol/", {"lines": "x"}).status_code == 404
    assert boss.get("/desk/expected/?topic=nothing").status_code == 200


def test_another_units_reporter_keeps_place_and_list(stock: Topic, unit: Unit, far_unit: Unit, boss: Client) -> None:
    make.make_beat(unit=unit)
    far = ExpectedReporter.objects.get()
    ExpectedReporter.objects.update(unit=far_unit, latitude=10.0, longitude=10.0)
    line = f"+38344000277, {SITE}, en, weekly, 15:00, Monday"
    status, page = send(boss, lines=f"{line}, {make.LATITUDE}, {make.LONGITUDE}")
    assert status == 422 and f"on the list of {far_unit.name}" in page
    # The times may change, and a line without coordinates moves nobody.
    assert send(boss, lines=line)[0] == 200
    far.refresh_from_db()
    assert (far.unit, far.latitude, far.rhythm, far.due_at.hour) == (far_unit, 10.0, "weekly", 15)


def test_ones_own_reporter_moves_with_their_place(stock: Topic, unit: Unit, far_unit: Unit, boss: Client) -> None:
    make.make_beat(unit=far_unit)
    assert send(boss, lines=f"+38344000277, {SITE}, en, daily, 12:00, , {make.LATITUDE}, {make.LONGITUDE}")[0] == 200
    assert ExpectedReporter.objects.get().unit == far_unit
