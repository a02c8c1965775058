"""Telling a desk in confidence without JavaScript: the form, the receipt, and everything that is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commonbeat.foundation import clock
from commonbeat.tips import rules
from commonbeat.tips.actions import desks as desk_actions
from commonbeat.tips.actions.dialogue import read_as_source
from commonbeat.tips.models import SealedWhere, Tip, TipDesk, TipFile
from commonbeat.tips.receipts import read_receipt
from commonbeat.web.public import tip_form
from tests import make
from tests.alerts.rows import alert_row
from tests.make import NOW
from tests.tips.desks import desk_with, manager_of
from tests.web.public.tip_pages import SAID, hidden, picture, post, receipt_of, shows, ticket, words_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """Hold the clock."""
    held = [NOW]
    monkeypatch.setattr(clock, "now", lambda: held[0])
    return held


@pytest.fixture
def desk() -> TipDesk:
    """Give an open desk."""
    return desk_with()[0]


def sealed_files() -> list[Path]:
    return sorted((settings.COMMONBEAT.data_dir / "tips").rglob("*.sealed"))


def test_a_tip_with_a_file_and_its_receipt(client: Client, desk: TipDesk) -> None:
    page = client.get("/tip/").content.decode()
    assert "The members of this desk can open it" in page and "multipart/form-data" in page
    shown = post(client, desk, NOW, files=[picture(), picture(b"second", "b.txt")])
    words = words_in(shown.content.decode())
    assert shown.status_code == 200 and len(words) == 8
    assert "Our server sealed what you sent" in shown.content.decode()
    opened = read_as_source(receipt=read_receipt("-".join(words)))
    assert [line.text for line in opened.texts] == [SAID]
    assert [file.name for file in opened.files] == ["lorry.png", "b.txt"]
    assert opened.tip.sealed_where == SealedWhere.SERVER and opened.tip.files == 2
    assert not any(b"behind the mill" in path.read_bytes() for path in sealed_files())
    assert client.cookies.output() == ""


def test_the_files_are_sealed_as_they_come_and_lie_nowhere_else(
    client: Client, desk: TipDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_file(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr("commonbeat.config.uploads.TemporaryFile", no_file)
    monkeypatch.setattr("tempfile.TemporaryFile", no_file)
    data = bytes(range(256)) * 12_000
    receipt = receipt_of(client, desk, NOW, files=picture(data))
    file = TipFile.objects.get()
    assert file.received == len(data)
    page = client.post("/tip/dialogue/", {"receipt": receipt}).content.decode()
    got = client.post("/tip/dialogue/file", {"passed": hidden(page, "passed"), "file": file.pk})
    assert b"".join(got.streaming_content) == data
    assert got.headers["Content-Disposition"] == 'attachment; filename="lorry.png"'


def test_one_word_typed_back_confirms_the_receipt(client: Client, desk: TipDesk) -> None:
    shown = post(client, desk, NOW).content.decode()
    words, passed = words_in(shown), hidden(shown, "passed")
    asked = client.post("/tip/receipt/", {"passed": passed})
    assert words_in(asked.content.decode()) == [] and not shows(asked.content.decode(), words)
    wrong = client.post("/tip/receipt/", {"passed": passed, "word": "zzzz"})
    assert wrong.status_code == 422 and "zzzz" not in wrong.content.decode()
    again = client.post("/tip/receipt/", {"passed": passed, "go": "words"})
    assert words_in(again.content.decode()) == words
    right = client.post("/tip/receipt/", {"passed": passed, "word": words[4].upper()})
    assert "You have saved your receipt" in right.content.decode()
    assert "passed" not in right.content.decode()


def test_another_language_does_not_lose_the_words(client: Client, desk: TipDesk) -> None:
    shown = post(client, desk, NOW).content.decode()
    page = client.post("/tip/receipt/", {"passed": hidden(shown, "passed"), "language": "ar"})
    assert words_in(page.content.decode()) == words_in(shown) and 'dir="rtl"' in page.content.decode()
    assert list(client.cookies) == ["language"]
    asked = client.post("/tip/dialogue/", {"passed": hidden(shown, "passed"), "language": "sq"})
    assert SAID in asked.content.decode() and 'lang="sq"' in asked.content.decode()


def test_what_carries_the_receipt_ends_after_an_hour(client: Client, desk: TipDesk, moment: list[datetime]) -> None:
    passed = hidden(post(client, desk, NOW).content.decode(), "passed")
    moment[0] += timedelta(minutes=61)
    for path in ("/tip/receipt/", "/tip/receipt/card", "/tip/dialogue/"):
        assert client.post(path, {"passed": passed}).status_code == 410
    assert client.post("/tip/receipt/", {"passed": "x" * 400}).status_code == 410


def test_the_card_is_a_file_of_the_words(client: Client, desk: TipDesk) -> None:
    shown = post(client, desk, NOW).content.decode()
    card = client.post("/tip/receipt/card", {"passed": hidden(shown, "passed")})
    assert card.headers["Content-Type"].startswith("image/svg+xml")
    assert card.headers["Content-Disposition"] == 'attachment; filename="card.svg"'
    assert all(word in card.content.decode() for word in words_in(shown))


def test_a_form_is_sent_once(client: Client, desk: TipDesk) -> None:
    once = ticket(NOW)
    first = post(client, desk, NOW, ticket=once, files=picture())
    assert len(words_in(first.content.decode())) == 8
    again = post(client, desk, NOW, ticket=once, files=picture())
    assert again.status_code == 409 and words_in(again.content.decode()) == []
    assert Tip.objects.count() == 1 and len(TipFile.objects.all()) == 1


def test_a_form_that_could_not_be_stored_may_be_sent_again(
    client: Client, desk: TipDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    once, before = ticket(NOW), sealed_files()

    def broken(**given: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(tip_form, "submit_text", broken)
        with pytest.raises(OSError):
            post(client, desk, NOW, ticket=once, files=picture())
    assert sealed_files() == before
    assert len(words_in(post(client, desk, NOW, ticket=once).content.decode())) == 8


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        ({"website": "http://example.com"}, 422, "One field must stay empty"),
        ({"text": "  "}, 422, "Write what you want to tell"),
        ({"text": "x" * 524_288}, 422, "This text is too long"),
        ({"ticket": "nonsense"}, 422, "open for too long"),
    ],
)
def test_what_is_refused_stores_nothing(
    client: Client, desk: TipDesk, more: dict[str, str], status: int, said: str
) -> None:
    before = sealed_files()
    answer = post(client, desk, NOW, **{"files": picture(), **more})
    assert answer.status_code == status and said in answer.content.decode()
    assert "Please choose your files again" in answer.content.decode()
    assert Tip.objects.count() == 0 and sealed_files() == before


def test_who_is_too_fast_waits_and_longer_when_the_day_is_half_full(client: Client) -> None:
    desk = desk_with(intake_cap=2)[0]
    answer = post(client, desk, NOW, ticket=ticket(NOW, age=1))
    assert answer.status_code == 422 and "Please wait 3 seconds" in answer.content.decode()
    assert SAID in answer.content.decode()
    # The same form is good a little later.
    assert post(client, desk, NOW, ticket=ticket(NOW, age=tip_form.LEAST_SECONDS)).status_code == 200
    assert post(client, desk, NOW, ticket=ticket(NOW, age=tip_form.LEAST_SECONDS)).status_code == 422
    assert post(client, desk, NOW, ticket=ticket(NOW, age=tip_form.LEAST_SECONDS_BUSY), text="other").status_code == 200


def test_a_full_desk_says_so_and_keeps_what_was_written_on_the_page(client: Client) -> None:
    desk = desk_with(intake_cap=1)[0]
    receipt_of(client, desk, NOW)
    before = sealed_files()
    assert "as many tips today as it can read" in client.get("/tip/").content.decode()
    answer = post(client, desk, NOW, text="Another one.", files=picture())
    assert answer.status_code == 503
    assert "Nothing was stored" in answer.content.decode() and "Another one." in answer.content.decode()
    assert Tip.objects.count() == 1 and sealed_files() == before


def test_too_large_a_file_or_too_many_leave_nothing(
    client: Client, desk: TipDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sealed_files()
    monkeypatch.setattr(rules, "MOST_FILE_BYTES", 100_000)
    answer = post(client, desk, NOW, files=[picture(b"small"), picture()])
    assert answer.status_code == 413 and "A file is too large" in answer.content.decode()
    many = [picture(b"small", f"{number}.txt") for number in range(rules.MOST_FILES + 1)]
    assert post(client, desk, NOW, files=many).status_code == 422
    assert Tip.objects.count() == 0 and sealed_files() == before


def test_a_body_that_is_too_large_is_not_read(client: Client, desk: TipDesk) -> None:
    answer = client.post(
        f"/tip/{desk.pk}/", data=b"x", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH="48000001"
    )
    assert answer.status_code == 413


def test_it_says_when_the_oversight_body_can_open_it_too(client: Client, desk: TipDesk) -> None:
    assert "the oversight body can open it too" not in client.get("/tip/").content.decode()
    TipDesk.objects.update(escrow_public=b"x" * 32)
    assert "the oversight body can open it too" in client.get("/tip/").content.decode()


def test_a_desk_that_closes_in_between_says_so(client: Client, desk: TipDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk_found = tip_form.desk_or_404

    def closing(number: int) -> TipDesk:
        found = desk_found(number)
        TipDesk.objects.filter(pk=number).update(is_open=False)
        return found

    monkeypatch.setattr(tip_form, "desk_or_404", closing)
    answer = post(client, desk, NOW)
    assert answer.status_code == 503 and "takes no tips now" in answer.content.decode()
    assert SAID in answer.content.decode() and not Tip.objects.exists()


def test_a_page_reads_its_desk_once(client: Client, desk: TipDesk) -> None:
    with CaptureQueriesContext(connection) as asked:
        client.get(f"/tip/{desk.pk}/")
    assert sum('FROM "tips_tipdesk"' in each["sql"] for each in asked) == 1


def test_a_closed_desk_is_not_there(client: Client, desk: TipDesk) -> None:
    desk_actions.close_desk(desk_id=desk.pk, actor=manager_of("tips"), now=NOW)
    assert client.get(f"/tip/{desk.pk}/").status_code == 404
    assert post(client, desk, NOW).status_code == 404
    assert "No desk takes tips here now" in client.get("/tip/").content.decode()
    assert "/tip/" not in client.get("/").content.decode()


def test_a_desk_for_complaints_is_not_offered_here(client: Client) -> None:
    desk = desk_with(kind="complaints")[0]
    assert client.get(f"/tip/{desk.pk}/").status_code == 404
    assert "No desk takes tips here now" in client.get("/tip/").content.decode()


def test_of_several_desks_one_is_chosen(client: Client, desk: TipDesk) -> None:
    other = desk_with()[0]
    report = make.make_publication(title="The mill burned")
    page = client.get("/tip/", {"about": f"report:{report.code}"}).content.decode()
    for each in (desk, other):
        assert f"/tip/{each.pk}/?about=report:{report.code}" in page


def test_a_tip_is_about_something_public_or_nothing(client: Client, desk: TipDesk) -> None:
    report = make.make_publication(title="The mill burned")
    page = client.get("/tip/", {"about": f"report:{report.code}"}).content.decode()
    assert "The mill burned" in page and hidden(page, "about") == f"report:{report.code}"
    receipt_of(client, desk, NOW, about=f"report:{report.code}")
    alert = alert_row()
    receipt_of(client, desk, NOW, about=f"alert:{alert.pk}", text="one")
    receipt_of(client, desk, NOW, about="report:nothing", text="two")
    receipt_of(client, desk, NOW, about="alert:99999", text="three")
    kept = list(Tip.objects.order_by("pk").values_list("about_kind", "about_id"))
    assert kept == [("report", report.report_id), ("alert", alert.pk), ("", None), ("", None)]


def test_pages_lead_to_it(client: Client, desk: TipDesk) -> None:
    report = make.make_publication(title="The mill burned")
    alert = alert_row()
    assert 'href="/tip/"' in client.get("/").content.decode()
    assert f"/tip/?about=alert:{alert.pk}" in client.get(f"/alerts/{alert.pk}/").content.decode()
    assert f"/tip/?about=report:{report.code}" in client.get(f"/reports/{report.code}/").content.decode()
