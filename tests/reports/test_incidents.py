"""Several reports of one incident, and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from commonbeat.journal.models import Entry
from commonbeat.people.models import Role, Unit, User
from commonbeat.reports import events
from commonbeat.reports.actions.incidents import merge_reports, unmerge_report
from commonbeat.reports.errors import NotAllowed, ReportError
from commonbeat.reports.models import Incident, Report, State
from tests import make
from tests.make import NOW

SOON = NOW + timedelta(minutes=1)


def states() -> dict[int, tuple[str, bool]]:
    """Give the state of each report, and whether it hangs on an incident."""
    return {r.pk: (r.state, r.incident_id is not None) for r in Report.objects.all()}


@pytest.mark.django_db
def test_merging_makes_the_others_known_and_undoing_gives_them_back(unit: Unit, officer: User) -> None:
    first, second, third = (make.make_report(unit=unit) for _n in range(3))
    Report.objects.filter(pk=third.pk).update(state="triaged")
    incident = merge_reports(report_id=first.pk, other_ids=[second.pk, third.pk], actor=officer, now=NOW)
    assert states() == {
        first.pk: ("new", True), second.pk: ("duplicate", True), third.pk: ("duplicate", True),
    }  # fmt: skip
    assert incident.title.startswith("The lamp in front")
    unmerge_report(report_id=third.pk, actor=officer, now=SOON)
    assert states()[third.pk] == ("triaged", False)
    unmerge_report(report_id=second.pk, actor=officer, now=SOON)
    assert states() == {
        first.pk: ("new", False), second.pk: ("new", False), third.pk: ("triaged", False),
    }  # fmt: skip
    assert not Incident.objects.exists()


@pytest.mark.django_db
def test_taking_the_first_off_leaves_no_lone_duplicate(unit: Unit, officer: User) -> None:
    first, second = make.make_report(unit=unit), make.make_report(unit=unit)
    merge_reports(report_id=first.pk, other_ids=[second.pk], actor=officer, now=NOW)
    unmerge_report(report_id=first.pk, actor=officer, now=SOON)
    assert states() == {first.pk: ("new", False), second.pk: ("new", False)}


@pytest.mark.django_db
def test_a_published_report_stays_public_when_merged(unit: Unit, officer: User) -> None:
    first, second = make.make_report(unit=unit), make.make_report(unit=unit)
    Report.objects.filter(pk=second.pk).update(state="published")
    merge_reports(report_id=first.pk, other_ids=[second.pk], actor=officer, now=NOW)
    assert states()[second.pk] == ("published", True)


@pytest.mark.django_db
def test_merging_twice_keeps_the_state_that_was(unit: Unit, officer: User) -> None:
    first, second, third = (make.make_report(unit=unit) for _n in range(3))
    Report.objects.filter(pk=second.pk).update(state="triaged")
    merge_reports(report_id=first.pk, other_ids=[second.pk], actor=officer, now=NOW)
    # Moved over to another incident while a duplicate.
    merge_reports(report_id=third.pk, other_ids=[second.pk, first.pk], actor=officer, now=SOON)
    unmerge_report(report_id=second.pk, actor=officer, now=SOON)
    assert states()[second.pk] == ("triaged", False)


@pytest.mark.django_db
def test_two_incidents_become_one_and_none_is_left_empty(unit: Unit, officer: User) -> None:
    a, b, c, d = (make.make_report(unit=unit) for _n in range(4))
    merge_reports(report_id=a.pk, other_ids=[b.pk], actor=officer, now=NOW)
    merge_reports(report_id=c.pk, other_ids=[d.pk], actor=officer, now=NOW)
    merge_reports(report_id=a.pk, other_ids=[c.pk, d.pk], actor=officer, now=SOON)
    assert Incident.objects.get().reports.count() == 4


@pytest.mark.django_db
def test_merging_with_itself_or_nothing_says_so(unit: Unit, officer: User) -> None:
    report = make.make_report(unit=unit)
    for others in ([], [report.pk]):
        with pytest.raises(ReportError, match="at least one"):
            merge_reports(report_id=report.pk, other_ids=others, actor=officer, now=NOW)
    with pytest.raises(ReportError, match="no incident"):
        unmerge_report(report_id=report.pk, actor=officer, now=NOW)


@pytest.mark.django_db
def test_a_report_of_another_desk_cannot_be_merged(unit: Unit, far_unit: Unit, officer: User) -> None:
    mine, theirs = make.make_report(unit=unit), make.make_report(unit=far_unit)
    with pytest.raises(NotAllowed):
        merge_reports(report_id=mine.pk, other_ids=[theirs.pk], actor=officer, now=NOW)
    assert not Incident.objects.exists()
    assert states() == {mine.pk: ("new", False), theirs.pk: ("new", False)}


class RoundTrip(TestCase):
    """Whatever is put together comes apart as it was."""

    @settings(max_examples=30, deadline=None)
    @given(
        data=st.data(),
        before=st.lists(
            st.sampled_from(["new", "triaged", "published", "resolved", "rejected"]), min_size=2, max_size=6
        ),
    )
    def test_merge_and_unmerge(self, data: st.DataObject, before: list[str]) -> None:
        unit = make.fallback()
        officer = make.make_user(role=Role.OFFICER, unit=unit)
        reports = [make.make_report(unit=unit) for _state in before]
        for report, state in zip(reports, before, strict=True):
            Report.objects.filter(pk=report.pk).update(state=state)
        ids = [report.pk for report in reports]
        start = states()
        for _n in range(data.draw(st.integers(1, 4))):
            first = data.draw(st.sampled_from(ids))
            others = data.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=4))
            try:
                merge_reports(report_id=first, other_ids=others, actor=officer, now=NOW)
            except ReportError:
                assert set(others) <= {first} or Report.objects.get(pk=first).incident_id is not None
            # No incident is ever empty or of one report.
            assert all(incident.reports.count() >= 2 for incident in Incident.objects.all())
        for pk in data.draw(st.permutations(ids)):
            if Report.objects.get(pk=pk).incident_id is not None:
                unmerge_report(report_id=pk, actor=officer, now=SOON)
        assert states() == start
        assert not Incident.objects.exists()
        merged = Entry.objects.filter(kind=events.MERGED).count()
        assert Entry.objects.filter(kind=events.UNMERGED).count() <= merged * 2 + len(ids)
        assert set(State.values) >= {state for state, _hangs in states().values()}


@pytest.mark.django_db
def test_a_report_of_another_unit_is_left_as_it_is(
    unit: Unit, far_unit: Unit, officer: User, supervisor: User, far_officer: User
) -> None:
    ours, theirs = make.make_report(unit=unit), make.make_report(unit=far_unit)
    merge_reports(report_id=ours.pk, other_ids=[theirs.pk], actor=supervisor, now=NOW)
    before = Entry.objects.filter(subject_id=theirs.pk).count()
    unmerge_report(report_id=ours.pk, actor=officer, now=SOON)
    assert states() == {ours.pk: ("new", False), theirs.pk: ("duplicate", True)}
    assert Entry.objects.filter(subject_id=theirs.pk).count() == before
    # Its own desk takes it off, and it waits for an answer again.
    unmerge_report(report_id=theirs.pk, actor=far_officer, now=SOON)
    assert states()[theirs.pk] == ("new", False)
    assert not Incident.objects.exists()
