"""What a person does to a report through the page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.dialogue import answer_desk
from commonbeat.reports.actions.work import claim_report, move_report
from commonbeat.reports.models import Message, Publication, PublicationState, Report, ReportPhoto, Verification
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give a report on the desk of the first unit."""
    return make.make_report(unit=unit, title="Dark lamp")


def act(client: Client, report: Report, verb: str, query: str = "", **data: Any) -> Any:
    """Press a button of the report's page."""
    return client.post(reverse("desk:act", kwargs={"report_id": report.pk, "verb": verb}) + query, data)


def test_the_whole_way(officer_client: Client, moderator_client: Client, report: Report, officer: User) -> None:
    assert act(officer_client, report, "claim").status_code == 302
    report.refresh_from_db()
    assert report.claimed_by == officer
    assert act(officer_client, report, "move", to="triaged").status_code == 302
    assert act(officer_client, report, "ask", ask="Which lamp?").status_code == 302
    answer_desk(report_id=report.pk, text="The left one", client_key="k", now=clock.now())
    assert act(officer_client, report, "read").status_code == 302
    report.refresh_from_db()
    assert not report.answer_waiting
    assert act(officer_client, report, "note", note="Told the town").status_code == 302
    assert act(officer_client, report, "verify", evidence="Seen by the patrol", sources="2").status_code == 302
    assert act(officer_client, report, "publish", title="A lamp is dark", text="By the school").status_code == 302
    publication = Publication.objects.get()
    assert (publication.state, publication.is_verified) == (PublicationState.PUBLIC, True)
    assert act(officer_client, report, "move", to="resolved").status_code == 302
    assert act(officer_client, report, "unpublish").status_code == 302
    assert act(officer_client, report, "unverify").status_code == 302
    assert act(officer_client, report, "release").status_code == 302
    report.refresh_from_db()
    assert report.state == "triaged"
    assert not (report.claimed_by_id or report.verified_at)
    assert Message.objects.count() == 3


def test_the_page_says_what_was_done_and_stays_in_the_list(officer_client: Client, report: Report) -> None:
    answer = act(officer_client, report, "move", "?tab=new&topic=street-light", to="triaged")
    assert answer["Location"] == f"/desk/reports/{report.pk}/?tab=new&topic=street-light"
    assert "The report is now “Accepted”." in officer_client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    ("verb", "data", "said"),
    [
        ("move", {"to": "rejected"}, "Say in a few words why"),
        ("ask", {"ask": " "}, "The message is empty"),
        ("tell", {"tell": ""}, "The message is empty"),
        ("note", {"note": ""}, "The note is empty"),
        ("verify", {"evidence": "", "sources": "1"}, "Say what the evidence is"),
        ("verify", {"evidence": "seen", "sources": "many"}, "how many independent sources"),
        ("publish", {"title": ""}, "Give the public copy a title"),
        ("merge", {}, "Choose at least one other report"),
        ("unmerge", {}, "hangs on no incident"),
        ("place", {"where": ""}, "Write the name of a place"),
        ("place", {"where": "Atlantis"}, "No place with this name"),
        ("topic", {"topic": "nonsense"}, "Choose a topic from the list"),
    ],
)
def test_bad_input_is_explained(
    verb: str, data: dict[str, str], said: str, officer_client: Client, report: Report
) -> None:
    before = Entry.objects.count()
    answer = act(officer_client, report, verb, **data)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    # The page was shown again, which is a look; nothing else was stored.
    assert Entry.objects.exclude(kind="reports.looked").count() == before


def test_what_was_typed_survives_a_refusal(officer_client: Client, report: Report) -> None:
    page = act(officer_client, report, "verify", evidence="Seen by two patrols", sources="0").content.decode()
    assert "Seen by two patrols" in page
    page = act(officer_client, report, "publish", title="", text="Words I wrote").content.decode()
    assert "Words I wrote" in page


def test_a_move_that_is_no_longer_possible_is_a_conflict(officer_client: Client, report: Report) -> None:
    assert act(officer_client, report, "move", to="resolved").status_code == 409
    assert act(officer_client, report, "move", to="nonsense").status_code == 409
    assert act(officer_client, report, "move", to="published").status_code == 409
    report.refresh_from_db()
    assert report.state == "new"


def test_a_claim_of_somebody_else_is_a_conflict_until_it_expires(
    officer_client: Client, second_officer: User, report: Report
) -> None:
    claim_report(report_id=report.pk, actor=second_officer, now=clock.now())
    answer = act(officer_client, report, "move", to="triaged")
    assert answer.status_code == 409
    assert "second-officer is working on this report" in answer.content.decode()
    Report.objects.filter(pk=report.pk).update(claimed_until=clock.now() - timedelta(seconds=1))
    assert act(officer_client, report, "move", to="triaged").status_code == 302


def test_an_unknown_verb_is_no_page(officer_client: Client, report: Report) -> None:
    assert act(officer_client, report, "explode").status_code == 404


def test_the_text_can_be_checked_before_it_is_sent(officer_client: Client, report: Report) -> None:
    page = act(
        officer_client, report, "publish", step="check", title="Dark", text="Call +383 44 123 456"
    ).content.decode()
    assert "<mark>+383 44 123 456</mark>" in page
    assert "It contains a phone number." in page
    assert not Publication.objects.exists()
    page = act(officer_client, report, "publish", step="check", title="Dark", text="By the school").content.decode()
    assert "Nothing was found" in page


def test_a_held_text_says_so(officer_client: Client, report: Report) -> None:
    answer = act(officer_client, report, "publish", title="Dark", text="Call +383 44 123 456")
    assert "A second person will look" in officer_client.get(answer["Location"]).content.decode()
    report.refresh_from_db()
    assert report.state == "triaged"


def test_merge_and_undo(unit: Unit, officer_client: Client, report: Report) -> None:
    other = make.make_report(unit=unit, title="Lamp again")
    ReportPhoto.objects.create(report=report, photo=make.make_photo())
    alike = officer_client.get(reverse("desk:alike", kwargs={"report_id": report.pk})).content.decode()
    assert "Lamp again" in alike and "0 metres away" in alike and "within the hour" in alike
    # Side by side: this report's own words and photo stand on the same page.
    assert "Dark lamp" in alike and f"/desk/reports/{report.pk}/photos/" in alike
    assert act(officer_client, report, "merge", other=[other.pk]).status_code == 302
    page = officer_client.get(reverse("desk:report", kwargs={"report_id": report.pk})).content.decode()
    assert "Lamp again" in page and "1 other report tells of it" in page
    answer = act(officer_client, other, "unmerge", back=report.pk)
    assert answer["Location"].startswith(f"/desk/reports/{report.pk}/")
    other.refresh_from_db()
    assert (other.state, other.incident_id) == ("new", None)


def test_a_report_of_another_desk_is_not_merged(
    unit: Unit, far_unit: Unit, officer_client: Client, report: Report
) -> None:
    theirs = make.make_report(unit=far_unit)
    assert act(officer_client, report, "merge", other=[theirs.pk]).status_code == 403
    theirs.refresh_from_db()
    assert (theirs.state, theirs.incident_id) == ("new", None)


@pytest.mark.parametrize("data", [{"where": "42.39, 20.44"}, {"choice": "42.39,20.44,The mill"}, {"where": "The mill"}])
def test_a_place_by_coordinates_choice_or_name(data: dict[str, str], officer_client: Client, report: Report) -> None:
    make.make_place("The mill", latitude=42.39, longitude=20.44)
    assert act(officer_client, report, "place", **data).status_code == 302
    report.refresh_from_db()
    assert (report.latitude, report.longitude, report.place_source) == (42.39, 20.44, "desk")


def test_a_name_of_several_places_is_a_question(officer_client: Client, report: Report) -> None:
    for latitude in (42.39, 42.41):
        make.make_place("Mill street", latitude=latitude)
    answer = act(officer_client, report, "place", where="Mill street")
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "Which of these places is it?" in text
    assert 'value="42.39,20.43,Mill street"' in text


def test_a_report_that_leaves_the_desk_says_where_it_went(
    unit: Unit, far_unit: Unit, officer_client: Client, report: Report
) -> None:
    make.make_beat(unit=far_unit, latitude=44.0)
    answer = act(officer_client, report, "place", where="44.0, 20.43")
    assert answer["Location"].startswith("/desk/reports/?")
    assert "desk of another unit" in officer_client.get(answer["Location"]).content.decode()


def test_another_topic(officer_client: Client, report: Report) -> None:
    make.make_topic("dump")
    assert act(officer_client, report, "topic", topic="dump").status_code == 302
    report.refresh_from_db()
    assert report.topic.code == "dump"


# ------------------------------------------------------------------ several at once


def bulk(client: Client, **data: Any) -> Any:
    """Change several reports."""
    return client.post(reverse("desk:bulk"), data)


def states() -> list[str]:
    """List the states of all reports."""
    return list(Report.objects.order_by("pk").values_list("state", flat=True))


def test_three_hundred_nights(unit: Unit, officer: User, second_officer: User, officer_client: Client) -> None:
    reports = [make.make_report(unit=unit) for _n in range(5)]
    claim_report(report_id=reports[1].pk, actor=second_officer, now=clock.now())
    move_report(report_id=reports[2].pk, to_state="triaged", actor=officer, now=clock.now())
    page = bulk(officer_client, report=[one.pk for one in reports[:4]], to="triaged")
    text = page.content.decode()
    assert "2 reports were changed." in text
    assert "second-officer is working on this report" in text
    assert "has moved on" in text
    assert states() == ["triaged", "new", "triaged", "triaged", "new"]
    # Undo takes back what this change did, and nothing else.
    undone = bulk(officer_client, step="undo", report=[f"{reports[0].pk}:new", f"{reports[3].pk}:new"])
    assert undone.status_code == 200
    assert states() == ["new", "new", "triaged", "new", "new"]


def test_turning_down_several_needs_a_reason_and_undo_restores(
    unit: Unit, officer: User, officer_client: Client
) -> None:
    one, two = make.make_report(unit=unit), make.make_report(unit=unit)
    move_report(report_id=two.pk, to_state="triaged", actor=officer, now=clock.now())
    assert bulk(officer_client, report=[one.pk, two.pk], to="rejected").status_code == 409
    page = bulk(officer_client, report=[one.pk, two.pk], to="rejected", reason="Not for us").content.decode()
    assert states() == ["rejected", "rejected"]
    for value in (f"{one.pk}:new", f"{two.pk}:triaged"):
        assert f'name="report" value="{value}"' in page
    bulk(officer_client, step="undo", report=[f"{one.pk}:new", f"{two.pk}:triaged"])
    assert states() == ["new", "triaged"]


def test_no_report_chosen_says_so(officer_client: Client, report: Report) -> None:
    assert "No report was chosen" in bulk(officer_client, to="triaged").content.decode()
    assert bulk(officer_client, report=["x", "1:2:3", "99999999999999999999"], to="triaged").status_code == 200


@pytest.mark.parametrize("to_state", ["published", "resolved", "duplicate", ""])
def test_only_two_changes_go_for_several(to_state: str, officer_client: Client, report: Report) -> None:
    assert bulk(officer_client, report=[report.pk], to=to_state).status_code == 404


# ------------------------------------------------------------------ the size of a message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Which lamp?", "1 part by SMS, 439 characters left"),
        ("a" * 161, "2 parts by SMS, 289 characters left"),
        ("“Which” lamp – where…?", "1 part by SMS"),
        ("أي مصباح؟", "letters beyond the Latin ones"),
        ("a" * 451, "1 character too long"),
    ],
)
def test_the_size_is_told_while_writing(text: str, said: str, officer_client: Client) -> None:
    for name in ("ask", "tell"):
        assert said in officer_client.post(reverse("desk:measure"), {name: text}).content.decode()


def test_a_verification_keeps_its_evidence(officer_client: Client, report: Report, officer: User) -> None:
    act(officer_client, report, "verify", evidence="Seen by the patrol", sources="3")
    one = Verification.objects.get()
    assert (one.by, one.evidence, one.independent_sources) == (officer, "Seen by the patrol", 3)
    assert "Seen by the patrol" in officer_client.get(f"/desk/reports/{report.pk}/").content.decode()


@pytest.mark.parametrize(
    ("verb", "data", "status"),
    [
        ("publish", {"step": "check", "title": "Dark", "text": "Lamp"}, 200),
        ("move", {"to": "resolved"}, 409),
        ("verify", {"evidence": ""}, 400),
    ],
)
def test_a_page_drawn_by_a_form_is_a_look(
    verb: str, data: dict[str, str], status: int, officer: User, officer_client: Client, report: Report
) -> None:
    assert act(officer_client, report, verb, **data).status_code == status
    (entry,) = Entry.objects.filter(kind="reports.looked")
    assert (entry.subject_id, entry.actor_id) == (report.pk, officer.pk)
