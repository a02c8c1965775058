"""The list and the page of a report."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.media import store
from commonbeat.media.actions import picture_key
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.contacts import confirm_contact
from commonbeat.reports.actions.dialogue import answer_desk, ask_reporter
from commonbeat.reports.actions.incidents import merge_reports
from commonbeat.reports.actions.work import claim_report
from commonbeat.reports.models import Report, ReportPhoto
from commonbeat.web.desk.reports import happened_in_words
from commonbeat.web.jinja import local_datetime
from tests import make

pytestmark = pytest.mark.django_db
LIST = "/desk/reports/"


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give a report on the desk of the first unit."""
    return make.make_report(unit=unit, title="Dark lamp", now=clock.now())


def page_of(report: Report) -> str:
    """Give the address of a report's page."""
    return reverse("desk:report", kwargs={"report_id": report.pk})


def shown(client: Client, query: str = "") -> list[int]:
    """Give the numbers of the listed reports, in order."""
    page = client.get(LIST + query)
    assert page.status_code == 200
    return [row.id for row in page.context["page"].rows] if page.context else _numbers(page.content.decode())


def _numbers(text: str) -> list[int]:
    return [int(part.split('"')[0]) for part in text.split('data-row="')[1:]]


def test_the_tabs(unit: Unit, officer: User, second_officer: User, officer_client: Client) -> None:
    now = clock.now()
    beat = make.make_beat(unit=unit, officers=[officer])
    fresh, accepted, mine, theirs, elsewhere = (
        make.make_report(unit=unit, latitude=lat) for lat in (42.38, 42.38, 42.38, 42.38, 45.0)
    )
    assert fresh.beat == beat
    Report.objects.filter(pk=accepted.pk).update(state="triaged")
    claim_report(report_id=mine.pk, actor=officer, now=now)
    claim_report(report_id=theirs.pk, actor=second_officer, now=now)
    assert shown(officer_client) == [elsewhere.pk, theirs.pk, mine.pk, fresh.pk]
    assert shown(officer_client, "?tab=mine") == [mine.pk]
    assert shown(officer_client, "?tab=beat") == [theirs.pk, mine.pk, accepted.pk, fresh.pk]
    assert shown(officer_client, "?tab=all") == [elsewhere.pk, theirs.pk, mine.pk, accepted.pk, fresh.pk]
    Report.objects.filter(pk=mine.pk).update(claimed_until=now - timedelta(seconds=1))
    assert shown(officer_client, "?tab=mine") == []


def test_the_filters(unit: Unit, officer_client: Client) -> None:
    now = clock.now()
    make.make_topic("street-light")
    other = make.make_topic("dump")
    a = make.make_report(unit=unit, now=now, channel="demo_sms")
    b = make.make_report(unit=unit, now=now - timedelta(days=3), topic=other)
    c = make.make_report(unit=unit, now=now - timedelta(days=20))
    Report.objects.filter(pk=b.pk).update(state="triaged", verified_at=now)
    Report.objects.filter(pk=c.pk).update(answer_waiting=True)
    for query, expected in {
        "topic=dump": [b], "state=triaged": [b], "channel=demo_sms": [a], "verified=yes": [b], "verified=no": [c, a],
        "waits=1": [c], "period=today": [a], "period=week": [b, a], "period=month": [c, b, a],
        "topic=dump&state=new": [], "topic=nonsense&state=odd&period=ever&beat=x": [c, b, a],
    }.items():  # fmt: skip
        assert shown(officer_client, f"?tab=all&{query}") == [one.pk for one in expected], query


def test_the_search(unit: Unit, officer_client: Client, report: Report) -> None:
    other = make.make_report(unit=unit, text="A heap of rubble")
    Report.objects.filter(pk=other.pk).update(state="resolved")
    assert shown(officer_client, "?q=rubble") == [other.pk]
    assert shown(officer_client, f"?q={report.reference}") == [report.pk]
    assert shown(officer_client, "?q=rubble&tab=new") == []
    assert "Nothing found" in officer_client.get(LIST + "?q=unicorn").content.decode()


def test_pages_lead_older_and_back(unit: Unit, officer_client: Client) -> None:
    ids = [make.make_report(unit=unit).pk for _n in range(120)][::-1]
    first = officer_client.get(LIST + "?tab=all").content.decode()
    assert _numbers(first) == ids[:50]
    assert shown(officer_client, f"?tab=all&before={ids[49]}") == ids[50:100]
    last = officer_client.get(LIST + f"?tab=all&before={ids[99]}").content.decode()
    assert _numbers(last) == ids[100:]
    assert 'rel="next"' not in last and 'rel="prev"' in last
    assert shown(officer_client, f"?tab=all&after={ids[100]}") == ids[50:100]
    again = officer_client.get(LIST + f"?tab=all&after={ids[50]}").content.decode()
    assert _numbers(again) == ids[:50]
    assert 'rel="prev"' not in again and 'rel="next"' in again
    searched = officer_client.get(LIST + "?q=lamp").content.decode()
    assert "q=lamp" in searched.split('rel="next"')[0].rsplit("href=", 1)[1]


def test_what_is_searched_for_does_not_follow_into_other_addresses(officer_client: Client, report: Report) -> None:
    text = officer_client.get(LIST + "?q=dark").content.decode()
    assert f'href="/desk/reports/{report.pk}/?tab=all"' in text


@pytest.mark.parametrize("query", ["?tab=all", "?tab=new", "?tab=mine", "?tab=beat", "?q=lamp", "?tab=all&period=week"])
def test_the_number_of_queries_does_not_grow(query: str, unit: Unit, officer: User, officer_client: Client) -> None:
    make.make_beat(unit=unit, officers=[officer])
    counts = []
    for more in (2, 30):
        for _n in range(more):
            made = make.make_report(unit=unit)
            ReportPhoto.objects.create(report=made, photo=make.make_photo())
            claim_report(report_id=made.pk, actor=officer, now=clock.now())
        officer_client.get(LIST + query)
        with CaptureQueriesContext(connection) as queries:
            officer_client.get(LIST + query)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


def test_the_page_needs_no_more_queries_for_more_history(unit: Unit, officer: User, officer_client: Client) -> None:
    report = make.make_report(unit=unit, contact=make.make_contact())
    counts = []
    for more in (1, 10):
        for n in range(more):
            ask_reporter(report_id=report.pk, text=f"Question {n}?", actor=officer, now=clock.now())
            answer_desk(report_id=report.pk, text="Answer", client_key=f"{more}-{n}", now=clock.now())
            ReportPhoto.objects.create(report=report, photo=make.make_photo())
            other = make.make_report(unit=unit)
            merge_reports(report_id=report.pk, other_ids=[other.pk], actor=officer, now=clock.now())
        officer_client.get(page_of(report))
        with CaptureQueriesContext(connection) as queries:
            officer_client.get(page_of(report))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 30


def test_a_fragment_is_only_the_rows(officer_client: Client, report: Report) -> None:
    text = officer_client.get(LIST, headers={"HX-Request": "true"}).content.decode()
    assert "Dark lamp" in text
    assert "<html" not in text and "<form" not in text


def test_news_count_what_came_after(unit: Unit, officer_client: Client, report: Report) -> None:
    address = f"{reverse('desk:news')}?tab=new&than={report.pk}"
    assert officer_client.get(address).content.decode().strip() == ""
    make.make_report(unit=unit)
    make.make_report(unit=unit)
    assert "2 new reports" in officer_client.get(address).content.decode()


def test_the_page_shows_everything(unit: Unit, officer: User, officer_client: Client) -> None:
    contact = make.make_contact("+38344999888")
    report = make.make_report(
        unit=unit, title="Dark lamp", contact=contact, channel="demo_sms", categories=["first"], place_name="The mill"
    )
    ask_reporter(report_id=report.pk, text="Which lamp?", actor=officer, now=clock.now())
    answer_desk(report_id=report.pk, text="The left one", client_key="k", now=clock.now())
    page = officer_client.get(page_of(report))
    text = page.content.decode()
    for part in ("Dark lamp", "The lamp in front of the school", "First", "The mill", contact.handle, "Which lamp?",
                 "The left one", "Answer waits", "The reporter answered", "42.38000"):  # fmt: skip
        assert part in text, part
    # Staff see a handle, never the number.
    assert "44999888" not in text


def test_the_desk_sees_that_a_number_is_not_confirmed(unit: Unit, officer_client: Client) -> None:
    contact = make.make_contact("+38344999888")
    report = make.make_report(unit=unit, contact=contact, contact_confirmed=False)
    text = officer_client.get(page_of(report)).content.decode()
    assert "number not confirmed yet" in text and "has not replied YES" in text
    assert "can be reached" not in text and "left no number" not in text
    confirm_contact(contact_id=contact.pk, since=make.NOW - timedelta(days=7), now=make.NOW)
    text = officer_client.get(page_of(report)).content.decode()
    assert "can be reached" in text and "not confirmed" not in text
    assert "The reporter confirmed their number" in text


def test_opening_a_report_is_journalled(unit: Unit, officer: User, officer_client: Client) -> None:
    placed, bare = make.make_report(unit=unit), make.make_report(unit=unit, latitude=None)
    for one in (placed, placed, bare):
        officer_client.get(page_of(one))
    looked = Entry.objects.filter(kind="reports.looked").order_by("id").values_list("subject_id", "actor_id")
    assert list(looked) == [(placed.pk, officer.pk), (bare.pk, officer.pk)]


@pytest.mark.parametrize("view", ["alike", "part", "photo", "thumb"])
def test_no_other_view_of_a_report_is_without_a_trace(
    view: str, report: Report, officer: User, officer_client: Client
) -> None:
    photo = ReportPhoto.objects.create(report=report, photo=make.make_photo()).photo
    pictures = reverse("desk:photo", kwargs={"report_id": report.pk, "photo_id": photo.pk})
    address = {
        "alike": reverse("desk:alike", kwargs={"report_id": report.pk}),
        "part": f"{page_of(report)}?part=thread",
        "photo": pictures,
        "thumb": f"{pictures}?size=thumb",
    }[view]
    officer_client.get(address)
    (entry,) = Entry.objects.filter(kind="reports.looked")
    assert (entry.subject_id, entry.actor_id) == (report.pk, officer.pk)


def test_somebody_elses_claim_is_shown_and_locks(officer_client: Client, second_officer: User, report: Report) -> None:
    claim_report(report_id=report.pk, actor=second_officer, now=clock.now())
    text = officer_client.get(page_of(report)).content.decode()
    assert "second-officer is working on this report" in text
    for verb in ("claim", "ask", "publish", "verify", "merge"):
        assert f"/desk/reports/{report.pk}/{verb}/" not in text
    assert f"/desk/reports/{report.pk}/note/" in text


def test_only_moves_of_the_table_are_offered(officer_client: Client, report: Report) -> None:
    Report.objects.filter(pk=report.pk).update(state="published")
    text = officer_client.get(page_of(report)).content.decode()
    assert 'name="to" value="resolved"' in text
    assert 'name="to" value="new"' not in text
    assert 'value="rejected"' not in text


def test_the_way_through_the_list(unit: Unit, officer_client: Client) -> None:
    one, two, three = (make.make_report(unit=unit) for _n in range(3))
    text = officer_client.get(page_of(two) + "?tab=new").content.decode()
    assert f'href="/desk/reports/{three.pk}/?tab=new" rel="prev"' in text
    assert f'href="/desk/reports/{one.pk}/?tab=new" rel="next"' in text
    Report.objects.filter(pk=one.pk).update(state="triaged")
    assert 'rel="next"' not in officer_client.get(page_of(two) + "?tab=new").content.decode()


@pytest.mark.parametrize("part", ["state", "thread", "history"])
def test_parts_of_the_page_can_be_asked_for(part: str, officer_client: Client, report: Report) -> None:
    page = officer_client.get(f"{page_of(report)}?part={part}")
    assert page.status_code == 200
    assert "<html" not in page.content.decode()


def test_hostile_words_are_shown_as_words(unit: Unit, officer_client: Client) -> None:
    hostile = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    report = make.make_report(unit=unit, text=hostile, title=hostile, place_name=hostile)
    for address in (LIST, page_of(report), reverse("desk:map"), LIST + "?q=script"):
        text = officer_client.get(address).content.decode()
        assert "<script>alert" not in text and "<img src=x" not in text


def test_a_photo_is_shown_as_it_was_sent_and_never_as_a_page(unit: Unit, officer_client: Client) -> None:
    report = make.make_report(unit=unit)
    for data, kind in ((b"\xff\xd8\xff\xe0picture", "image/jpeg"), (b"<html><script>", "application/octet-stream")):
        photo = make.make_photo()
        photo.original_token = store.keep_original(data, data_dir=settings.COMMONBEAT.data_dir, key=picture_key())
        photo.save()
        ReportPhoto.objects.create(report=report, photo=photo)
        page = officer_client.get(reverse("desk:photo", kwargs={"report_id": report.pk, "photo_id": photo.pk}))
        assert (page.status_code, page["Content-Type"], page.content) == (200, kind, data)
        assert "sandbox" in page["Content-Security-Policy"]
        file = officer_client.get(
            reverse("desk:photo", kwargs={"report_id": report.pk, "photo_id": photo.pk}) + "?file=1"
        )
        assert (file.content, file["Content-Disposition"]) == (data, 'attachment; filename="picture"')
    missing = make.make_photo()
    ReportPhoto.objects.create(report=report, photo=missing)
    strange = make.make_photo()
    for photo in (missing, strange):
        address = reverse("desk:photo", kwargs={"report_id": report.pk, "photo_id": photo.pk})
        assert officer_client.get(address).status_code == 404


def test_what_browsers_cannot_show_is_shown_as_its_copy_and_kept_as_it_was_sent(
    unit: Unit, officer_client: Client
) -> None:
    report = make.make_report(unit=unit)
    photo = make.make_photo()
    data, folder, key = b"\0\0\0\x1cftypheic...", settings.COMMONBEAT.data_dir, picture_key()
    photo.original_token = store.keep_original(data, data_dir=folder, key=key)
    store.write_public(photo.public_token, full=b"\xff\xd8\xffcopy", thumb=b"\xff\xd8\xff", data_dir=folder, key=key)
    photo.save()
    ReportPhoto.objects.create(report=report, photo=photo)
    address = reverse("desk:photo", kwargs={"report_id": report.pk, "photo_id": photo.pk})
    shown, file = officer_client.get(address), officer_client.get(address + "?file=1")
    assert (shown["Content-Type"], shown.content) == ("image/jpeg", b"\xff\xd8\xffcopy")
    assert (file["Content-Type"], file.content) == ("image/heic", data)
    assert file["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("verb", ["claim", "move", "publish"])
def test_actions_take_no_get(verb: str, officer_client: Client, report: Report) -> None:
    assert officer_client.get(reverse("desk:act", kwargs={"report_id": report.pk, "verb": verb})).status_code == 405


def test_the_public_copy_names_the_place_in_the_language_of_the_site(unit: Unit, officer_client: Client) -> None:
    place = make.make_place("Old bridge")
    place.names = {"en": "Old bridge", "sq": "Ura e vjetër"}
    place.save()
    place.spellings.create(folded="ura e vjeter")
    report = make.make_report(unit=unit, place_name="Ura e vjetër", place_source="named")
    assert re.search(r'name="place_name"[^>]*value="Old bridge"', officer_client.get(page_of(report)).content.decode())
    unknown = make.make_report(unit=unit, place_name="te dardha", place_source="named")
    assert re.search(r'name="place_name"[^>]*value="te dardha"', officer_client.get(page_of(unknown)).content.decode())


@pytest.mark.parametrize(
    ("channel", "at", "expected"),
    [
        ("web", (12, 0, 0), "Nov 23, 2026|November 23, 2026"),
        ("web", (9, 0, 0), "November 23, 2026, in the morning"),
        ("web", (14, 41, 7), "November 23, 2026"),
        ("import", (14, 41, 7), "Nov 23, 2026, 2:41"),
    ],
)
def test_no_exact_time_is_invented(channel: str, at: tuple[int, int, int], expected: str) -> None:
    occurred = timezone.make_aware(datetime(2026, 11, 23, *at))
    said = happened_in_words(Report(channel=channel, occurred_at=occurred))
    wanted = expected.split("|")[-1]
    assert said.startswith(wanted) and (channel == "import" or said == wanted)
    assert ":07" not in said and ":00" not in said
    assert happened_in_words(Report(channel=channel)) == ""


def test_moments_show_no_seconds() -> None:
    text = local_datetime(timezone.make_aware(datetime(2026, 11, 23, 14, 41, 7)))
    assert "2:41" in text and ":07" not in text


def test_who_stopped_messages_is_not_said_to_have_left_no_number(unit: Unit, officer_client: Client) -> None:
    report = make.make_report(unit=unit, contact=make.make_contact())
    Report.objects.filter(pk=report.pk).update(contact_confirmed=True)
    assert report.contact is not None
    report.contact.stopped_at = clock.now()
    report.contact.save()
    page = officer_client.get(page_of(report)).content.decode()
    assert "wants no more messages (STOP)" in page and "left no number" not in page
    report.contact.stopped_at = None
    report.contact.save()
    assert "wants no more messages" not in officer_client.get(page_of(report)).content.decode()
    nobody = make.make_report(unit=unit)
    assert "left no number" in officer_client.get(page_of(nobody)).content.decode()


def test_the_proposed_copy_has_neither_keyword_nor_coordinates(unit: Unit, officer_client: Client) -> None:
    report = make.make_report(unit=unit, text="LIGHT lamp out 42.6612, 21.1690", channel="demo_sms")
    proposal = officer_client.get(page_of(report)).content.decode().partition('name="title"')[2].partition("</form>")[0]
    assert "lamp out" in proposal
    assert "LIGHT" not in proposal
    assert "42.6612" not in proposal
