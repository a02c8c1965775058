"""The steps of the report form: which ones a topic has, and what is wrong with what was typed in one."""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from commonbeat.foundation.phone import normalise_phone
from commonbeat.reports.actions.submit import TEXT_LIMIT
from commonbeat.topics.answers import ASKED_ELSEWHERE, asked_fields, check_answers
from commonbeat.topics.definition import Definition, Field, FieldKind, Publishes, text_in
from commonbeat.web.public.draft import ANSWER_PREFIX, Draft, raw_answers

CATEGORY, WHAT, QUESTIONS, WHERE = "category", "what", "questions", "where"
PHOTOS, CONTACT, CHECK = "photos", "contact", "check"
# What each page asks for itself, and therefore does not carry along hidden.
OWN_FIELDS = {
    CATEGORY: frozenset({"category"}),
    WHAT: frozenset({"text", "when", "day", "part"}),
    WHERE: frozenset({"place_text", "place_source", "latitude", "longitude"}),
    PHOTOS: frozenset({"photo"}),
    CONTACT: frozenset({"phone"}),
    CHECK: frozenset({"consent"}),
}
EARLIEST = date(1990, 1, 1)
# How many metres a public cell is across, by its H3 resolution: twice the average apothem, rounded.
SPOT_METRES = {4: 45_000, 5: 17_000, 6: 6_500, 7: 2_400, 8: 900, 9: 350, 10: 130, 11: 50, 12: 20, 13: 7}


def steps_of(definition: Definition) -> list[str]:
    """List the steps of a topic's form, in order."""
    steps = [WHAT, WHERE, CONTACT, CHECK]
    if definition.categories:
        steps.insert(0, CATEGORY)
    if questions_of(definition):
        steps.insert(steps.index(WHERE), QUESTIONS)
    if any(field.kind is FieldKind.PHOTO for field in definition.fields):
        steps.insert(steps.index(CONTACT), PHOTOS)
    return steps


def questions_of(definition: Definition) -> list[Field]:
    """List a topic's own questions; its "when" is the one that every report is asked."""
    return [field for field in asked_fields(definition) if field.code != "when"]


def asks_part_of_day(definition: Definition) -> bool:
    """Tell whether the form asks for the part of the day; not where the topic has a question of its own for it."""
    return all(field.code != "daytime" for field in definition.fields)


def text_is_required(definition: Definition) -> bool:
    """Tell whether a report needs words: not where the topic's own questions must be answered."""
    return not any(field.required and field.kind not in ASKED_ELSEWHERE for field in definition.fields)


def spot_metres(resolution: int) -> int:
    """Give how many metres the spot is across that the public sees instead of a place."""
    return SPOT_METRES.get(resolution, SPOT_METRES[8])


def public_place_sentence(definition: Definition) -> str:
    """Say what the public learns of the place of a report on a topic."""
    if definition.publishes is Publishes.COUNTS:
        return _("Nothing about a single report on this topic is ever public: only numbers of %(count)s and more.") % {
            "count": definition.smallest_count
        }
    return _("The desk sees the exact place; the public sees a spot about %(metres)s metres across instead.") % {
        "metres": spot_metres(definition.public_resolution)
    }


def question_of(definition: Definition, asked: str, language: str, otherwise: str) -> str:
    """Give the words in which a topic asks "what", "when" or "where"."""
    return text_in(definition.questions.get(asked, {}), language) or otherwise


def problems_in(step: str, draft: Draft, definition: Definition, *, now: datetime) -> dict[str, str]:
    """Say what is wrong in one step, field → sentence; nothing when it may go on."""
    if step == WHAT:
        return _what(draft, definition, today=timezone.localtime(now).date())
    if step == QUESTIONS:
        today = timezone.localtime(now).date()
        _answers, errors = check_answers(definition, raw_answers(draft, definition, today), today=today)
        asked = {field.code for field in questions_of(definition)}
        return {ANSWER_PREFIX + code: sentence for code, sentence in errors.items() if code in asked}
    if step == CONTACT and draft.phone and normalise_phone(draft.phone, settings.COMMONBEAT.region) is None:
        return {"phone": _("This is not a phone number that we can write to. Check it, or leave it empty.")}
    if step == CHECK and draft.consent == "refused":
        said = _("Without their agreement we take no report for them. If you know it yourself, report for yourself.")
        return {"consent": said}
    return {}


def consents() -> list[tuple[str, str, str]]:
    """Offer what the sender can say about a person for whom the report is made."""
    return [
        ("", _("No, I report for myself"), ""),
        ("word", _("Yes, and the person agreed by word of mouth"), ""),
        ("writing", _("Yes, and the person agreed in writing"), ""),
        ("guardian", _("Yes, and a parent or guardian agreed"), ""),
        ("danger", _("Yes; the person could not be asked, because of danger"), _("Say in the report why.")),
        ("refused", _("The person did not agree"), ""),
    ]


def _what(draft: Draft, definition: Definition, *, today: date) -> dict[str, str]:
    problems = {}
    if not draft.text and text_is_required(definition):
        problems["text"] = _("Write what happened. A few words are enough.")
    elif len(draft.text) > TEXT_LIMIT:
        problems["text"] = _("This text is too long. Shorten it to %(count)s characters.") % {"count": TEXT_LIMIT}
    if draft.when == "date":
        day = draft.happened_on(today)
        if day is None:
            problems["day"] = _("Enter the day as day, month and year.")
        elif day > today:
            problems["day"] = _("This day has not come yet. Enter today or an earlier day.")
        elif day < EARLIEST:
            problems["day"] = _("This day is too long ago.")
    return problems
