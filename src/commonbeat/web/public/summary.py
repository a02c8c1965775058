"""A report in the words of its sender, to be looked at before it is sent."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commonbeat.media.models import Photo
from commonbeat.reports.actions.submit import PHOTO_LIMIT
from commonbeat.reports.models import PlaceSource
from commonbeat.topics.answers import check_answers, check_categories, describe_answers, describe_categories
from commonbeat.topics.models import Topic
from commonbeat.web.public import steps
from commonbeat.web.public.draft import Draft


def summary_rows(topic: Topic, draft: Draft) -> list[dict[str, str]]:
    """Put everything that will be sent into words, each with the step that changes it."""
    from commonbeat.web.jinja import join_list

    definition = topic.definition
    language = translation.get_language() or settings.LANGUAGE_CODE
    today = timezone.localdate()
    rows = []
    for step in steps.steps_of(definition):
        if step == steps.CATEGORY:
            codes = check_categories(definition, draft.categories)
            rows.append(
                _row(_("What kind"), join_list(describe_categories(definition, codes, language)) or _("Not said"), step)
            )
        elif step == steps.WHAT:
            what = steps.question_of(definition, "what", language, _("What happened"))
            rows.append(_row(what, draft.text or _("Not said"), step))
            when = steps.question_of(definition, "when", language, _("When"))
            rows.append(_row(when, when_text(draft), step))
        elif step == steps.QUESTIONS:
            answers, _errors = check_answers(definition, draft.answers, today=today)
            described = describe_answers(definition, {k: v for k, v in answers.items() if k != "when"}, language)
            rows += [_row(label, value, step) for label, value in described]
            if not described:
                rows.append(_row(_("More questions"), _("Not answered"), step))
        elif step == steps.WHERE:
            where = steps.question_of(definition, "where", language, _("Where"))
            rows.append(_row(where, where_text(draft), step))
        elif step == steps.PHOTOS:
            count = len(photos_of(draft))
            text = ngettext("%(count)d photo", "%(count)d photos", count) % {"count": count} if count else _("None")
            rows.append(_row(_("Photos"), text, step))
        elif step == steps.CONTACT:
            rows.append(_row(_("How to reach you"), draft.phone or _("You left no number: you stay anonymous"), step))
    return rows


def when_text(draft: Draft) -> str:
    """Put the time of a draft into words."""
    from commonbeat.web.jinja import local_date

    day = draft.happened_on(timezone.localdate())
    if day is None:
        return _("Not said")
    part = {
        "morning": _("in the morning"),
        "afternoon": _("in the afternoon"),
        "evening": _("in the evening"),
        "night": _("at night"),
    }.get(draft.part, "")
    return f"{local_date(day)}, {part}" if part else local_date(day)


def where_text(draft: Draft) -> str:
    """Put the place of a draft into words."""
    where = draft.whereabouts()
    if where.latitude is None or where.longitude is None:
        return where.name or _("You chose not to say")
    sources = {
        PlaceSource.MAP: _("The point that you chose on the map"),
        PlaceSource.DEVICE: _("Where your device was"),
    }
    said = sources.get(PlaceSource(where.source), "")
    return "\n".join(part for part in (where.name, said) if part) or _("The coordinates that you typed")


def _row(term: str, value: str, step: str) -> dict[str, str]:
    return {"term": term, "value": value, "step": step}


def photos_of(draft: Draft) -> list[Photo]:
    """Read the pictures of a draft that no report has taken up yet, in the order in which they came."""
    return list(Photo.objects.filter(draft_key__in=draft.photos).order_by("id")[:PHOTO_LIMIT]) if draft.photos else []
