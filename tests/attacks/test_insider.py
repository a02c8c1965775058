"""A curious member of staff, and a thief of the database."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client

from commonbeat.messaging.actions import contact_for
from commonbeat.messaging.actions.inbox import receive
from commonbeat.messaging.channel import Inbound
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.incidents import merge_reports
from commonbeat.reports.actions.publish import publish_report, release_publication
from commonbeat.reports.errors import NotAllowed, ReportError
from commonbeat.reports.models import PublicationState, Report
from tests import make

pytestmark = pytest.mark.django_db

NUMBER = "+38344987654"


def test_ids_of_another_unit_change_nothing(officer: User, officer_client: Client, unit: Unit, far_unit: Unit) -> None:
    own = make.make_report(unit=unit, text="near")
    theirs = make.make_report(unit=far_unit, text="far")
    with pytest.raises(NotAllowed):
        merge_reports(report_id=own.pk, other_ids=[theirs.pk], actor=officer, now=make.NOW)
    assert officer_client.post(f"/desk/reports/{own.pk}/merge/", {"other": theirs.pk}).status_code == 403
    officer_client.post("/desk/reports/bulk/", {"to": "triaged", "report": [f"{theirs.pk}:new"]})
    officer_client.post("/desk/reports/bulk/", {"step": "undo", "report": [f"{theirs.pk}:triaged"]})
    theirs.refresh_from_db()
    assert (theirs.state, theirs.incident_id, theirs.claimed_by_id) == ("new", None, None)
    found = officer_client.get("/desk/reports/", {"q": theirs.reference}).content.decode()
    assert f"/desk/reports/{theirs.pk}/" not in found


@pytest.mark.parametrize(
    "word", ['"', "* OR 1", "title:foo", "NEAR(a b)", "a\x00b", "NOT x", "^foo", "'; DROP TABLE x"]
)
def test_a_search_is_words_and_no_language(word: str, officer_client: Client, unit: Unit, far_unit: Unit) -> None:
    make.make_report(unit=unit, text="near")
    theirs = make.make_report(unit=far_unit, text="foo title drop table far")
    answer = officer_client.get("/desk/reports/", {"q": word, "tab": "all"})
    assert answer.status_code == 200
    assert f"/desk/reports/{theirs.pk}/" not in answer.content.decode()


def test_who_proposed_a_held_text_does_not_release_it(supervisor: User, unit: Unit) -> None:
    report = make.make_report(unit=unit)
    held = publish_report(report_id=report.pk, title="Call me", text="044 123 456", actor=supervisor, now=make.NOW)
    assert held.state == PublicationState.HELD
    with pytest.raises(ReportError):
        release_publication(
            publication_id=held.pk, title="Call me", text="044 123 456", place_name="", actor=supervisor, now=make.NOW
        )
    held.refresh_from_db()
    assert held.state == PublicationState.HELD


def test_the_database_holds_no_number_and_no_second_factor(officer: User) -> None:
    contact_for(kind="phone", address=NUMBER, channel="demo_sms", now=make.NOW)
    receive(channel="demo_sms", message=Inbound("one", NUMBER, "Fjalet e mia te fshehta"), now=make.NOW)
    secret = make.totp_secret(officer)
    stored: list[str] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if not table.startswith("reports_search"):
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                stored += [repr(bytes(v) if isinstance(v, memoryview) else v) for row in cursor.fetchall() for v in row]
    whole = "\n".join(stored)
    for word in (NUMBER, NUMBER[4:], "Fjalet e mia te fshehta", secret):
        assert word not in whole
    assert Report.objects.count() == 0
