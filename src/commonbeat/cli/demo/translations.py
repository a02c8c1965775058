"""What the demo shows of translations: texts that wait for a volunteer, one handed in, one that stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from commonbeat.people.models import User
from commonbeat.reports.actions.translations import ask_volunteers, attach_translation
from commonbeat.reports.actions.volunteering import hand_in, take_next
from commonbeat.reports.masking import is_sensitive
from commonbeat.reports.models import Report

# How a text of the demo begins, and what it says in English.
HANDED_IN = ("Pompa e ujit", "The water pump was taken from the garden during the night. The cable was cut clean.")
TYPED = ("أكياس نفايات", "Bags of rubbish have been piling up behind the school for two weeks; the smell is bad.")
WAITING = (("sq", 1), ("ar", 2))


def ask_for_translations(asker: User, typists: Sequence[User], volunteer: User, now: datetime) -> int:
    """Ask volunteers about some of the newest reports; give how many texts wait."""
    found = Report.objects.filter(state__in=("new", "triaged"), language__in=("sq", "ar")).order_by("-pk")
    open_ones = [one for one in found.select_related("topic__current", "topic_version")[:60] if not is_sensitive(one)]
    when = now - timedelta(hours=5)
    handed = _first(open_ones, HANDED_IN[0])
    if handed is not None:
        asked = _ask(handed, asker, when)
        take_next(actor=volunteer, now=when)
        hand_in(translation_id=asked, text=HANDED_IN[1], actor=volunteer, now=when + timedelta(minutes=9))
    typed = _first(open_ones, TYPED[0])
    if typed is not None:
        typist = next(one for one in typists if one.unit_id == typed.unit_id)
        attach_translation(report_id=typed.pk, message_id=None, language="en", text=TYPED[1], actor=typist, now=when)
    waiting = 0
    for language, count in WAITING:
        taken = {handed.pk if handed else 0, typed.pk if typed else 0}
        for report in [one for one in open_ones if one.language == language and one.pk not in taken][:count]:
            waiting += 1
            _ask(report, asker, when + timedelta(minutes=50 * waiting))
    return waiting


def _first(reports: Sequence[Report], beginning: str) -> Report | None:
    return next((one for one in reports if one.text.startswith(beginning)), None)


def _ask(report: Report, asker: User, when: datetime) -> int:
    when = max(when, report.created_at + timedelta(minutes=3))
    return ask_volunteers(
        report_id=report.pk, message_id=None, from_language=report.language, language="en", actor=asker, now=when
    ).pk
