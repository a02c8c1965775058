"""A report is found by the words of its accepted translations, for as long as these stand."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from commonbeat.foundation import clock
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.dialogue import answer_desk, erase_words
from commonbeat.reports.actions.proxies import record_consent_at_desk
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.retention import forget_reports
from commonbeat.reports.actions.translated_words import WORDS_LIMIT, gather_words
from commonbeat.reports.actions.translations import (
    TEXT_LIMIT,
    accept_translation,
    ask_volunteers,
    attach_translation,
    reject_translation,
    withdraw_translation,
)
from commonbeat.reports.actions.volunteering import hand_in, take_next
from commonbeat.reports.models import OnBehalf, Report, Translation
from commonbeat.reports.queries.search import search_reports
from tests import make

pytestmark = pytest.mark.django_db
NOW = make.NOW


@pytest.fixture
def report(unit: Unit) -> Report:
    """Give an Albanian report on the desk of the first unit."""
    return make.make_report(unit=unit, text="Besniku bën zhurmë", place_name="Rruga e Lisit", language="sq")


def translate(report: Report, actor: User, text: str, message_id: int | None = None) -> Translation:
    """Type an English translation at the desk."""
    return attach_translation(
        report_id=report.pk, message_id=message_id, language="en", text=text, actor=actor, now=NOW
    )


def found(text: str, **more: object) -> list[int]:
    """Give the numbers of what is found."""
    return [report.pk for report in search_reports(Report.objects.all(), text, **more)]  # type: ignore[arg-type]


def offered(report: Report, officer: User, translator: User, text: str) -> Translation:
    """Let a volunteer hand in a translation."""
    asked = ask_volunteers(
        report_id=report.pk, message_id=None, from_language="sq", language="en", hide=["Besnik"], actor=officer, now=NOW
    )
    take_next(actor=translator, now=NOW)
    return hand_in(translation_id=asked.pk, text=text, actor=translator, now=NOW)[0]


def test_words_of_a_translation_find_its_report_with_those_of_the_original(report: Report, officer: User) -> None:
    made = translate(report, officer, "Terrible noise, every night")
    for text in ("noise", "NOISE terr", "noise zhurm", "night lisit"):
        assert found(text, within={"unit": report.unit_id, "state": "new"}) == [report.pk]
    assert found("noise lamp") == []
    second = translate(report, officer, "A racket after dark")
    assert found("racket") == found("noise") == [report.pk]
    withdraw_translation(translation_id=made.pk, actor=officer, now=NOW)
    assert (found("noise"), found("racket")) == ([], [report.pk])
    withdraw_translation(translation_id=second.pk, actor=officer, now=NOW)
    assert found("racket") == [] and found("zhurmë") == [report.pk]


@pytest.mark.parametrize("query", ["ndricimi", "NDRIÇIMI", "ضجيج"])
def test_accents_and_scripts_are_as_with_the_original(query: str, report: Report, officer: User) -> None:
    translate(report, officer, "Ndriçimi ضجيج")
    assert found(query) == [report.pk]


def test_a_volunteers_text_is_found_once_the_desk_takes_it_and_its_marks_never(
    report: Report, officer: User, translator: User
) -> None:
    handed = offered(report, officer, translator, "[hidden] makes a racket")
    assert found("racket") == []
    accept_translation(translation_id=handed.pk, actor=officer, now=NOW)
    assert found("racket") == [report.pk] and found("hidden") == []
    withdraw_translation(translation_id=handed.pk, actor=officer, now=NOW)
    again = offered(report, officer, translator, "[hidden] makes a din")
    reject_translation(translation_id=again.pk, actor=officer, now=NOW)
    assert found("racket") == found("din") == []


def test_words_of_an_answer_go_with_whoever_wrote_it(report: Report, officer: User) -> None:
    other = make.make_contact()
    answer, _new = answer_desk(report_id=report.pk, text="Po", client_key="a", sender_id=other.pk, now=NOW)
    translate(report, officer, "From the balcony", answer.pk)
    translate(report, officer, "Terrible noise")
    assert found("balcony") == [report.pk]
    erase_words(contact_id=other.pk)
    assert found("balcony") == [] and found("noise") == [report.pk]


def test_a_no_takes_the_words_along(report: Report, officer: User) -> None:
    translate(report, officer, "Terrible noise")
    OnBehalf.objects.create(report=report, said_by="desk", asked_at=NOW)
    record_consent_at_desk(report_id=report.pk, consent="refused", actor=officer, now=NOW)
    assert found("noise") == []


@pytest.mark.parametrize("is_public", [True, False])
def test_what_is_purged_or_erased_is_found_no_more(is_public: bool, report: Report, officer: User) -> None:
    translate(report, officer, "Terrible noise")
    if is_public:
        publish_report(report_id=report.pk, title="Loud", text="Loud at night", actor=officer, now=clock.now())
    forget_reports(report_ids=[report.pk], now=NOW)
    assert found("noise") == []
    assert list(Report.objects.values_list("translated_words", flat=True)) == ([""] if is_public else [])
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO reports_search(reports_search, rank) VALUES ('integrity-check', 1)")


def test_it_stays_behind_the_gate(
    report: Report, officer: User, far_officer: User, officer_client: Client, far_officer_client: Client
) -> None:
    translate(report, officer, "Terrible noise")
    assert [one.pk for one in search_reports(Report.objects.visible_to(officer), "noise")] == [report.pk]
    assert not search_reports(Report.objects.visible_to(far_officer), "noise").exists()
    address = f"/desk/reports/{report.pk}/"
    for client, shown in ((officer_client, True), (far_officer_client, False)):
        page = client.get("/desk/reports/", {"q": "noise", "tab": "all"}).content.decode()
        assert (address in page) is shown and ("Terrible noise" in page) is shown


def test_the_upgrade_gathers_what_was_accepted_before(report: Report, officer: User, translator: User) -> None:
    translate(report, officer, "Terrible noise")
    accept_translation(
        translation_id=offered(report, officer, translator, "[hidden] makes a Noise").pk, actor=officer, now=NOW
    )
    withdraw_translation(translation_id=translate(report, officer, "Silence").pk, actor=officer, now=NOW)
    before = Report.objects.get().translated_words
    Report.objects.update(translated_words="")
    assert found("noise") == []
    importlib.import_module("commonbeat.reports.migrations.0007_translations_search").gather_words(apps, None)
    assert Report.objects.get().translated_words == before == "makes a noise terrible"
    assert found("noise") == [report.pk]


def test_words_are_kept_once_and_are_not_without_end(report: Report, officer: User) -> None:
    translate(report, officer, "Noise noise NOISE at night")
    report.refresh_from_db()
    assert report.translated_words == "noise at night"
    for n in range(WORDS_LIMIT // TEXT_LIMIT + 2):
        translate(report, officer, " ".join(f"w{n}x{m}" for m in range(1_200)))
    report.refresh_from_db()
    assert len(report.translated_words) <= WORDS_LIMIT
    # The newest is among them, and to gather again changes nothing.
    assert found(f"w{n}x7") == [report.pk]
    gather_words(report_ids=[report.pk])
    assert Report.objects.get().translated_words == report.translated_words
