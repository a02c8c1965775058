"""Coming back with the receipt, without JavaScript."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from commonbeat.foundation import clock
from commonbeat.tips.actions import dialogue as talk
from commonbeat.tips.actions import ending, trying
from commonbeat.tips.models import Tip, TipFile, TipText
from commonbeat.tips.receipts import new_receipt, show_receipt
from commonbeat.web.public import tip_dialogue
from tests.make import NOW
from tests.tips.desks import TEXT, Seated, desk_with, tip_at
from tests.web.public.tip_pages import hidden, locked, picture, shows, ticket

pytestmark = pytest.mark.django_db
ASKED = "Which Thursday was it?"


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Hold the clock."""
    held = [NOW]
    monkeypatch.setattr(clock, "now", lambda: held[0])
    return held


@pytest.fixture
def seat() -> Seated:
    """Give a member of an open desk."""
    return desk_with()[1][0]


@pytest.fixture
def told(seat: Seated) -> tuple[Tip, str]:
    """Give a tip and its receipt as it is shown."""
    tip, receipt = tip_at(seat.member.desk)
    return tip, show_receipt(receipt)


def ask(tip: Tip, seat: Seated, text: str = ASKED) -> None:
    talk.ask_as_member(tip_id=tip.pk, member_id=seat.member.pk, user=seat.user, text=text, now=NOW)


def opened(client: Client, receipt: str) -> str:
    answer = client.post("/tip/dialogue/", {"receipt": receipt})
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def answer(client: Client, page: str, moment: list[datetime], **more: Any) -> Any:
    moment[0] += timedelta(minutes=1)
    fields = {"passed": hidden(page, "passed"), "ticket": hidden(page, "ticket"), "text": "The first of the month."}
    return client.post("/tip/dialogue/", fields | more)


def test_both_sides_talk(client: Client, seat: Seated, told: tuple[Tip, str], moment: list[datetime]) -> None:
    tip, receipt = told
    page = opened(client, receipt.upper().replace("-", " "))
    assert TEXT in page and "Something new" not in page and "It has not written to you since" in page
    ask(tip, seat)
    page = opened(client, receipt)
    assert ASKED in page and "Something new from the desk" in page
    assert "Something new" not in opened(client, receipt)
    said = answer(client, page, moment)
    assert said.status_code == 200 and "has reached the desk" in said.content.decode()
    assert "The first of the month." in said.content.decode()
    tip.refresh_from_db()
    assert tip.news_for_desk and tip.texts_to_desk == 2
    assert client.cookies.output() == ""


def test_an_answer_is_stored_once(client: Client, told: tuple[Tip, str], moment: list[datetime]) -> None:
    page = opened(client, told[1])
    for _ in range(2):
        assert answer(client, page, moment, files=picture()).status_code == 200
    assert TipText.objects.filter(tip=told[0]).count() == 2 and TipFile.objects.count() == 1


def test_files_come_with_an_answer(client: Client, told: tuple[Tip, str], moment: list[datetime]) -> None:
    page = opened(client, told[1])
    data = bytes(range(256)) * 20_000
    said = answer(client, page, moment, text="", files=[picture(data), picture(b"two", "b.txt")]).content.decode()
    assert "2 files have arrived" in said and "lorry.png" in said
    file = TipFile.objects.get(number=0)
    got = client.post("/tip/dialogue/file", {"passed": hidden(said, "passed"), "file": file.pk})
    assert b"".join(got.streaming_content) == data
    assert TipText.objects.filter(tip=told[0]).count() == 1


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("Dëshmi e parë.pdf", "attachment; filename*=utf-8''D%C3%ABshmi%20e%20par%C3%AB.pdf"),
        ("صورة.jpg", "attachment; filename*=utf-8''%D8%B5%D9%88%D8%B1%D8%A9.jpg"),
    ],
)
def test_a_file_keeps_its_name_in_any_script(
    client: Client, told: tuple[Tip, str], moment: list[datetime], name: str, sent: str
) -> None:
    page = opened(client, told[1])
    said = answer(client, page, moment, text="", files=picture(b"one", name)).content.decode()
    got = client.post("/tip/dialogue/file", {"passed": hidden(said, "passed"), "file": TipFile.objects.get().pk})
    assert got.headers["Content-Disposition"] == sent


def test_an_answer_that_could_not_be_stored_may_be_sent_again(
    client: Client, told: tuple[Tip, str], moment: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(client, told[1])
    with monkeypatch.context() as patch:
        patch.setattr(tip_dialogue, "answer_as_source", locked)
        with pytest.raises(OperationalError):
            answer(client, page, moment)
    for _ in range(2):
        answer(client, page, moment)
    assert TipText.objects.filter(tip=told[0]).count() == 2


def test_files_without_a_dialogue_are_passed_over(client: Client, told: tuple[Tip, str]) -> None:
    for passed in ("", "nonsense"):
        client.post("/tip/dialogue/", {"passed": passed, "ticket": ticket(NOW), "text": "x", "files": picture()})
    client.post("/tip/dialogue/", {"receipt": told[1], "text": "x", "files": picture()})
    assert TipFile.objects.count() == 0 and TipText.objects.count() == 1


def test_an_empty_answer_is_asked_for(client: Client, told: tuple[Tip, str], moment: list[datetime]) -> None:
    page = opened(client, told[1])
    said = answer(client, page, moment, text=" ")
    assert said.status_code == 422 and "Write an answer" in said.content.decode()
    assert answer(client, page, moment, text="x" * 524_288).status_code == 422


def test_wrong_receipts_are_told_and_never_repeated(client: Client, told: tuple[Tip, str]) -> None:
    words = told[1].split("-")
    misspelt = "-".join([*words[:2], "bxyz", *words[3:]])
    said = client.post("/tip/dialogue/", {"receipt": misspelt})
    assert said.status_code == 422 and "Word 3 cannot be right" in said.content.decode()
    assert "bxyz" not in said.content.decode() and not shows(said.content.decode(), words)
    short = client.post("/tip/dialogue/", {"receipt": "-".join(words[:5])})
    assert short.status_code == 422 and "eight words of four letters" in short.content.decode()
    other = show_receipt(new_receipt())
    unknown = client.post("/tip/dialogue/", {"receipt": other})
    assert unknown.status_code == 422 and "We know no dialogue" in unknown.content.decode()
    assert not shows(unknown.content.decode(), other.split("-"))


def test_many_wrong_receipts_slow_down_and_a_right_one_opens(
    client: Client, told: tuple[Tip, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "MOST_WRONG", 0)
    wrong = show_receipt(new_receipt())
    client.post("/tip/dialogue/", {"receipt": wrong})
    said = client.post("/tip/dialogue/", {"receipt": wrong})
    assert said.status_code == 429 and "Please wait a minute" in said.content.decode()
    assert TEXT in opened(client, told[1])


def test_the_end_is_announced_and_over_is_said(
    client: Client, seat: Seated, told: tuple[Tip, str], moment: list[datetime]
) -> None:
    tip, receipt = told
    page = opened(client, receipt)
    assert "This dialogue ends on" in page and "notice-warning" not in page
    moment[0] = NOW + timedelta(days=170)
    assert "notice-warning" in opened(client, receipt)
    talk.close_tip(tip_id=tip.pk, member_id=seat.member.pk, user=seat.user, outcome="used", now=moment[0])
    over = opened(client, receipt)
    assert "What you told was useful" in over and "It will be deleted on" in over and "<textarea" not in over
    late = client.post("/tip/dialogue/", {"receipt": receipt, "ticket": ticket(moment[0]), "text": "More."})
    assert late.status_code == 410 and "Nothing can be added" in late.content.decode()
    assert TipText.objects.filter(tip=tip).count() == 1


def test_a_dialogue_that_has_ended_by_time_says_so_and_then_is_gone(
    client: Client, told: tuple[Tip, str], moment: list[datetime]
) -> None:
    moment[0] = NOW + timedelta(days=181)
    ending.expire_tips(now=moment[0])
    assert "nobody wrote for a long time" in opened(client, told[1])
    moment[0] += timedelta(days=91)
    ending.delete_tips(now=moment[0])
    assert client.post("/tip/dialogue/", {"receipt": told[1]}).status_code == 422


def test_leaving_forgets(client: Client, told: tuple[Tip, str]) -> None:
    left = client.post("/tip/dialogue/", {"go": "leave"})
    assert (left.status_code, left.headers["Location"]) == (302, "/")
    assert left.headers["Clear-Site-Data"] == '"cache"'


def test_its_source_can_delete_it(client: Client, told: tuple[Tip, str]) -> None:
    page = opened(client, told[1])
    asked = client.post("/tip/dialogue/", {"passed": hidden(page, "passed"), "go": "delete"})
    assert "The desk can no longer read it" in asked.content.decode() and Tip.objects.count() == 1
    passed = hidden(asked.content.decode(), "passed")
    unsure = client.post("/tip/dialogue/", {"passed": passed, "go": "delete now"})
    assert unsure.status_code == 422 and Tip.objects.count() == 1
    gone = client.post("/tip/dialogue/", {"passed": passed, "go": "delete now", "sure": "on"})
    assert "Your receipt opens nothing any more" in gone.content.decode()
    assert gone.headers["Clear-Site-Data"] == '"cache"'
    assert Tip.objects.count() == TipText.objects.count() == 0
    assert client.post("/tip/dialogue/", {"receipt": told[1]}).status_code == 422


def test_another_dialogue_shows_nothing(client: Client, seat: Seated, told: tuple[Tip, str]) -> None:
    _tip, other = tip_at(seat.member.desk, "Something else.")
    page = opened(client, show_receipt(other))
    assert TEXT not in page
    talked = client.post("/tip/dialogue/", {"receipt": told[1], "text": "", "ticket": ticket(NOW), "passed": ""})
    assert talked.status_code == 410 and TEXT not in talked.content.decode()
    mine = answer_file(client, opened(client, told[1]))
    stolen = client.post("/tip/dialogue/file", {"passed": hidden(page, "passed"), "file": mine.pk})
    assert stolen.status_code == 404


def answer_file(client: Client, page: str) -> TipFile:
    fields = {"passed": hidden(page, "passed"), "ticket": ticket(NOW), "text": "x", "files": picture()}
    client.post("/tip/dialogue/", fields)
    return TipFile.objects.get()


def test_the_receipt_is_read_from_what_was_passed_on(client: Client, told: tuple[Tip, str]) -> None:
    page = opened(client, told[1])
    assert not shows(page, told[1].split("-"))
    again = client.post("/tip/dialogue/", {"passed": hidden(page, "passed")})
    assert TEXT in again.content.decode()
