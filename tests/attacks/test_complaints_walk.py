"""Police, moderators and administrators walk through everything: of a complaint about police they find nothing.

Not what it says: it stands in no page, feed, file, log, table or folder. And not that it is there: no page of theirs is
different once it has come, so there is nothing to count.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from commonbeat.config.options import Options
from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.live import hub as live
from commonbeat.live.session import Viewer
from commonbeat.people.models import Role, Unit, User
from commonbeat.people.permissions import PERMISSIONS, Permission
from commonbeat.tips import queries
from commonbeat.tips.actions.dialogue import answer_as_source, ask_as_member, close_tip, open_tip
from commonbeat.tips.actions.pending import journal_sources
from commonbeat.tips.actions.submitting import submit_text
from commonbeat.tips.models import DeskKind, Tip, TipDesk
from tests import make
from tests.alerts.going_out import alert_out
from tests.tips.desks import PASSPHRASE, Seated, desk_with, tip_at
from tests.web.public.test_complaint_form import TOLD, walk

pytestmark = pytest.mark.django_db

# A word to search for, and the words that must be nowhere. No page echoes them, for nobody asks for all of them.
WORD = "Kumbulla"
CANARY = f"{WORD} e arte nen uren e mullirit"
ANSWER = "Letra e kuqe u gjet ne arke"
ROLES = ("officer", "supervisor", "moderator", "administrator", "translator", "resident", "stranger")
# What differs between two showings of the same page: what is drawn anew for each, and nothing else.
VOLATILE = re.compile(
    rb'name="(?:csrfmiddlewaretoken|ticket|key|draft-[\w-]+)" value="[^"]*"|name="draft-[\w-]+"|name="report-[\w-]+"'
    rb'|"(?:csrf|X-CSRFToken)": ?"[^"]*"|data-(?:csrf|challenge)="[^"]*"|value="[\w-]{40,}"'
)
HEADERS_LEFT_OUT = frozenset({"Set-Cookie", "Date", "Expires", "Last-Modified"})


@dataclass
class Site:
    """A small site: what is in it, and who is signed in."""

    complaints: TipDesk
    seats: list[Seated]
    browsers: dict[str, Client]
    # Names of parts of addresses → what stands there, in the site as it is, and where the complaint is looked for.
    usual: dict[str, object] = field(default_factory=dict)
    guessed: dict[str, object] = field(default_factory=dict)


@pytest.fixture
def site(
    request: pytest.FixtureRequest, unit: Unit, officer: User, supervisor: User, monkeypatch: pytest.MonkeyPatch
) -> Site:
    """Fill a site with a little of everything, and sign everybody in; the officer has opened the tips of a desk."""
    monkeypatch.setattr(clock, "now", lambda: make.NOW)
    topic = make.make_topic("dumping")
    beat = make.make_beat(unit=unit, officers=[officer])
    report = make.make_report(topic=topic, unit=unit, text="A dump behind the school.")
    publication = make.make_publication(report=make.make_report(topic=topic, unit=unit))
    alert = alert_out(officer)
    contact = make.make_contact()
    complaints, seats = desk_with(kind=DeskKind.COMPLAINTS)
    tips, tip_seats = desk_with()
    ours = tip_seats[0]
    ours.user.unit = unit
    ours.user.save()
    tip, _receipt = tip_at(tips)
    browsers = {
        name: Client() if name == "stranger" else request.getfixturevalue(f"{name}_client")
        for name in ROLES
        if name != "officer"
    }
    browsers["officer"] = make.signed_in(ours.user)
    answer = browsers["officer"].post(f"/desk/tips/{tips.pk}/unlock/", {"passphrase": PASSPHRASE})
    assert answer.status_code == 302
    for browser in browsers.values():
        # A first look changes something: it is noted in the history of a report, and a tip is not new any more.
        for address in (f"/desk/reports/{report.pk}/", f"/desk/tips/{tips.pk}/{tip.pk}/"):
            browser.get(address)
    usual: dict[str, object] = {
        "report_id": report.pk, "number": alert.pk, "alert_id": alert.pk, "desk_id": tips.pk, "desk": tips.pk,
        "tip_id": tip.pk, "file_id": 0, "member_id": ours.member.pk, "code": "dumping", "language": "en",
        "handle": contact.handle, "publication_id": publication.pk, "pk": beat.pk, "verb": "close", "part": "text",
        "cell": "871ec9114ffffff", "token": "x" * 22, "variant": "full", "tail": "x", "identifier": "x",
        "path": "0/000", "photo_id": 1, "outbound_id": 1, "of": 1, "translation_id": 1, "reporter_id": 1, "proxy_id": 1,
    }  # fmt: skip
    return Site(complaints, seats, browsers, usual)


def patterns(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Give every address of the site with its pattern."""
    for each in resolver.url_patterns:
        path = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from patterns(each, path)
        else:
            yield path, each


def filled(route: str, parts: dict[str, object]) -> str:
    """Put parts into a route, which is one of Django's or a regular expression."""

    def of(found: re.Match[str]) -> str:
        return str(parts[found["name"]])

    route = re.sub(r"\(\?P<(?P<name>\w+)>[^)]*\)", of, route)
    route = re.sub(r"<(?:\w+:)?(?P<name>\w+)>", of, route)
    return "/" + route.replace("^", "").replace("/?$", "/").replace("$", "").replace("\\", "").removeprefix("/")


def addresses(site: Site) -> list[str]:
    """List every address of the site; one with parts in it also as it would be for the complaint and its desk."""
    found = []
    for route, pattern in patterns(get_resolver()):
        named = {*pattern.pattern.converters, *getattr(pattern.pattern, "regex", re.compile("")).groupindex}
        found.append(filled(route, site.usual))
        if named & {"tip_id", "desk_id", "desk", "pk", "report_id", "number", "alert_id"}:
            found.append(filled(route, {**site.usual, **site.guessed}))
    asked = [f"?q={WORD}", "?tab=all", "?state=closed", "?kind=complaints.received"]
    found += [f"{page}{query}" for page in ("/desk/reports/", "/reports/", "/oversight/journal/") for query in asked]
    found += [f"/desk/tips/{site.usual['desk_id']}/?state={state}" for state in ("answered", "closed", "expired")]
    found += ["/oversight/journal.csv?kind=complaints.received", f"/administration/places/?q={WORD}", "/live/desk"]
    return list(dict.fromkeys(found))


def body_of(answer: HttpResponseBase) -> bytes:
    """Read an answer to its end, streamed or not."""
    return b"".join(answer) if answer.streaming else answer.content


def shown(answer: HttpResponseBase) -> bytes:
    """Give everything that an answer shows, without what is drawn anew each time."""
    headers = sorted((k, v) for k, v in answer.items() if k not in HEADERS_LEFT_OUT)
    return VOLATILE.sub(b"", f"{answer.status_code} {headers}\n".encode() + body_of(answer))


def walked(site: Site, roles: Sequence[str] = ROLES) -> dict[tuple[str, str], bytes]:
    """Ask for every address as each of the roles."""
    found = {}
    for name in roles:
        browser = site.browsers[name]
        for address in addresses(site):
            if "logout" not in address:
                found[name, address] = shown(browser.get(address))
    return found


def database() -> bytes:
    """Read every column of every table as bytes and as text."""
    parts: list[bytes] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for value in chain.from_iterable(cursor.fetchall()):
                parts.append(bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode())
    return b"\n".join(parts)


def folder() -> bytes:
    """Read every file of the data folder."""
    return b"\n".join(each.read_bytes() for each in Path(settings.COMMONBEAT.data_dir).rglob("*") if each.is_file())


def variants(text: str) -> list[bytes]:
    """Give a text as it may stand in files: also as JSON, as an address, in UTF-16, and as pairs of digits."""
    return [text.encode(), text.replace(" ", "+").encode(), text.replace(" ", "%20").encode(),
            text.encode("utf-16-le"), text.encode().hex().encode(), text.lower().encode()]  # fmt: skip


def complain(site: Site) -> Tip:
    """Send a complaint through the form, to a desk that nobody of the police is in."""
    later = iter(range(60, 10_000, 60))
    with pytest.MonkeyPatch.context() as patch:
        # A form that is sent at once is refused as a program's.
        patch.setattr(clock, "now", lambda: make.NOW + timedelta(seconds=next(later)))
        before = set(Tip.objects.values_list("pk", flat=True))
        walk(Client(), {**TOLD, "what": CANARY})
    return Tip.objects.exclude(pk__in=before).get()


def deal_with(site: Site, tip: Tip) -> None:
    """Read a complaint as a member, answer it, hear from its source, and close it."""
    seated = site.seats[0]
    whose: dict[str, Any] = {"tip_id": tip.pk, "member_id": seated.member.pk, "user": seated.user, "now": make.NOW}
    assert CANARY in str(open_tip(pair=seated.pair, **whose).texts[0].text), "it is there, for who may read it"
    ask_as_member(text=ANSWER, **whose)
    answer_as_source(tip_id=tip.pk, now=make.NOW, text=CANARY)
    close_tip(outcome="upheld", **whose)


def guess_at(site: Site, number: int) -> None:
    """Aim at a complaint wherever a number stands in an address."""
    site.guessed = dict.fromkeys(
        ("report_id", "number", "alert_id", "tip_id", "of", "photo_id", "publication_id"), number
    )
    site.guessed |= {"desk_id": site.complaints.pk, "desk": site.complaints.pk, "pk": site.complaints.pk}
    site.guessed["member_id"] = site.seats[0].member.pk


def test_one_complaint_changes_no_page_and_is_nowhere(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    # One that was there before, so that the second does not only differ from nothing.
    first = submit_text(desk_id=site.complaints.pk, text="He shouted.", now=make.NOW).tip
    guess_at(site, first.pk + 1)
    before = walked(site)
    tip = complain(site)
    assert tip.pk == first.pk + 1, "the walk guesses right"
    came = walked(site)
    assert [each for each in before if before[each] != came[each]] == []
    deal_with(site, tip)
    closed = walked(site)
    assert [each for each in before if before[each] != closed[each]] == []
    pages = b"\n".join([*came.values(), *closed.values()])
    places = {"a page": pages, "the database": database(), "the data folder": folder(), "the log": caplog.text.encode()}
    for where, content in places.items():
        for found in chain(variants(CANARY), variants(ANSWER)):
            assert found not in content, where


def test_the_walk_sees_what_there_is(site: Site) -> None:
    """A walk that finds nothing anywhere would prove nothing."""
    roles = ("officer", "supervisor", "stranger")
    before = walked(site, roles)
    tip_at(TipDesk.objects.get(kind=DeskKind.TIPS), "Another tip.")
    make.make_report(unit=Unit.objects.get(is_fallback=True), text=CANARY)
    after = walked(site, roles)
    changed = {each for each in before if before[each] != after[each]}
    tips = f"/desk/tips/{site.usual['desk_id']}/"
    assert {("officer", tips), ("supervisor", "/desk/reports/"), ("officer", "/desk/reports/")} <= changed
    assert "stranger" not in {name for name, _address in changed}
    assert CANARY.encode() in database()
    answered = [name for (name, _address), page in after.items() if page.startswith(b"200")]
    assert all(answered.count(name) > 25 for name in roles)


def test_who_may_read_the_journal_is_not_police(site: Site) -> None:
    reads = {role for role, allowed in PERMISSIONS.items() if Permission.SEE_JOURNAL in allowed}
    opens = {role for role, allowed in PERMISSIONS.items() if Permission.OPEN_COMPLAINTS in allowed}
    manages = {role for role, allowed in PERMISSIONS.items() if Permission.MANAGE_COMPLAINT_DESKS in allowed}
    assert reads == opens == manages == {Role.OVERSEER}
    complain(site)
    journal_sources(now=clock.now() + timedelta(days=1))
    received = Entry.objects.get(kind="complaints.received")
    assert (received.actor_id, received.data, received.at.hour, received.at.minute) == (None, {}, 0, 0)


def test_live_streams_do_not_hint_at_it(site: Site, unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    report = make.make_report(unit=unit)
    position = Entry.objects.latest("id").pk

    class Rows:
        """The journal as the streams read it."""

        def entries_after(self, after: int, limit: int) -> list[tuple[int, str, int]]:
            found = Entry.objects.filter(id__gt=after).order_by("id").values_list("id", "kind", "subject_id")
            return [(*row,) for row in found[:limit]]

        def units_of(self, ids: list[int]) -> dict[int, int]:
            # As if the complaint had the number of a report of this desk.
            return dict.fromkeys([*ids, report.pk], unit.pk)

        def close(self) -> None:
            return None

    monkeypatch.setattr(live, "open_store", lambda _site: Rows())
    viewer = Viewer(unit_id=None)
    listener = live.Listener(viewer=viewer, position=position, opened_at=0, written_at=0)
    complain(site)
    journal_sources(now=clock.now() + timedelta(days=1))
    assert Entry.objects.filter(id__gt=position, kind="complaints.received").exists()
    assert live.Hub(Options()).catch_up(listener) == b""


def test_a_member_of_the_police_is_never_a_member(site: Site) -> None:
    tip = complain(site)
    for role in Role:
        user = make.make_user(role=role)
        assert queries.member_of(user, site.complaints.pk) is None
        assert all(desk.kind != DeskKind.COMPLAINTS or role == Role.OVERSEER for desk in queries.manageable_desks(user))
    assert queries.tip_for(site.seats[0].member, tip.pk) == tip
