"""An officer at work, in a browser."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings

from commonbeat.people.models import Unit, User
from commonbeat.reports.models import Publication, Report
from tests import make

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is absent (apt install chromium)"),
]


@pytest.fixture
def page(desk_window: Page) -> Page:
    """Open the journeys' shared browser at the width of a desk."""
    return desk_window


def enter(page: Page, address: str, user: User, path: str) -> None:
    """Sign in past the forms, which have tests of their own, and open a page."""
    cookie = make.signed_in(user).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": address}])
    page.goto(address + path)


def test_from_the_list_to_the_public_page_by_keyboard(page: Page, live_server: Any, unit: Unit, officer: User) -> None:
    first = make.make_report(unit=unit, title="Dark lamp")
    make.make_report(unit=unit, title="Heap of rubble")
    enter(page, live_server.url, officer, "/desk/reports/")
    page.keyboard.press("?")
    assert page.locator("#keys-help").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent").strip().startswith("Dark lamp")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/reports/{first.pk}/**")
    page.keyboard.press("c")
    page.get_by_role("button", name="Give it back").wait_for()
    page.get_by_role("button", name="Accept").click()
    page.locator("#part-state .badge-triaged").wait_for()
    page.locator('a[href="#publish"]').click()
    page.get_by_label("Public title").fill("A lamp is dark by the school")
    page.get_by_label("Public text").fill("The lamp in front of the school is dark.")
    page.locator("#publish").get_by_role("button", name="Publish").click()
    page.locator("#part-state .badge-published").wait_for()
    assert Publication.objects.get().state == "public"
    page.keyboard.press("u")
    page.wait_for_url("**/desk/reports/?tab=new")
    assert page.locator(".report-title").all_text_contents() == ["Heap of rubble"]
    page.keyboard.press("/")
    page.keyboard.type("lamp")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=lamp**")
    assert page.locator(".report-title").count() == 2, "both tell of a lamp in their text"


def test_the_size_of_a_question_is_told_while_writing(page: Page, live_server: Any, unit: Unit, officer: User) -> None:
    report = make.make_report(unit=unit)
    enter(page, live_server.url, officer, f"/desk/reports/{report.pk}/")
    page.locator('a[href="#do-ask"]').click()
    page.keyboard.type("Which lamp?")
    page.get_by_text("1 part by SMS, 439 characters left").wait_for()
    page.get_by_label("Your question").fill("أي مصباح؟")
    page.get_by_text("letters beyond the Latin ones").wait_for()


def test_several_at_once_and_undo(page: Page, live_server: Any, unit: Unit, officer: User) -> None:
    for n in range(3):
        make.make_report(unit=unit, title=f"Report {n}")
    enter(page, live_server.url, officer, "/desk/reports/")
    page.get_by_role("button", name="Choose all on this page").click()
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("heading", name="3 reports were changed.").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("taken back").first.wait_for()
    assert set(Report.objects.values_list("state", flat=True)) == {"new"}


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_of_the_desk_has_violations_or_scrolls_sideways(
    width: int, page: Page, live_server: Any, unit: Unit, supervisor: User, officer: User
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    from commonbeat.foundation import clock
    from commonbeat.reports.actions.publish import publish_report

    page.set_viewport_size({"width": width, "height": 800})
    report = make.make_report(unit=unit, title="Dark lamp", contact=make.make_contact())
    make.make_report(unit=unit, title="Dark lamp again")
    publish_report(report_id=report.pk, title="Dark", text="Call +383 44 123 456", actor=officer, now=clock.now())
    for path in ("/desk/reports/?tab=all", f"/desk/reports/{report.pk}/", f"/desk/reports/{report.pk}/alike/",
                 "/desk/moderation/", "/desk/map/"):  # fmt: skip
        enter(page, live_server.url, supervisor, path)
        for part in page.locator("details.disclosure").all():
            part.evaluate("part => { part.open = true; }")
        found = Axe().run(page)
        wrong = [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found.response["violations"]]
        assert not wrong, (path, wrong)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
