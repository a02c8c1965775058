"""The volunteers' page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.people.models import Role, Unit, User
from commonbeat.reports.actions.dialogue import answer_desk
from commonbeat.reports.actions.translations import ask_volunteers
from commonbeat.reports.actions.volunteering import LEASE
from commonbeat.reports.models import Report, ReportPhoto, Translation
from tests import make

pytestmark = pytest.mark.django_db
HOME = "/translate/"
NEXT = "/translate/next/"
TEXT = "Arben Hoxha ka hedhur mbeturina. Telefoni 044 123 456. Rruga e Re 12."


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give a report with all that a volunteer must never see."""
    made = make.make_report(
        unit=unit, text=TEXT, title="Mbeturina", language="sq", place_name="Behind the old mill",
        contact=make.make_contact("+38344987654"), channel="demo_sms", now=clock.now() - timedelta(days=40),
    )  # fmt: skip
    ReportPhoto.objects.create(report=made, photo=make.make_photo())
    return made


def ask(report: Report, actor: User, **changes: Any) -> Translation:
    """Ask volunteers for English."""
    values: dict[str, Any] = {
        "report_id": report.pk, "message_id": None, "from_language": "sq", "language": "en", "actor": actor,
        "now": clock.now(), **changes,
    }  # fmt: skip
    return ask_volunteers(**values)


def act(translation: Translation, verb: str) -> str:
    """Give the address of an act."""
    return reverse("translating:act", kwargs={"translation_id": translation.pk, "verb": verb})


def test_the_masked_text_and_nothing_else(report: Report, officer: User, translator_client: Client) -> None:
    asked = ask(report, officer)
    page = translator_client.get(HOME).content.decode()
    assert "Mbeturina" not in page and "Give me a text" in page and ">1</strong>" in page
    answer = translator_client.post(NEXT, follow=True)
    text = answer.content.decode()
    for part in ("Mbeturina", "ka hedhur", "[name]", "[number]", "[place]", 'lang="sq" dir="ltr"'):
        assert part in text
    assert report.contact is not None
    for hidden in (
        "Arben", "Hoxha", "044", "Rruga e Re", "old mill", report.reference, report.contact.handle, "987654",
        f"{report.created_at.year}-{report.created_at.month:02}-{report.created_at.day:02}", "<img", "/desk/",
        f"/{report.pk}/" if report.pk != asked.pk else "/desk/", "SMS", f"{report.latitude}",
    ):  # fmt: skip
        assert hidden not in text, hidden


def test_a_text_from_right_to_left(unit: Unit, officer: User, translator_client: Client) -> None:
    report = make.make_report(unit=unit, text="رقمي 044123456 والمصباح مكسور", language="ar")
    ask(report, officer, from_language="ar")
    page = translator_client.post(NEXT, follow=True).content.decode()
    assert '<p lang="ar" dir="rtl">' in page
    assert '<mark><bdi dir="ltr" translate="no">[number]</bdi></mark>' in page


def test_handing_in(report: Report, officer: User, translator: User, translator_client: Client) -> None:
    asked = ask(report, officer)
    translator_client.post(NEXT)
    refused = translator_client.post(act(asked, "hand-in"), {"text": "Rubbish [name]"})
    text = refused.content.decode()
    assert refused.status_code == 400
    assert "These marks are missing: [number] [place]." in text and "Rubbish [name]</textarea>" in text
    assert translator_client.post(act(asked, "hand-in"), {"text": " "}).status_code == 400
    answer = translator_client.post(
        act(asked, "hand-in"), {"text": "Rubbish [name]", "without_marks": "1"}, follow=True
    )
    text = answer.content.decode()
    assert "The desk has your translation" in text and "Rubbish" not in text
    asked.refresh_from_db()
    assert (asked.state, asked.made_by_id) == ("offered", translator.pk)


def test_passing_on(report: Report, officer: User, translator_client: Client) -> None:
    for verb in ("skip", "knows", "unfit"):
        asked = ask(report, officer)
        translator_client.post(NEXT)
        assert translator_client.get(act(asked, verb)).status_code == 405
        page = translator_client.post(act(asked, verb), follow=True).content.decode()
        assert "ka hedhur" not in page
        Translation.objects.all().delete()
    assert translator_client.post(act(Translation(pk=77), "eat")).status_code == 404
    assert translator_client.post(act(Translation(pk=77), "skip")).status_code == 404


def test_another_volunteers_text_is_not_there(report: Report, officer: User, translator_client: Client) -> None:
    asked = ask(report, officer)
    translator_client.post(NEXT)
    other = make.signed_in(make.make_user("other", role=Role.TRANSLATOR, languages_read=["en", "sq"]))
    assert "ka hedhur" not in other.post(NEXT, follow=True).content.decode()
    for verb in ("hand-in", "skip", "knows", "unfit"):
        assert other.post(act(asked, verb), {"text": "x"}).status_code == 404
    # A wrong form shows nothing either.
    assert "ka hedhur" not in other.post(act(asked, "hand-in"), {"text": ""}).content.decode()


@pytest.mark.parametrize("verb", ["hand-in", "skip", "knows", "unfit"])
@pytest.mark.parametrize("number", ["999999", "9" * 21])
def test_a_text_that_does_not_exist_is_not_there(number: str, verb: str, translator_client: Client) -> None:
    assert translator_client.post(f"/translate/{number}/{verb}/", {"text": "my text"}).status_code == 404


def test_who_comes_back_late_is_told_and_loses_nothing(
    report: Report, officer: User, translator_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(report, officer)
    translator_client.post(NEXT)
    later = clock.now() + LEASE + timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    other = make.signed_in(make.make_user("other", role=Role.TRANSLATOR, languages_read=["en", "sq"]))
    other.post(NEXT)
    whole = {"text": "Rubbish [name] [number] [place]"}
    other.post(act(asked, "hand-in"), whole)
    page = translator_client.post(act(asked, "hand-in"), {"text": "Waste [name] [number] [place]"}, follow=True)
    assert "Somebody else had finished this text before you." in page.content.decode()
    assert {t.text[:5] for t in Translation.objects.filter(state="offered")} == {"Rubbi", "Waste"}


def test_a_text_whose_topic_turned_sensitive_is_shown_no_more(
    report: Report, officer: User, translator_client: Client
) -> None:
    asked = ask(report, officer)
    assert "ka hedhur" in translator_client.post(NEXT, follow=True).content.decode()
    make.make_topic(report.topic.code, publishes="counts")
    assert "ka hedhur" not in translator_client.get(HOME).content.decode()
    refused = translator_client.post(act(asked, "hand-in"), {"text": "Waste"}).content.decode()
    assert "ka hedhur" not in refused and "Waste</textarea>" in refused


def test_who_knows_somebody_sees_the_text_no_more(report: Report, officer: User, translator_client: Client) -> None:
    asked = ask(report, officer)
    translator_client.post(NEXT)
    translator_client.post(act(asked, "knows"))
    answer = translator_client.post(act(asked, "hand-in"), {"text": "x [name] [number] [place]"}, follow=True)
    assert "passed this text on" in answer.content.decode() and "ka hedhur" not in answer.content.decode()
    asked.refresh_from_db()
    assert asked.state == "asked"


def test_the_number_of_queries_does_not_grow(unit: Unit, officer: User, translator_client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert translator_client.get(HOME).status_code == 200
        return len(seen)

    ask(make.make_report(unit=unit, text="Një", language="sq"), officer)
    translator_client.get(HOME)
    before = queries()
    for n in range(8):
        report = make.make_report(unit=unit, text=f"Dy {n}", language="sq")
        answer, _new = answer_desk(report_id=report.pk, text="Po", client_key=f"k{n}", now=clock.now())
        ask(report, officer)
        ask(report, officer, message_id=answer.pk)
    assert queries() == before


def test_without_a_second_factor_nothing_is_shown(report: Report, officer: User) -> None:
    ask(report, officer)
    bare = make.signed_in(
        make.make_user("bare", role=Role.TRANSLATOR, second_factor=False, languages_read=["en", "sq"])
    )
    for answer in (bare.get(HOME), bare.post(NEXT)):
        assert answer.status_code == 302 and answer["Location"] == reverse("mfa_index")
    assert not Entry.objects.filter(kind="reports.translation_taken").exists()


def test_who_only_reads_is_told(
    report: Report, officer: User, translator_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commonbeat.reports.actions.volunteering.MOST_PASSED", 0)
    ask(report, officer)
    page = translator_client.post(NEXT, follow=True).content.decode()
    assert "Come back tomorrow" in page and "ka hedhur" not in page


def test_without_languages_the_page_says_so(report: Report, officer: User) -> None:
    ask(report, officer)
    none = make.signed_in(make.make_user("none", role=Role.TRANSLATOR))
    assert "No language has been set" in none.get(HOME).content.decode()
    assert "Nothing waits" in none.post(NEXT, follow=True).content.decode()
