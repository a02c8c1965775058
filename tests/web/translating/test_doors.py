"""Whoever translates sees the queue and nothing else of the inside; nobody else sees the queue."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter

from commonbeat.foundation import clock
from commonbeat.live.session import viewer_of
from commonbeat.people.models import Role, Unit, User
from commonbeat.people.permissions import PERMISSIONS, Permission, may
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.translations import ask_volunteers
from commonbeat.reports.models import Report
from tests import make

pytestmark = pytest.mark.django_db
SECRET = "Xhevahire"
# What anybody may open, signed in or not, and the pages of the own account.
OPEN = {"public", "open", "demo", ""}
# All others are inside, also those that come later.
OWN = {"translating"}


@pytest.fixture
def report(unit: Unit, officer: User) -> Report:
    """Give a report with a held public text and a request for a translation."""
    made = make.make_report(unit=unit, title=f"{SECRET} fell", text=f"{SECRET} Krasniqi fell", language="en")
    publish_report(report_id=made.pk, title="x", text=f"{SECRET} Krasniqi 044 123 456", actor=officer, now=clock.now())
    ask_volunteers(
        report_id=made.pk, message_id=None, from_language="en", language="sq", hide=[SECRET], actor=officer,
        now=clock.now(),
    )  # fmt: skip
    return made


def addresses(resolver: URLResolver, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Give every address of the site with its audience; numbers are 1, other parts a word."""
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from addresses(each, prefix + str(each.pattern), each.namespace or space)
            continue
        assert isinstance(each, URLPattern)
        route = prefix + _as_route(str(each.pattern))
        for name, converter in each.pattern.converters.items():
            filled = "1" if isinstance(converter, IntConverter) else "move"
            for code in ("int", "str", "slug", "path", "uuid"):
                route = route.replace(f"<{code}:{name}>", filled)
            route = route.replace(f"<{name}>", filled)
        yield space, "/" + route


def _as_route(pattern: str) -> str:
    """Fill the groups of an address that is written as an expression: with a number, or the first of its words."""
    if not pattern.startswith("^"):
        return pattern
    fill = r"\(\?P<\w+>(?:\[0-9\][^()]*|(\w+)[^()]*)\)"
    return re.sub(fill, lambda group: group[1] or "1", pattern.strip("^$"))


def test_a_translator_is_turned_away_from_every_inner_page(
    report: Report, translator: User, translator_client: Client
) -> None:
    seen: dict[str, int] = {}
    for space, address in addresses(get_resolver()):
        seen[space] = seen.get(space, 0) + 1
        if space in OPEN | OWN:
            continue
        for numbered in {address, address.replace("/1/", f"/{report.pk}/")}:
            for answer in (translator_client.get(numbered), translator_client.post(numbered, {"to": "triaged"})):
                if numbered == reverse("desk:home"):
                    assert answer.status_code in (302, 405) and not answer.content
                else:
                    assert answer.status_code in (403, 405), numbered
                    assert SECRET not in answer.content.decode(), numbered
    assert {"desk", "oversight", "administration", "translating"} <= set(seen)
    assert seen["desk"] > 15 and seen["oversight"] > 2 and seen["administration"] > 10


def test_everywhere_else_a_translator_sees_what_anybody_sees(report: Report, translator_client: Client) -> None:
    for space, address in addresses(get_resolver()):
        if space in OPEN - {""} and "logout" not in address:
            answer = translator_client.get(address)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert SECRET.encode() not in body, address


def test_a_translator_hears_no_hints_of_the_desk(
    report: Report, translator_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would drop the connection that holds the test's own transaction.
    monkeypatch.setattr("commonbeat.live.session.close_old_connections", lambda: None)
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in translator_client.cookies.items())
    assert viewer_of({"cookie": cookie}) is None


def test_a_translator_may_do_one_thing(translator: User) -> None:
    assert PERMISSIONS[Role.TRANSLATOR] == {Permission.TRANSLATE}
    assert not Report.objects.visible_to(translator).exists()
    holders = [role for role, may_do in PERMISSIONS.items() if Permission.TRANSLATE in may_do]
    assert holders == [Role.TRANSLATOR]
    translator.is_active = False
    assert not may(translator, Permission.TRANSLATE)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.TRANSLATOR])
def test_nobody_else_sees_the_queue(role: Role, report: Report, unit: Unit) -> None:
    browser = make.signed_in(make.make_user("somebody", role=role, unit=unit, second_factor=True))
    for address in ("/translate/", "/translate/next/", "/translate/1/skip/"):
        for answer in (browser.get(address), browser.post(address)):
            assert answer.status_code in (403, 405)


def test_strangers_are_asked_to_sign_in(report: Report, client: Client) -> None:
    assert client.get("/translate/")["Location"].startswith("/account/login/")
    assert client.post("/translate/next/").status_code == 302


def test_after_signing_in_the_queue_is_the_first_page(translator_client: Client) -> None:
    assert translator_client.get("/desk/")["Location"] == "/translate/"
