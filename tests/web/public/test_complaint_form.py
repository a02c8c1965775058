"""Complaining about police, or praising them: one thing per page, and nothing stored before the end."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client

from commonbeat.foundation import clock
from commonbeat.tips import queries
from commonbeat.tips.actions import desks
from commonbeat.tips.actions.dialogue import open_tip
from commonbeat.tips.models import Complaint, DeskKind, Member, Tip, TipDesk, TipKey
from commonbeat.tips.receipts import read_receipt
from commonbeat.web.public import complaint_form
from tests import make
from tests.tips.desks import Seated, desk_with, manager_of
from tests.web.public.tip_pages import locked

pytestmark = pytest.mark.django_db

URL = "/complaint/"
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
TOLD = {
    "kind": "complaint",
    "contact": "traffic",
    "day": "2026-03-12",
    "time": "After dark",
    "place": "The bridge of the mill",
    "what": "He took my papers and wanted money.",
    "who": "A tall one, car 114",
    "want": "apology",
    "want_more": "And my papers",
}


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand still in time, except that a form is never too new."""
    moments = iter(make.NOW + timedelta(minutes=n) for n in range(1_000))
    monkeypatch.setattr(clock, "now", lambda: next(moments))


def carried(page: str) -> dict[str, list[str]]:
    """Read the hidden fields of the form of a page."""
    form = page[page.index('id="complaint-form"') :]
    found: dict[str, list[str]] = {}
    for name, value in HIDDEN.findall(form):
        found.setdefault(name, []).append(value)
    return found


def walk(browser: Client, told: dict[str, str] | None = None) -> tuple[list[str], str]:
    """Fill in every step as a browser without JavaScript does; gives the steps and the last page."""
    told = TOLD if told is None else told
    page = browser.get(URL).content.decode()
    steps = []
    for _step in range(12):
        fields = carried(page)
        step = fields["step"][0]
        steps.append(step)
        asked = set(re.findall(r'name="(\w+)"', page)) - set(fields)
        typed = {name: value for name, value in told.items() if name in asked}
        page = browser.post(URL, {**fields, **typed, "go": "next"}).content.decode()
        if step == "check":
            break
    return steps, page


def words_of(page: str) -> str:
    """Find the receipt on its page."""
    tip_words = re.findall(r"\b[bdfghjklmnprstvz][aiou][bdfghjklmnprstvz][aiou]\b", re.sub(r"<[^>]+>", " ", page))
    for start in range(len(tip_words) - 7):
        try:
            return read_receipt("-".join(tip_words[start : start + 8]))
        except ValueError:
            continue
    raise AssertionError("no receipt on the page")


def read(seated: Seated, tip: Tip) -> str:
    """Read the first text as a member."""
    opened = open_tip(tip_id=tip.pk, member_id=seated.member.pk, user=seated.user, pair=seated.pair, now=make.NOW)
    return opened.texts[0].text or ""


@pytest.fixture
def desk(db: None) -> tuple[TipDesk, list[Seated]]:
    """Give an open desk with two members."""
    return desk_with(kind=DeskKind.COMPLAINTS, answer_within_days=45)


def test_it_goes_step_by_step_and_the_member_reads_all_of_it(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    browser = Client()
    steps, page = walk(browser)
    assert steps == ["kind", "contact", "when", "where", "what", "who", "want", "check"]
    tip = Tip.objects.get()
    assert "Your complaint has arrived" in page
    assert queries.find_by_receipt(words_of(page)) == tip
    text = read(desk[1][0], tip)
    for said in ("2026-03-12, After dark", "The bridge of the mill", "wanted money.", "car 114", "An apology\nAnd my"):
        assert said in text
    assert text.startswith("What it is\nA complaint\n\nWhat it was about\nA traffic control\n\n")
    assert (tip.complaint.due_day - tip.complaint.received_day).days == 45
    assert not browser.cookies


def test_the_first_page_says_who_reads_it_and_by_when(desk: tuple[TipDesk, list[Seated]]) -> None:
    page = Client().get(URL)
    said = page.content.decode()
    assert "2 people read it." in said
    assert "within 45 days" in said
    assert page.headers["Cache-Control"] == "no-store"
    assert not page.cookies


def test_nothing_is_stored_before_the_end(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    browser = Client()
    fields = carried(browser.get(URL).content.decode())
    for step in ("kind", "what", "who"):
        page = browser.post(URL, {**fields, **TOLD, "step": step, "go": "next"})
        assert page.status_code == 200
        assert TOLD["what"] in page.content.decode()
    assert not Tip.objects.exists()


def test_praise_is_not_asked_what_it_wants(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    steps, _page = walk(Client(), {"kind": "praise", "what": "She found my child."})
    assert "want" not in steps
    text = read(desk[1][0], Tip.objects.get())
    assert text.startswith("What it is\nPraise\n\n")


def test_the_terms_are_in_the_language_of_the_site(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    browser = Client(headers={"Accept-Language": "sq"})
    walk(browser)
    text = read(desk[1][0], Tip.objects.get())
    assert "What happened\n" in text
    assert text.endswith("Shqip")


def test_the_language_changes_and_everything_stays(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    browser = Client()
    fields = carried(browser.get(URL).content.decode())
    answer = browser.post(URL, {**fields, **TOLD, "step": "who", "language": "sq"})
    assert answer.headers["Content-Language"] == "sq"
    page = answer.content.decode()
    assert TOLD["what"] in page and TOLD["who"] in page


@pytest.mark.parametrize(
    ("step", "changed", "field"),
    [
        ("kind", {"kind": ""}, "kind"),
        ("when", {"day": "2026-03-15"}, "day"),
        ("when", {"day": "soon"}, "day"),
        ("what", {"what": " "}, "what"),
        ("what", {"what": "x" * 20_001}, "what"),
        ("want", {"want_more": "x" * 4_001}, "want_more"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_stored(
    at: None, desk: tuple[TipDesk, list[Seated]], step: str, changed: dict[str, str], field: str
) -> None:
    browser = Client()
    fields = carried(browser.get(URL).content.decode())
    for at_step in (step, "check"):
        answer = browser.post(URL, {**fields, **TOLD, **changed, "step": at_step, "go": "next"})
        assert answer.status_code == 422
        assert f'href="#id_{field}"' in answer.content.decode()
    assert not Tip.objects.exists()


def test_who_is_concerned_gets_no_box(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    concerned = desk[1][1]
    concerned.user.display_name, concerned.user.public_intro = "Teuta Hoxha", "I sit in the council."
    concerned.user.save()
    steps, _page = walk(Client(), {**TOLD, "involved": str(concerned.member.pk)})
    assert "involved" in steps
    tip = Tip.objects.get()
    assert Complaint.objects.get().recused == [concerned.member.pk]
    assert list(TipKey.objects.filter(tip=tip, holder="member").values_list("member_id", flat=True)) == [
        desk[1][0].member.pk
    ]
    assert queries.tip_for(concerned.member, tip.pk) is None
    assert queries.waiting(concerned.member) == []
    assert "Who must not read it\nTeuta Hoxha" in read(desk[1][0], tip)


def test_members_who_do_not_show_themselves_are_not_named_and_not_counted_out(
    at: None, desk: tuple[TipDesk, list[Seated]]
) -> None:
    steps, page = walk(Client(), {**TOLD})
    assert "involved" not in steps
    assert "arrived" in page and Complaint.objects.get().recused == []


def show_in_public(*seats: Seated, intro: str = "I sit in the council.") -> None:
    """Let members show themselves, or no longer."""
    for seated in seats:
        seated.user.public_intro = intro
        seated.user.save()


def test_who_was_excluded_stays_so_when_they_no_longer_show_themselves(
    at: None, desk: tuple[TipDesk, list[Seated]]
) -> None:
    browser, concerned = Client(), desk[1][1]
    show_in_public(concerned)
    fields = {**carried(browser.get(URL).content.decode()), **TOLD, "involved": str(concerned.member.pk)}
    show_in_public(concerned, intro="")
    shown = browser.post(URL, {**fields, "step": "want", "go": "next"}).content.decode()
    assert carried(shown)["step"] == ["involved"]
    assert re.search(rf'name="involved" value="{concerned.member.pk}" checked', shown)
    checked = browser.post(URL, {**fields, "step": "involved", "go": "next"}).content.decode()
    assert "A person whose name is not shown any more" in checked
    concerned.user.is_active = False
    concerned.user.save()
    assert browser.post(URL, {**fields, "step": "check", "go": "next"}).status_code == 200
    tip = Tip.objects.get()
    assert Complaint.objects.get().recused == [concerned.member.pk]
    assert list(TipKey.objects.filter(tip=tip, holder="member").values_list("member_id", flat=True)) == [
        desk[1][0].member.pk
    ]
    assert "Who must not read it\nA person whose name is not shown any more" in read(desk[1][0], tip)


def test_who_has_left_needs_no_exclusion(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    browser, gone = Client(), desk[1][1]
    show_in_public(gone)
    fields = {**carried(browser.get(URL).content.decode()), **TOLD, "involved": [str(gone.member.pk), "99999"]}
    Member.objects.filter(pk=gone.member.pk).update(left_day=make.NOW.date())
    assert browser.post(URL, {**fields, "step": "check", "go": "next"}).status_code == 200
    assert Complaint.objects.get().recused == []


def test_whoever_is_excluded_unseen_leaves_somebody_too(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    browser = Client()
    fields = {**carried(browser.get(URL).content.decode()), **TOLD}
    numbers = [str(seated.member.pk) for seated in desk[1]]
    answer = browser.post(URL, {**fields, "step": "check", "involved": numbers})
    assert answer.status_code == 422
    assert carried(answer.content.decode())["step"] == ["involved"]
    assert "Leave at least one person." in answer.content.decode()
    # Without a tick there is no such step any more, and the form goes on.
    onward = browser.post(URL, {**fields, "step": "involved", "go": "next"}).content.decode()
    assert carried(onward)["step"] == ["check"] and not Tip.objects.exists()


def test_somebody_must_be_left_who_reads_it(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    numbers = []
    for seated in desk[1]:
        seated.user.public_intro = "I sit in the council."
        seated.user.save()
        numbers.append(str(seated.member.pk))
    fields = carried(Client().get(URL).content.decode())
    answer = Client().post(URL, {**fields, **TOLD, "step": "check", "involved": numbers})
    assert answer.status_code == 422
    assert "Leave at least one person." in answer.content.decode()
    assert not Tip.objects.exists()


def test_a_form_is_stored_once(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    browser = Client()
    sent = {**carried(browser.get(URL).content.decode()), **TOLD, "step": "check", "go": "next"}
    assert [browser.post(URL, sent).status_code for _again in range(2)] == [200, 409]
    assert Tip.objects.count() == 1


def test_what_could_not_be_stored_may_be_sent_again(
    at: None, desk: tuple[TipDesk, list[Seated]], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Client()
    sent = {**carried(browser.get(URL).content.decode()), **TOLD, "step": "check", "go": "next"}
    with monkeypatch.context() as patch:
        patch.setattr(complaint_form, "submit_text", locked)
        with pytest.raises(OperationalError):
            browser.post(URL, sent)
    assert [browser.post(URL, sent).status_code for _again in range(2)] == [200, 409]
    assert Tip.objects.count() == 1


def test_nothing_goes_to_another_desk_unseen(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    browser, chosen = Client(), desk_with(kind=DeskKind.COMPLAINTS)[0]
    third = desk_with(kind=DeskKind.COMPLAINTS)[0]
    first = browser.get(URL).content.decode()
    assert re.search(rf'name="desk" value="{desk[0].pk}" checked', first)
    fields = {**carried(first), **TOLD, "desk": str(chosen.pk)}
    desks.close_desk(desk_id=chosen.pk, actor=manager_of(DeskKind.COMPLAINTS), now=make.NOW)
    for step, more in (("what", {}), ("check", {}), ("check", {"go": "back"}), ("check", {"language": "en"})):
        answer = browser.post(URL, {"go": "next", **fields, "step": step, **more})
        page = answer.content.decode()
        assert answer.status_code == 422 and carried(page)["step"] == ["kind"]
        assert "The desk that you chose takes nothing now." in page and 'href="#id_desk"' in page
        assert TOLD["what"] in page and not re.search(r'name="desk" value="\d+" checked', page)
    # Nor to the first one, when none is chosen.
    again = {**carried(page), "kind": "complaint"}
    answer = browser.post(URL, {**again, "go": "next"})
    assert answer.status_code == 422 and "Choose to whom it goes." in answer.content.decode()
    checked = browser.post(URL, {**again, "desk": str(third.pk), "go": "next"}).content.decode()
    assert carried(checked)["step"] == ["check"]
    assert not Tip.objects.exists()
    browser.post(URL, {**carried(checked), "go": "next"})
    assert Tip.objects.get().desk_id == third.pk


def test_the_only_desk_is_not_changed_for_another_one_unseen(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    browser = Client()
    fields = {**carried(browser.get(URL).content.decode()), **TOLD}
    desks.close_desk(desk_id=desk[0].pk, actor=manager_of(DeskKind.COMPLAINTS), now=make.NOW)
    other = desk_with(kind=DeskKind.COMPLAINTS)[0]
    answer = browser.post(URL, {**fields, "step": "check", "go": "next"})
    assert answer.status_code == 422 and "takes nothing now" in answer.content.decode()
    assert carried(answer.content.decode())["desk"] == [str(other.pk)] and not Tip.objects.exists()


def test_the_last_page_says_to_whom_it_goes(at: None) -> None:
    manager = manager_of(DeskKind.COMPLAINTS)
    desk = desk_with(kind=DeskKind.COMPLAINTS)[0]
    desks.change_desk(desk_id=desk.pk, names={"": "The ombudswoman"}, actor=manager, now=make.NOW)
    browser = Client()
    fields = carried(browser.get(URL).content.decode())
    page = browser.post(URL, {**fields, **TOLD, "step": "want", "go": "next"}).content.decode()
    assert re.search(r'<dt>To whom it goes</dt><dd dir="auto">The ombudswoman</dd>', page)


def test_who_changes_the_desk_is_asked_again_who_is_involved(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    browser = Client()
    other, seats = desk_with(kind=DeskKind.COMPLAINTS)
    show_in_public(seats[1])
    fields = {**carried(browser.get(URL).content.decode()), **TOLD, "step": "kind", "returns": "yes"}
    page = browser.post(URL, {**fields, "desk": str(other.pk), "go": "next"}).content.decode()
    assert carried(page)["step"] == ["involved"]
    page = browser.post(URL, {**carried(page), "go": "next"}).content.decode()
    assert carried(page)["step"] == ["check"]


def test_a_full_desk_says_so_and_keeps_what_was_typed(at: None) -> None:
    _desk, _seats = desk_with(kind=DeskKind.COMPLAINTS, intake_cap=1)
    browser = Client()
    walk(browser)
    fields = carried(browser.get(URL).content.decode())
    answer = browser.post(URL, {**fields, **TOLD, "what": "Another thing.", "step": "check", "go": "next"})
    assert answer.status_code == 503
    assert "Nothing was stored" in answer.content.decode() and "Another thing." in answer.content.decode()
    assert Tip.objects.count() == 1


def test_without_a_desk_it_says_so(at: None) -> None:
    assert "cannot be taken" in Client().get(URL).content.decode()
    assert Client().post(URL, TOLD).status_code == 503
    # A desk for tips is none for complaints.
    desk_with(kind=DeskKind.TIPS)
    assert Client().post(URL, TOLD).status_code == 503
    assert not Tip.objects.exists()


def test_a_closed_desk_takes_nothing(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    fields = carried(Client().get(URL).content.decode())
    desks.close_desk(desk_id=desk[0].pk, actor=manager_of(DeskKind.COMPLAINTS), now=make.NOW)
    assert Client().post(URL, {**fields, **TOLD, "step": "check"}).status_code == 503
    assert not Tip.objects.exists()


def test_another_site_cannot_send_it(at: None, desk: tuple[TipDesk, list[Seated]]) -> None:
    sent = {**carried(Client().get(URL).content.decode()), **TOLD, "step": "check"}
    assert Client(headers={"Sec-Fetch-Site": "cross-site"}).post(URL, sent).status_code == 403
    assert not Tip.objects.exists()


@pytest.mark.parametrize("page", ["/", "/officer/"])
def test_the_form_is_found(page: str, db: None) -> None:
    assert 'href="/complaint/"' in Client().get(page).content.decode()
