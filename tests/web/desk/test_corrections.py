"""What a structured report said before: who reads it, and how long it is kept."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from commonbeat.people.models import Unit
from commonbeat.reports.actions.resend import resend_report
from commonbeat.reports.errors import MoveNotPossible
from commonbeat.reports.models import Correction, Report, State
from commonbeat.web.desk.corrections import earlier_wordings
from tests import make

pytestmark = pytest.mark.django_db


def resent(unit: Unit, *texts: str) -> Report:
    """Make a structured report that says one text after the other."""
    report = make.make_report(unit=unit, text=texts[0], is_structured=True)
    for number, text in enumerate(texts[1:]):
        report, changed = resend_report(
            report_id=report.pk,
            version=report.topic_version,
            title="",
            text=text,
            answers={},
            categories=[],
            client_key=f"again-{number}",
            now=make.NOW,
        )
        assert changed
    return report


def test_the_old_wording_is_for_the_own_desk_alone(
    unit: Unit,
    officer_client: Client,
    far_officer_client: Client,
    resident_client: Client,
    outsider_client: Client,
) -> None:
    report = resent(unit, "Ten boxes of quinine", "One box of quinine")
    address = reverse("desk:report", kwargs={"report_id": report.pk})
    page = officer_client.get(address).content.decode()
    assert "Sent again" in page and "Ten boxes of quinine" in page and "One box of quinine" in page
    for stranger in (far_officer_client, resident_client, outsider_client, Client()):
        answer = stranger.get(address)
        assert answer.status_code != 200 and b"Ten boxes" not in answer.content


def test_the_old_wording_goes_with_the_report(unit: Unit) -> None:
    report = resent(unit, "Ten boxes of quinine", "One box of quinine")
    Report.objects.filter(pk=report.pk).delete()
    assert not Correction.objects.exists()


def test_the_number_of_queries_does_not_grow(unit: Unit, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    report = resent(unit, *(f"{count} boxes" for count in range(9)))
    with django_assert_num_queries(1):
        assert [one.text for one in earlier_wordings(report, "en")][:2] == ["7 boxes", "6 boxes"]


def test_the_place_that_was_named_before_is_shown(unit: Unit, officer_client: Client) -> None:
    report = resent(unit, "Ten boxes of quinine", "One box of quinine")
    Correction.objects.update(place_name="Clinic at the Old Mill")
    page = officer_client.get(reverse("desk:report", kwargs={"report_id": report.pk})).content.decode()
    assert "Clinic at the Old Mill" in page


def test_what_the_desk_has_closed_meanwhile_is_not_corrected(unit: Unit) -> None:
    report = resent(unit, "Ten boxes of quinine")
    Report.objects.filter(pk=report.pk).update(state=State.REJECTED)
    with pytest.raises(MoveNotPossible):
        resend_report(
            report_id=report.pk,
            version=report.topic_version,
            title="",
            text="One box of quinine",
            answers={},
            categories=[],
            client_key="again",
            now=make.NOW,
        )
    assert not Correction.objects.exists()
    assert Report.objects.get().text == "Ten boxes of quinine"
