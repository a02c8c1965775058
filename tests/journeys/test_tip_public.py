"""A tip from the form to the dialogue: sealed in the browser, and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from commonbeat.tips.actions import dialogue as talk
from commonbeat.tips.dialogue_queries import file_blocks
from commonbeat.tips.models import FileState, SealedWhere, Tip, TipFile, TipText
from commonbeat.web.public import tip_form
from tests.make import NOW
from tests.tips.desks import Seated, desk_with

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SAID = "The blue lorry comes on Thursdays, behind the mill."
ANSWERED = "The first of the month."
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
FORBIDDEN = ("blue lorry", "first of the month")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tip_form, "LEAST_SECONDS", 0)


@pytest.fixture
def seat() -> Seated:
    """Give a member of an open desk."""
    return desk_with()[1][0]


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """Open a page in a browser that runs no scripts, on a narrow telephone."""
    context = browser.new_context(java_script_enabled=False, locale="en", viewport={"width": 320, "height": 640})
    yield context.new_page()
    context.close()


@pytest.fixture
def window(browser: Browser) -> Iterator[Page]:
    """Open a page whose requests are all looked at: none leaves the site, none carries words; an error fails."""
    context = browser.new_context(locale="en", viewport={"width": 320, "height": 640}, accept_downloads=True)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if _is_elsewhere(request.url) else None)
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    assert context.cookies() == []
    context.close()
    assert wrong == []


def _is_elsewhere(url: str) -> bool:
    return not url.removeprefix("blob:").startswith("http://localhost:")


def words_on(page: Page) -> list[str]:
    return page.locator("[data-words] [data-word]").all_inner_texts()


def confirm(page: Page, words: list[str]) -> None:
    page.click("text=I have saved it")
    assert words_on(page) == [] and " ".join(words[:2]) not in page.inner_text("main")
    page.fill("#id_word", "zozo")
    page.click("text=Go on")
    expect(page.locator("main")).to_contain_text("This is no word of your receipt")
    page.fill("#id_word", f" {words[3].upper()} ")
    page.click("text=Go on")
    expect(page.locator("h1")).to_have_text("You have saved your receipt")


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def test_sealed_in_the_browser_with_an_upload_that_is_cut(
    window: Page, live_server: object, seat: Seated, tmp_path: Path
) -> None:
    page, sent = window, list[bytes]()
    page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
    content = bytes(range(256)) * 4_000 + b"blue lorry"
    (tmp_path / "lorry.png").write_bytes(content)
    cuts = {2: "before", 4: "after"}
    calls: list[int] = []

    def piece(route: Route) -> None:
        calls.append(1)
        what = cuts.get(len(calls))
        if what == "before":
            route.abort("connectionreset")
        elif what == "after":
            # The piece arrives, its answer does not.
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/tip/dialogue/piece", piece)
    page.goto(f"{live_server}/")
    page.click("text=Write to the desk")
    page.fill("#id_text", SAID)
    expect(page.locator("[data-tip-state]")).to_contain_text("Your browser seals text and files")
    fits(page)
    page.set_input_files("#id_files", tmp_path / "lorry.png")
    page.click("button:has-text('Send')")
    expect(page.locator("h1")).to_have_text("Your tip has arrived")
    words = words_on(page)
    assert len(words) == 8
    fits(page)
    with page.expect_download() as saved:
        page.click("text=Save it as a card")
    assert saved.value.suggested_filename == "card.svg"
    assert all(word in Path(saved.value.path()).read_text() for word in words)
    expect(page.locator("[data-tip-upload-state]")).to_have_text("All files have arrived.", timeout=15_000)
    assert len(calls) > 4
    tip, file = Tip.objects.get(), TipFile.objects.get()
    assert (tip.sealed_where, file.sealed_where, file.state) == (SealedWhere.BROWSER, SealedWhere.BROWSER, "whole")
    opened = talk.open_tip(tip_id=tip.pk, member_id=seat.member.pk, user=seat.user, pair=seat.pair, now=NOW)
    assert [line.text for line in opened.texts] == [SAID]
    key = opened.files[0].key
    assert key is not None and opened.files[0].name == "lorry.png"
    assert b"".join(file_blocks(file, key)) == content
    confirm(page, words)
    everything = b"\n".join(sent)
    assert not any(word.encode() in everything for word in (*FORBIDDEN, "-".join(words), "".join(words)))


def test_the_dialogue_is_opened_and_answered_in_the_browser(
    window: Page, live_server: object, seat: Seated, tmp_path: Path
) -> None:
    page, sent = window, list[bytes]()
    page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
    page.goto(f"{live_server}/tip/")
    page.fill("#id_text", SAID)
    page.click("button:has-text('Send')")
    expect(page.locator("h1")).to_have_text("Your tip has arrived")
    words = words_on(page)
    confirm(page, words)
    tip = Tip.objects.get()
    talk.ask_as_member(tip_id=tip.pk, member_id=seat.member.pk, user=seat.user, text="Which Thursday?", now=NOW)
    page.goto(f"{live_server}/tip/dialogue/")
    page.fill("#id_receipt", " ".join(["bxyz", *words[1:]]))
    expect(page.locator("[data-tip-state]")).to_contain_text("do not leave it")
    page.click("button:has-text('Open my dialogue')")
    expect(page.locator(".error-summary")).to_contain_text("Word 1 cannot be right")
    page.fill("#id_receipt", " ".join(words))
    page.click("button:has-text('Open my dialogue')")
    expect(page.locator(".thread")).to_contain_text(SAID)
    expect(page.locator(".thread")).to_contain_text("Which Thursday?")
    expect(page.locator("[data-tip-news]")).to_be_visible()
    fits(page)
    # The first answer is lost on the way back; it is not stored twice.
    lost: list[int] = []

    def answer(route: Route) -> None:
        lost.append(1)
        if len(lost) == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/tip/dialogue/answer", answer)
    (tmp_path / "map.txt").write_bytes(b"blue lorry here")
    page.fill("#id_text", ANSWERED)
    page.set_input_files("#id_files", tmp_path / "map.txt")
    page.click("button:has-text('Send')")
    expect(page.locator(".error-summary")).to_contain_text("There is no connection")
    page.click("button:has-text('Send')")
    expect(page.locator("[data-tip-sent]")).to_have_text("Your answer has reached the desk.")
    assert TipText.objects.filter(tip=tip, direction="to_desk").count() == 2
    expect(page.locator(".thread")).to_contain_text(ANSWERED)
    with page.expect_download() as saved:
        page.click(".tip-files button")
    assert Path(saved.value.path()).read_bytes() == b"blue lorry here"
    page.click("summary:has-text('Delete the dialogue')")
    page.click("text=Delete it")
    expect(page.locator(".error-summary")).to_contain_text("Tick the box")
    assert Tip.objects.count() == 1
    page.check("#id_sure")
    page.click("text=Delete it")
    expect(page.locator("h1")).to_have_text("The dialogue is deleted")
    assert Tip.objects.count() == 0
    everything = b"\n".join(sent)
    assert not any(word.encode() in everything for word in (*FORBIDDEN, "-".join(words), "".join(words)))


def test_where_webassembly_is_missing_the_form_goes_as_it_is(window: Page, live_server: object, seat: Seated) -> None:
    page = window
    page.add_init_script("delete window.WebAssembly")
    page.goto(f"{live_server}/tip/")
    page.fill("#id_text", SAID)
    expect(page.locator("[data-tip-state]")).to_contain_text("Your browser cannot seal")
    page.click("button:has-text('Send')")
    expect(page.locator("main")).to_contain_text("Our server sealed what you sent")
    confirm(page, words_on(page))
    assert Tip.objects.get().sealed_where == SealedWhere.SERVER


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ar", "dark")])
def test_no_screen_breaks_a_rule(
    browser: Browser, live_server: object, seat: Seated, language: str, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(locale=language, viewport={"width": 320, "height": 640}, color_scheme=scheme)
    page, wrong = context.new_page(), list[str]()
    page.on("dialog", lambda dialog: dialog.accept())

    def look() -> None:
        fits(page)
        found = Axe().run(page, options=RULES)
        wrong.append(found.generate_report() if found.violations_count else "")

    page.goto(f"{live_server}/tip/")
    look()
    page.click("form[data-tip-form] button[type=submit]")
    page.wait_for_selector(".error-summary")
    look()
    page.fill("#id_text", SAID)
    page.click("form[data-tip-form] button[type=submit]")
    page.wait_for_selector("[data-words]")
    words = words_on(page)
    look()
    page.click("[data-tip-saved]")
    look()
    page.goto(f"{live_server}/tip/dialogue/")
    look()
    page.fill("#id_receipt", " ".join(words))
    page.click("form[data-tip-ask] button[type=submit]")
    page.wait_for_selector(".thread li")
    look()
    context.close()
    assert [text for text in wrong if text] == []


def test_who_must_leave_at_once_is_not_asked(window: Page, live_server: object, seat: Seated) -> None:
    page, asked = window, list[str]()
    page.on("dialog", lambda dialog: asked.append(dialog.type))
    page.route("**/wiki**", lambda route: route.fulfill(body="elsewhere"))
    page.goto(f"{live_server}/tip/")
    page.click("#id_text")
    page.keyboard.type("A")
    page.evaluate("document.querySelector('[data-exit]').dataset.exit = '/wiki'")
    page.click("[data-exit]")
    page.wait_for_url("**/wiki")
    assert asked == []
    page.goto(f"{live_server}/tip/")
    page.click("#id_text")
    page.keyboard.type("A")
    page.goto(f"{live_server}/")
    assert asked == ["beforeunload"]


def test_without_javascript(plain_page: Page, live_server: object, seat: Seated, tmp_path: Path) -> None:
    page = plain_page
    (tmp_path / "lorry.png").write_bytes(b"\x89PNG" * 500)
    page.goto(f"{live_server}/")
    page.click("text=Write to the desk")
    expect(page.locator("[data-tip-state]")).to_contain_text("our server seals what you send")
    fits(page)
    page.click("button:has-text('Send')")
    expect(page.locator(".error-summary")).to_contain_text("Write what you want to tell")
    page.fill("#id_text", SAID)
    page.set_input_files("#id_files", tmp_path / "lorry.png")
    page.click("button:has-text('Send')")
    expect(page.locator("h1")).to_have_text("Your tip has arrived")
    words = words_on(page)
    fits(page)
    assert "".join(words) not in page.url
    confirm(page, words)
    tip = Tip.objects.get()
    assert tip.sealed_where == SealedWhere.SERVER and TipFile.objects.get().state == FileState.WHOLE
    talk.ask_as_member(tip_id=tip.pk, member_id=seat.member.pk, user=seat.user, text="Which Thursday?", now=NOW)
    page.click("text=Open my dialogue")
    page.fill("#id_receipt", " ".join(words))
    page.click("button:has-text('Open my dialogue')")
    expect(page.locator(".thread")).to_contain_text("Which Thursday?")
    fits(page)
    page.fill("#id_text", ANSWERED)
    page.click("button:has-text('Send')")
    expect(page.locator(".notice-success")).to_contain_text("Your answer has reached the desk")
    with page.expect_download() as saved:
        page.click(".tip-files button")
    assert Path(saved.value.path()).read_bytes() == b"\x89PNG" * 500
    page.click("text=Leave the dialogue")
    assert page.url == f"{live_server}/" and page.context.cookies() == []
