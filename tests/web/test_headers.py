"""The headers of one page of each audience, word for word; and that nothing personal may be kept by a cache."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, reverse

from commonbeat.media import store
from commonbeat.media.actions import picture_key
from commonbeat.people.models import Unit
from commonbeat.reports.models import ReportPhoto
from commonbeat.tips.models import DeskKind
from commonbeat.web import headers
from tests import make
from tests.architecture.test_guards import patterns
from tests.tips.desks import desk_with, tip_at
from tests.tips.test_uploading import uploaded
from tests.web.desk.sealed import address, cheaply, unlocked

pytestmark = pytest.mark.django_db

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
EXACT = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Pages of sealed tips alone may compile WebAssembly, and tell nobody where a visitor came from.
OF_TIPS = {
    **EXACT,
    "Content-Security-Policy": POLICY + "; script-src 'self' 'wasm-unsafe-eval'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
# A form of several pages: the browser asks first, but "back" may show a step again.
ASKED_FIRST = "private, no-cache"


def hold(answer: object, wanted: dict[str, str]) -> None:
    """Compare every header of the list, and that no other policy stands beside them."""
    found = answer.headers
    assert {name: found.get(name) for name in wanted} == wanted
    policies = {name for name in found if name.endswith("-Policy") or name.startswith("X-")}
    assert policies == {name for name in wanted if name != "Cache-Control"}


def test_what_every_answer_carries_is_this() -> None:
    assert headers.SECURITY_HEADERS == EXACT


@pytest.mark.parametrize(
    "name",
    ["home", "report_start", "reports", "map", "alerts", "alert_subscribe", "lookup", "complaint", "complaints",
     "privacy", "data", "offline", "officer", "cards"],
)  # fmt: skip
def test_pages_for_everybody(name: str, client: Client, unit: Unit) -> None:
    answer = client.get(reverse(f"public:{name}"))
    assert answer.status_code == 200
    if name == "complaint":
        hold(answer, OF_TIPS)
    else:
        hold(answer, EXACT)
        assert answer["Cache-Control"] == (ASKED_FIRST if name == "alert_subscribe" else "no-store")


@pytest.mark.parametrize("path", ["/nothing/here/", "/desk/reports/1/", "/photos/" + "a" * 22 + "-full.jpg"])
def test_what_is_not_there(path: str, officer_client: Client) -> None:
    answer = officer_client.get(path)
    assert answer.status_code == 404
    hold(answer, EXACT)
    assert answer["Cache-Control"] == "no-store"


def test_a_form_that_another_site_sent_is_refused_with_the_same() -> None:
    answer = Client(enforce_csrf_checks=True).post(reverse("public:lookup"), {"reference": "x"})
    assert answer.status_code == 403
    hold(answer, EXACT)


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_inactive"])
def test_pages_of_accounts(name: str, client: Client) -> None:
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    hold(answer, EXACT)
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("who", "page"),
    [("officer", "desk:list"), ("officer", "desk:map"), ("officer", "desk:map_points"), ("officer", "desk:alerts"),
     ("officer", "desk:sealed_home"), ("supervisor", "desk:quarantine"), ("moderator", "desk:moderation"),
     ("overseer", "oversight:journal"), ("overseer", "oversight:journal_csv"), ("overseer", "oversight:log"),
     ("overseer", "oversight:sealed_home"), ("overseer", "oversight:escrow"),
     ("administrator", "administration:people"), ("administrator", "administration:channels"),
     ("administrator", "administration:settings"), ("translator", "translating:home"),
     ("resident", "mfa_index"), ("outsider", "account_change_password")],
)  # fmt: skip
def test_pages_of_who_is_signed_in(who: str, page: str, unit: Unit, request: pytest.FixtureRequest) -> None:
    answer = request.getfixturevalue(f"{who}_client").get(reverse(page))
    assert answer.status_code == 200
    hold(answer, EXACT)
    assert "no-store" in answer["Cache-Control"]


def test_every_page_for_sources_of_tips(client: Client) -> None:
    desk, _seats = desk_with()
    asked = 0
    for namespace, pattern in patterns(get_resolver()):
        name = str(pattern.name) if namespace == "public" else ""
        if name == "tip" or name.startswith("tip_") or name == "complaint":
            kwargs = {"desk": desk.pk} if "desk" in pattern.pattern.converters else {}
            for answer in (
                client.get(reverse(f"public:{name}", kwargs=kwargs)),
                client.post(reverse(f"public:{name}", kwargs=kwargs)),
            ):
                hold(answer, OF_TIPS)
                assert not answer.cookies, name
            asked += 1
    assert asked >= 12


@pytest.mark.parametrize("kind", [DeskKind.TIPS, DeskKind.COMPLAINTS])
def test_pages_of_members_and_a_strangers_file(kind: DeskKind, monkeypatch: pytest.MonkeyPatch) -> None:
    cheaply(monkeypatch)
    desk, (one, _other) = desk_with(kind=kind)
    tip, _receipt = tip_at(desk)
    file = uploaded(tip)
    browser = unlocked(one, desk)
    for name in ("desk", "key", "members", "unlock"):
        answer = browser.get(address(desk, name))
        assert answer.status_code in {200, 302}, name
        hold(answer, EXACT)
        assert "no-store" in answer["Cache-Control"]
    answer = browser.get(address(desk, "tip", tip_id=tip.pk))
    assert answer.status_code == 200
    hold(answer, EXACT)
    assert "no-store" in answer["Cache-Control"]
    answer = browser.get(address(desk, "file", tip_id=tip.pk, file_id=file.number))
    hold(answer, {**EXACT, "Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "no-store"})
    assert answer["Content-Disposition"].startswith("attachment")


def test_a_strangers_photo_at_the_desk_runs_nothing_and_is_not_kept(officer_client: Client, unit: Unit) -> None:
    report, photo = make.make_report(unit=unit), make.make_photo()
    data_dir = settings.COMMONBEAT.data_dir
    photo.original_token = store.keep_original(b"<html><script>", data_dir=data_dir, key=picture_key())
    photo.save()
    ReportPhoto.objects.create(report=report, photo=photo)
    answer = officer_client.get(reverse("desk:photo", kwargs={"report_id": report.pk, "photo_id": photo.pk}))
    assert answer.status_code == 200
    hold(answer, {**EXACT, "Content-Security-Policy": "default-src 'none'; sandbox"})
    assert answer["Cache-Control"] == "private, no-store"


# What a cache may keep, and for whom; all else is "no-store". None of it tells who asked.
KEPT = {
    "public:picture", "public:safety_data", "public:service_worker", "public:photo", "public:alert_areas",
    "public:alert_area", "open:reports_rss", "open:reports_geojson", "open:alerts_atom", "open:alerts_rss",
    "open:look_outs_atom", "open:log_checkpoint", "open:log_countersigned", "open:log_key", "open:datapackage",
    "open:cap_certificate", "public:favicon", "public:manifest",
}  # fmt: skip


def test_only_what_is_public_may_be_kept(client: Client, unit: Unit) -> None:
    for namespace, pattern in patterns(get_resolver()):
        if namespace in {"public", "open"} and not (pattern.pattern.converters or pattern.pattern.regex.groups):
            name = f"{namespace}:{pattern.name}"
            answer = client.get(reverse(name))
            cache = answer.headers["Cache-Control"]
            assert "no-store" in cache or cache == ASKED_FIRST or name in KEPT, (name, cache)
