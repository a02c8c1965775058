"""The pages of partners."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commonbeat.alerts.actions.partners import add_partner, address_and_secret
from commonbeat.alerts.models import Partner, PartnerCall
from commonbeat.web.administration import partners
from tests.alerts.partner_server import PartnerServer, serving
from tests.alerts.rows import alert_row
from tests.make import NOW

pytestmark = pytest.mark.django_db
LIST, NEW = "administration:partners", "administration:partner_new"
URL = "https://taxi.example/hook?key=very-private"


def form(**changes: Any) -> dict[str, Any]:
    return {"name": "Taxis", "url": URL, "kinds": ["look_out"], "is_enabled": "on", "do": "save", **changes}


def address_of(partner: Partner) -> str:
    return reverse("administration:partner", kwargs={"pk": partner.pk})


def make_partner(name: str = "Taxis", url: str = URL, **fields: Any) -> Partner:
    partner, _ = add_partner(name=name, url=url, kinds=[], actor_id=1, now=NOW)
    Partner.objects.filter(pk=partner.pk).update(**fields)
    return partner


def call(partner: Partner, **fields: Any) -> PartnerCall:
    return PartnerCall.objects.create(partner=partner, alert=alert_row(), **{"due_at": NOW, "attempts": 1, **fields})


@pytest.fixture
def server(settings) -> Iterator[PartnerServer]:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, partners_loopback=True)
    with serving() as found:
        yield found


def page_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_partner_is_added_and_its_secret_is_shown_once(administrator_client: Client) -> None:
    answer = administrator_client.post(reverse(NEW), form())
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    partner = Partner.objects.get()
    address, secret = address_and_secret(partner)
    assert address == URL and secret in answer.content.decode()
    for shown in (page_of(administrator_client, reverse(LIST)), page_of(administrator_client, address_of(partner))):
        assert "Taxis" in shown and secret not in shown and "taxi.example" not in shown
    answer = administrator_client.post(address_of(partner), {"do": "rotate"})
    partner.refresh_from_db()
    renewed = address_and_secret(partner)[1]
    assert renewed != secret and renewed in answer.content.decode()
    assert renewed not in page_of(administrator_client, address_of(partner))


def test_a_partner_is_changed_switched_off_and_deleted(administrator_client: Client) -> None:
    partner = make_partner()
    administrator_client.post(address_of(partner), form(name="Taxi service", url="", is_enabled="", kinds=["road"]))
    partner.refresh_from_db()
    assert (partner.name, partner.is_enabled, partner.kinds) == ("Taxi service", False, ["road"])
    assert address_and_secret(partner)[0] == URL
    assert "This partner is switched off" in page_of(administrator_client, address_of(partner))
    administrator_client.post(address_of(partner), {"do": "delete"})
    assert not Partner.objects.exists()
    assert administrator_client.get(address_of(partner)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": ""}, "Give the partner a name"),
        ({"name": "school"}, "with this name already"),
        ({"url": "http://taxi.example/"}, "begins with https://"),
        ({"url": "https://user:word@taxi.example/"}, "begins with https://"),
        ({"url": "\x00"}, "begins with https://"),
        ({"kinds": ["nonsense"]}, "Choose from the list"),
    ],
)
def test_what_cannot_be_used_is_said_and_not_stored(
    administrator_client: Client, changes: dict[str, Any], told: str
) -> None:
    make_partner("School")
    answer = administrator_client.post(reverse(NEW), form(**changes))
    assert answer.status_code == 422 and told in answer.content.decode()
    assert Partner.objects.count() == 1


def test_what_is_unknown_changes_nothing(administrator_client: Client) -> None:
    partner = make_partner()
    assert administrator_client.post(address_of(partner), {"do": "explode"}).status_code == 422
    assert administrator_client.get(reverse("administration:partner", kwargs={"pk": 10**9})).status_code == 404


def test_a_test_arrives_at_once(administrator_client: Client, server: PartnerServer) -> None:
    partner = make_partner(url=server.address)
    answer = administrator_client.post(address_of(partner), {"do": "test"}, follow=True)
    assert "took the test" in answer.content.decode()
    (message,) = server.messages(address_and_secret(partner)[1])
    assert message["status"] == "Test" and message["texts"]["en"]["headline"].startswith("TEST: ")
    server.answers = [403]
    answer = administrator_client.post(address_of(partner), {"do": "test"}, follow=True)
    assert "refuses the signature (403)" in answer.content.decode()
    partner.refresh_from_db()
    assert partner.tested_at is not None and partner.test_error == "status 403"
    assert not PartnerCall.objects.exists()


def test_a_test_goes_into_no_network_of_ours(administrator_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "commonbeat.alerts.fetching.socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("10.0.0.1", 443))]
    )
    answer = administrator_client.post(address_of(make_partner()), {"do": "test"}, follow=True)
    assert "leads into a private network" in answer.content.decode()


def test_tests_are_bounded(administrator_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partners, "TESTS", partners.TESTS._replace(most=1))
    monkeypatch.setattr(partners, "post", lambda *_, **__: partners.Answered("no answer"))
    partner = make_partner()
    assert administrator_client.post(address_of(partner), {"do": "test"}).status_code == 302
    answer = administrator_client.post(address_of(partner), {"do": "test"})
    assert answer.status_code == 422 and "enough" in answer.content.decode()


def test_health_is_told_in_words(administrator_client: Client) -> None:
    call(make_partner("Well"), sent_at=NOW)
    call(make_partner("Trouble"), error="no answer")
    missed = make_partner("Missed")
    call(missed, sent_at=NOW)
    call(missed, error="status 500", closed_at=NOW)
    back = make_partner("Back")
    call(back, error="status 500", closed_at=NOW)
    call(back, sent_at=NOW)
    make_partner("Gone", is_enabled=False, gone_at=NOW)
    make_partner("Fresh")
    shown = page_of(administrator_client, reverse(LIST))
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", shown, re.DOTALL)
    told = {name: row for row in rows for name in re.findall(r"<bdi>(\w+)</bdi>", row)[:1]}
    assert "well" in told["Well"] and "well" in told["Back"]
    assert "The server does not answer." in told["Trouble"] and "tried again" in told["Trouble"]
    assert "given up" in told["Missed"] and "status 500" in told["Missed"]
    assert "no more (410)" in told["Gone"] and "Send a test" in told["Fresh"]
    gone = Partner.objects.get(name="Gone")
    assert "no more (410)" in page_of(administrator_client, address_of(gone))


def test_what_was_posted_is_listed(administrator_client: Client) -> None:
    partner = make_partner()
    call(partner, sent_at=NOW)
    call(partner, error="superseded", closed_at=NOW, attempts=0)
    call(partner, error="too slow", attempts=3)
    PartnerCall.objects.create(partner=partner, alert=alert_row(status="Test"), due_at=NOW)
    shown = page_of(administrator_client, address_of(partner))
    for word in (
        "taken",
        "Something newer took its place.",
        "longer than five seconds",
        "waits",
        "Do not drink the water",
    ):
        assert word in shown
    assert shown.count('badge-new">Test<') == 1


def test_every_code_has_words() -> None:
    from pathlib import Path

    from commonbeat.alerts import calling

    folder = Path(calling.__file__).parent
    text = (folder / "calling.py").read_text() + (folder / "actions" / "partner_calls.py").read_text()
    codes = set(re.findall(r'(?:Answered|FetchError)\(\s*"([a-zA-Z ]+)"', text)) | {"TLS", "no answer", "no such host"}
    codes |= {"gone", "superseded", "over", "unreadable", "disabled", "failed"}
    assert len(codes) > 9
    assert {code for code in codes if partners.problem_in_words(code) == code} == set()


def test_lists_take_the_same_queries_whatever_the_number(administrator_client: Client) -> None:
    partner = make_partner()
    asked = []
    for count in (1, 20):
        for number in range(count):
            call(make_partner(f"P {count} {number}"), sent_at=NOW)
            call(partner, sent_at=NOW)
        found = []
        for address in (reverse(LIST), address_of(partner)):
            with CaptureQueriesContext(connection) as queries:
                page_of(administrator_client, address)
            found.append(len(queries))
        asked.append(found)
    assert asked[0] == asked[1]
