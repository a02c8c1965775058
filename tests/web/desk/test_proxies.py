"""The page of those who report for others, and what a report's page says of the person for whom it was made."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commonbeat.foundation import clock
from commonbeat.messaging.models import Contact
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.incidents import merge_reports
from commonbeat.reports.actions.proxies import Enrolment, enrol_proxy, put_on_behalf, record_consent
from commonbeat.reports.models import Report
from commonbeat.reports.proxy_models import OnBehalf, Proxy
from commonbeat.reports.queries.proxies import behalf_of, is_proxy, sources_of
from tests import make

pytestmark = pytest.mark.django_db
NUMBER = "+38344000277"


@pytest.fixture
def proxy(unit: Unit) -> Proxy:
    """Give an elder who has said YES."""
    enrol_proxy(row=Enrolment(NUMBER, "elder", "Upper valley", unit.pk), actor=None, now=clock.now())
    Proxy.objects.update(accepted_at=clock.now())
    return Proxy.objects.get()


def made(proxy: Proxy, *, key: str = "", consent: str = "") -> Report:
    """Make a report through a proxy."""
    report = make.make_report(contact=proxy.contact, unit=proxy.unit, client_key=key, now=clock.now())
    put_on_behalf(report_id=report.pk, contact_id=proxy.contact_id, now=clock.now())
    if consent:
        record_consent(report_id=report.pk, consent=consent, contact_id=proxy.contact_id, now=clock.now())
    return report


def told(unit: Unit, **changes: object) -> dict[str, object]:
    return {"who": "+383 44 000 278", "role": "teacher", "community": "Lower valley", "unit": unit.pk, **changes}


def test_a_supervisor_enrols_by_number_and_by_handle_and_no_number_is_shown(
    unit: Unit, supervisor_client: Client
) -> None:
    assert "Nobody reports for others yet" in supervisor_client.get("/desk/proxies/").content.decode()
    page = supervisor_client.post("/desk/proxies/", told(unit, language="sq"), follow=True).content.decode()
    assert "Lower valley" in page and "Asked, has not said YES" in page
    assert "000278" not in page.replace(" ", "")
    known = make.make_contact()
    supervisor_client.post("/desk/proxies/", told(unit, who=known.handle.lower(), community="Ridge"))
    assert Proxy.objects.get(community="Ridge").contact == known
    assert Contact.objects.get(proxy__community="Lower valley").language == "sq"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"who": "the elder"}, "neither a telephone number"),
        ({"who": ""}, "neither a telephone number"),
        ({"role": " "}, "Say what the person is"),
        ({"community": ""}, "Name the village"),
        ({"unit": "x"}, "Choose the unit"),
        ({"unit": "99999"}, "Choose the unit"),
        ({"until": "soon"}, "year-month-day"),
        ({"until": "2020-01-01"}, "This day is over"),
    ],
)
def test_what_cannot_be_enrolled_is_said_and_nothing_is_stored(
    changes: dict[str, object], sentence: str, unit: Unit, supervisor_client: Client
) -> None:
    answer = supervisor_client.post("/desk/proxies/", told(unit) | changes)
    assert answer.status_code == 400
    page = answer.content.decode()
    # What was typed stands there still.
    assert sentence in page and f'value="{changes.get("community", "Lower valley")}"' in page
    assert not Proxy.objects.exists()


def test_who_wants_no_messages_or_is_blocked_is_not_asked(unit: Unit, supervisor_client: Client) -> None:
    contact = make.make_contact("+38344000278")
    for field in ("stopped_at", "blocked_at"):
        Contact.objects.update(stopped_at=None, blocked_at=None)
        Contact.objects.filter(pk=contact.pk).update(**{field: clock.now()})
        assert supervisor_client.post("/desk/proxies/", told(unit)).status_code == 400
    assert not Proxy.objects.exists()


def test_enrolling_again_changes_and_an_ended_one_is_asked_anew(
    unit: Unit, proxy: Proxy, supervisor_client: Client
) -> None:
    supervisor_client.post("/desk/proxies/", told(unit, who=NUMBER))
    proxy.refresh_from_db()
    assert (proxy.role, proxy.accepted_at is None) == ("teacher", False)
    supervisor_client.post(f"/desk/proxies/{proxy.pk}/end/")
    assert not is_proxy(proxy.contact_id, now=clock.now())
    supervisor_client.post("/desk/proxies/", told(unit, who=NUMBER))
    proxy.refresh_from_db()
    assert (proxy.ended_at, proxy.accepted_at) == (None, None)
    assert supervisor_client.post(f"/desk/proxies/{proxy.pk}/ask/").status_code == 302
    assert supervisor_client.post("/desk/proxies/99/end/").status_code == 404
    assert supervisor_client.post(f"/desk/proxies/{proxy.pk}/dance/").status_code == 404


def test_queries_do_not_grow_with_proxies_and_their_reports(
    unit: Unit, proxy: Proxy, supervisor_client: Client
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert supervisor_client.get("/desk/proxies/").status_code == 200
        return len(seen)

    count()
    before = count()
    for number in range(5):
        row = Enrolment(f"+3834400030{number}", "elder", f"Village {number}", unit.pk)
        one = enrol_proxy(row=row, actor=None, now=clock.now())
        Proxy.objects.filter(pk=one.pk).update(accepted_at=clock.now())
        made(one)
    assert count() == before


def test_the_page_of_a_report_tells_of_the_consent_and_of_nobody(proxy: Proxy, officer_client: Client) -> None:
    report = made(proxy)
    address = f"/desk/reports/{report.pk}/"
    page = officer_client.get(address).content.decode()
    assert "Nobody has said yet whether the person agreed" in page and "elder, Upper valley" in page
    refused = officer_client.post(f"{address}consent/", {"consent": "maybe"})
    assert refused.status_code == 400 and "Choose what the person has said." in refused.content.decode()
    officer_client.post(f"{address}consent/", {"consent": "writing"})
    page = officer_client.get(address).content.decode()
    assert "on behalf of a person who agreed in writing" in page and "Recorded by" in page
    assert "Made for somebody else, who: agreed in writing" in page
    own = make.make_report(unit=proxy.unit, client_key="own")
    assert "For somebody else" not in officer_client.get(f"/desk/reports/{own.pk}/").content.decode()
    assert officer_client.post(f"/desk/reports/{own.pk}/consent/", {"consent": "word"}).status_code == 400
    assert behalf_of(report) is not None and behalf_of(own) is None


def test_the_list_narrows_to_reports_for_others(proxy: Proxy, officer_client: Client) -> None:
    report = made(proxy)
    own = make.make_report(unit=proxy.unit, client_key="own")
    for address in ("/desk/reports/?tab=all&others=1", "/desk/map/?tab=all&others=1"):
        assert officer_client.get(address).status_code == 200
    page = officer_client.get("/desk/reports/?tab=all&others=1").content.decode()
    assert f"/desk/reports/{report.pk}/" in page and f"/desk/reports/{own.pk}/" not in page


def test_all_that_comes_through_one_proxy_is_one_source(proxy: Proxy, supervisor: User, officer_client: Client) -> None:
    through = [made(proxy, key=f"p{n}", consent="word") for n in range(3)]
    own = make.make_report(contact=proxy.contact, unit=proxy.unit, client_key="in their own name")
    others = [make.make_report(unit=proxy.unit, client_key=f"web{n}") for n in range(2)]
    ids = [report.pk for report in (*through, own, *others)]
    found = sources_of(ids)
    assert (found.reports, found.senders, found.through_proxies) == (6, 3, 3)
    merge_reports(report_id=ids[0], other_ids=ids[1:], actor=supervisor, now=clock.now())
    page = officer_client.get(f"/desk/reports/{ids[0]}/").content.decode()
    assert "The 6 reports of this incident have 3 senders at most." in page
    assert "All that came through one proxy is one source." in page


def test_what_belongs_to_a_report_goes_with_it(proxy: Proxy) -> None:
    report = made(proxy, consent="word")
    report.delete()
    assert not OnBehalf.objects.exists()
    left = made(proxy, key="second")
    proxy.contact.delete()
    assert not Proxy.objects.exists()
    assert OnBehalf.objects.get(report=left.pk).proxy is None
    assert left.created_at > clock.now() - timedelta(minutes=1)
