"""Translations on the desk's pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.dialogue import answer_desk
from commonbeat.reports.actions.translations import ask_volunteers, attach_translation
from commonbeat.reports.actions.volunteering import call_unfit, hand_in, take_next
from commonbeat.reports.models import Message, Report, Translation
from tests import make

pytestmark = pytest.mark.django_db
LIST = "/desk/translations/"


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give an Arabic report that names somebody."""
    return make.make_report(unit=unit, text="اسمه أحمد علي وكسر المصباح", language="ar")


@pytest.fixture
def answer(report: Report) -> Message:
    """Give an answer of its reporter."""
    return answer_desk(report_id=report.pk, text="نعم، كل ليلة", client_key="k", now=clock.now())[0]


def page_of(report: Report) -> str:
    """Give the address of a report's page."""
    return reverse("desk:report", kwargs={"report_id": report.pk})


def asking(report: Report, of: int = 0) -> str:
    """Give the address of the page that asks volunteers."""
    return reverse("desk:ask_volunteers", kwargs={"report_id": report.pk, "of": of})


def attaching(report: Report) -> str:
    """Give the address that takes a typed translation."""
    return reverse("desk:translate", kwargs={"report_id": report.pk})


def deciding(translation: Translation, verb: str) -> str:
    """Give the address of a decision."""
    return reverse("desk:decide_translation", kwargs={"translation_id": translation.pk, "verb": verb})


def asked(report: Report, actor: User, **changes: Any) -> Translation:
    """Ask volunteers for English."""
    values: dict[str, Any] = {
        "report_id": report.pk, "message_id": None, "from_language": "ar", "language": "en", "actor": actor,
        "now": clock.now(), **changes,
    }  # fmt: skip
    return ask_volunteers(**values)


def offered(report: Report, actor: User, volunteer: User, text: str = "[name] broke the lamp.") -> Translation:
    """Let a volunteer hand a translation in."""
    made = asked(report, actor)
    take_next(actor=volunteer, now=clock.now())
    return hand_in(translation_id=made.pk, text=text, actor=volunteer, now=clock.now())[0]


def test_the_original_stands_first_in_its_own_language(report: Report, answer: Message, officer_client: Client) -> None:
    sent = officer_client.post(
        attaching(report),
        {"of": 0, "into-0": "en", "translation-0": "He is called <b>. He broke the lamp."},
        follow=True,
    )
    assert sent.redirect_chain[0][0].endswith("#text-0")
    officer_client.post(
        attaching(report), {"of": answer.pk, f"into-{answer.pk}": "sq", f"translation-{answer.pk}": "Po"}
    )
    page = officer_client.get(page_of(report)).content.decode()
    original, translation = page.index('<p dir="auto" lang="ar">اسمه'), page.index("He is called &lt;b&gt;")
    assert original < translation
    assert '<p lang="en" dir="ltr">He is called' in page and '<p lang="sq" dir="ltr">Po</p>' in page
    assert page.index('<p dir="auto" lang="ar">نعم') < page.index('<p lang="sq" dir="ltr">Po</p>')
    assert "translated by a person, officer," in page.replace("\n", " ").replace("</span>", "")


def test_what_was_typed_survives_a_refusal(report: Report, officer_client: Client) -> None:
    refused = officer_client.post(attaching(report), {"of": 0, "into-0": "xx", "translation-0": "He broke the lamp."})
    page = refused.content.decode()
    assert refused.status_code == 400
    assert "Choose a language from the list." in page and "He broke the lamp.</textarea>" in page
    assert 'href="#id_translation-0"' in page
    assert officer_client.post(attaching(report), {"of": "9" * 30, "into-0": "en"}).status_code == 400
    assert (
        officer_client.post(
            attaching(report), {"of": 999_999, "into-999999": "en", "translation-999999": "x"}
        ).status_code
        == 403
    )
    assert officer_client.get(attaching(report)).status_code == 405
    assert not Translation.objects.exists()


def test_asking_shows_first_what_strangers_will_read(report: Report, officer_client: Client) -> None:
    page = officer_client.get(asking(report)).content.decode()
    masked = page.partition("This is what they will read")[2].partition("</section>")[0]
    assert "[name]" in masked and "أحمد" not in masked and 'lang="ar" dir="rtl"' in masked
    again = officer_client.post(asking(report), {"step": "check", "hide": "المصباح\nوكسر"}).content.decode()
    masked = again.partition("This is what they will read")[2].partition("</section>")[0]
    assert "[hidden 2]" in masked and "المصباح" not in masked
    assert "المصباح\nوكسر</textarea>" in again
    assert not Translation.objects.exists()
    done = officer_client.post(
        asking(report), {"step": "ask", "hide": "المصباح", "from": "ar", "into": "sq"}, follow=True
    ).content.decode()
    made = Translation.objects.get()
    assert (made.from_language, made.language) == ("ar", "sq") and "المصباح" not in made.source
    assert "nobody who translates here reads both" in done and "Waits for a volunteer. Into: Albanian" in done


@pytest.mark.parametrize(
    "fields", [{"into": "ar"}, {"into": "zz"}, {"from": "zz"}, {"hide": "\n".join(["ab"] * 40)}, {"hide": "احمد"}]
)
def test_asking_wrongly_is_told(report: Report, officer_client: Client, fields: dict[str, str]) -> None:
    refused = officer_client.post(asking(report), {"step": "ask", "from": "ar", "into": "en", **fields})
    assert refused.status_code == 400 and "error-summary" in refused.content.decode()
    assert not Translation.objects.exists()


def test_asking_for_a_message(report: Report, answer: Message, officer: User, officer_client: Client) -> None:
    note = Message.objects.create(report=report, kind="note", text="Ours", author=officer, created_at=clock.now())
    assert "كل ليلة" in officer_client.get(asking(report, answer.pk)).content.decode()
    officer_client.post(asking(report, answer.pk), {"step": "ask", "from": "ar", "into": "en"})
    assert Translation.objects.get().message == answer
    assert officer_client.get(asking(report, note.pk)).status_code == 404


def test_a_sensitive_report_offers_no_volunteers(unit: Unit, supervisor_client: Client) -> None:
    topic = make.make_topic("harassment", publishes="counts")
    report = make.make_report(unit=unit, topic=topic, text="اسمه أحمد علي", language="ar")
    page = supervisor_client.get(page_of(report)).content.decode()
    assert asking(report) not in page and "volunteers are not asked" in page and 'name="translation-0"' in page
    assert "Volunteers never see this report" in supervisor_client.get(asking(report)).content.decode()
    refused = supervisor_client.post(asking(report), {"step": "ask", "from": "ar", "into": "en"})
    assert refused.status_code == 400 and not Translation.objects.exists()


def test_a_volunteers_text_waits_for_the_desk(
    report: Report, officer: User, officer_client: Client, translator: User
) -> None:
    made = offered(report, officer, translator)
    page = officer_client.get(page_of(report)).content.decode()
    assert "To be looked at" in page and "<mark>أحمد علي</mark> broke the lamp." in page
    assert "translated by a person, volunteer," in page
    assert "broke the lamp" not in officer_client.get("/desk/reports/?tab=all").content.decode()
    officer_client.post(deciding(made, "accept"))
    page = officer_client.get(page_of(report)).content.decode()
    assert "To be looked at" not in page and "<mark>أحمد علي</mark> broke the lamp." in page
    # The list tells what it says too, with the marks as they are.
    row = officer_client.get("/desk/reports/?tab=all").content.decode()
    assert 'lang="en">[name] broke the lamp.' in row and "translated</span>" in row
    officer_client.post(deciding(made, "withdraw"))
    assert "broke the lamp" not in officer_client.get(page_of(report)).content.decode()


def test_turning_down_and_coming_too_late(
    report: Report, officer: User, officer_client: Client, translator: User
) -> None:
    made = offered(report, officer, translator)
    officer_client.post(deciding(made, "reject"))
    page = officer_client.post(deciding(made, "accept"), follow=True).content.decode()
    assert "has moved on in the meantime" in page
    made.refresh_from_db()
    assert made.state == "rejected" and "broke the lamp" not in page
    assert officer_client.post(deciding(made, "burn")).status_code == 404


def test_the_desk_learns_that_strangers_should_not_read_it(
    report: Report, officer: User, officer_client: Client, translator: User
) -> None:
    made = asked(report, officer)
    take_next(actor=translator, now=clock.now())
    call_unfit(translation_id=made.pk, actor=translator, now=clock.now())
    assert "strangers should not read this" in officer_client.get(page_of(report)).content.decode()
    officer_client.post(attaching(report), {"of": 0, "into-0": "en", "translation-0": "He broke the lamp."})
    assert "strangers should not read this" not in officer_client.get(page_of(report)).content.decode()


def test_the_list_of_the_unit(
    report: Report, officer: User, officer_client: Client, far_officer_client: Client, supervisor_client: Client,
    translator: User,
) -> None:  # fmt: skip
    made = offered(report, officer, translator)
    other = asked(make.make_report(unit=report.unit, text="نص", language="ar"), officer)
    page = officer_client.get(LIST).content.decode()
    assert page.index("اسمه أحمد علي وكسر المصباح") < page.index("broke the lamp.")
    assert "Arabic → English" in page and deciding(made, "accept") in page and deciding(other, "withdraw") in page
    assert "wait for a volunteer" not in page
    whole = supervisor_client.get(LIST).content.decode()
    assert (
        "<strong>1</strong> <span>wait for a volunteer" in whole and "<strong>1</strong> <span>handed in today" in whole
    )
    far = far_officer_client.get(LIST).content.decode()
    assert "lamp" not in far and "Nothing to look at" in far
    for verb in ("accept", "reject", "withdraw"):
        assert far_officer_client.post(deciding(made, verb)).status_code == 404
    for address in (asking(report), attaching(report)):
        assert far_officer_client.post(address, {"of": 0, "step": "ask"}).status_code == 404
    back = officer_client.post(deciding(other, "withdraw"), {"back": "list"})
    assert back["Location"] == LIST


@pytest.mark.parametrize("who", ["outsider", "moderator", "overseer", "administrator", "translator"])
def test_other_roles_see_nothing(who: str, report: Report, officer: User, request: pytest.FixtureRequest) -> None:
    made = asked(report, officer)
    browser: Client = request.getfixturevalue(f"{who}_client")
    for address in (LIST, asking(report)):
        page = browser.get(address)
        assert page.status_code == 403 and "أحمد" not in page.content.decode()
    for address in (asking(report), attaching(report), deciding(made, "withdraw")):
        assert browser.post(address, {"step": "ask", "of": 0, "translation-0": "x"}).status_code == 403


def test_the_number_of_queries_does_not_grow(
    unit: Unit, officer: User, officer_client: Client, translator: User
) -> None:
    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert officer_client.get(address).status_code == 200
        return len(seen)

    report = make.make_report(unit=unit, text="Një", language="sq")

    def more(count: int) -> None:
        for n in range(count):
            other = make.make_report(unit=unit, text=f"Dy {n}", language="sq")
            asked(other, officer, from_language="sq")
            attach_translation(
                report_id=other.pk, message_id=None, language="en", text="Two", actor=officer, now=clock.now()
            )
            answer, _new = answer_desk(report_id=report.pk, text="Po", client_key=f"{other.pk}", now=clock.now())
            asked(report, officer, from_language="sq", message_id=answer.pk)
            attach_translation(
                report_id=report.pk, message_id=answer.pk, language="ar", text="x", actor=officer, now=clock.now()
            )

    more(2)
    pages = (LIST, "/desk/reports/?tab=all", page_of(report))
    for page in pages:
        officer_client.get(page)
    before = [queries(page) for page in pages]
    more(6)
    assert [queries(page) for page in pages] == before
