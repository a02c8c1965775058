"""Cards to print: they teach trained reporters how a structured message is written."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from markupsafe import Markup

from commonbeat.foundation.phone import normalise_phone
from commonbeat.topics.definition import FieldKind, text_in
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import enabled_topics
from commonbeat.topics.structured import examples_of, labels_of, slots_of

# A card of A5 has room for so many answers beside each other.
MOST_CODES = 24
# Languages that are written from right to left are set so on their card, whatever the page around it is.
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the message: what it is called, a hint, and the codes of its answers."""

    label: str
    hint: str
    is_needed: bool
    codes: list[tuple[str, str]]


@require_safe
def cards(request: HttpRequest) -> HttpResponse:
    """List the cards, per topic and language."""
    language = translation.get_language() or "en"
    rows = [
        (topic, topic.name_in(language), text_in(topic.definition.structured.words, language)) for topic in _topics()
    ]
    return render(request, "public/cards.html", {"rows": rows, "languages": settings.LANGUAGES})


@require_safe
def card(request: HttpRequest, code: str, language: str = "") -> HttpResponse:
    """Show the card of a topic, in a language of the site or the reader's own."""
    topic = next((one for one in _topics() if one.code == code), None)
    language = language or translation.get_language() or "en"
    if topic is None or language not in dict(settings.LANGUAGES):
        raise Http404
    definition = topic.definition
    structured = definition.structured
    with translation.override(language):
        word = text_in(structured.words, language)
        context = {
            "topic": topic,
            "topic_name": topic.name_in(language),
            "card_language": language,
            "card_direction": "rtl" if language in RIGHT_TO_LEFT else "ltr",
            "languages": settings.LANGUAGES,
            "word": word,
            "parts": parts_of(topic, language),
            "examples": examples_of(definition, language),
            # An answer in words at the end takes all that follows.
            "has_note": slots_of(definition)[-1].kind is not FieldKind.TEXT,
            "hours": structured.correct_hours,
            "anyone": structured.anyone,
            "number": settings.COMMONBEAT.sms_number,
            "qr": qr_code(settings.COMMONBEAT.sms_number, word),
        }
        return render(request, "public/card.html", context)


def parts_of(topic: Topic, language: str) -> list[Part]:
    """Say what stands after the code word, one part after the other."""
    labels = labels_of(topic.definition, language)
    return [
        Part(
            label=labels[slot.code],
            hint=_("Whoever reports for one place may leave it out.")
            if slot.code == topic.definition.structured.site
            else text_in(slot.help, language) or _hint(slot.kind),
            is_needed=slot.required,
            codes=[
                ((option.short or [option.code])[0].upper(), text_in(option.label, language))
                for option in slot.options[:MOST_CODES]
            ],
        )
        for slot in slots_of(topic.definition)
    ]


def qr_code(number: str, word: str) -> Markup:
    """Draw the code that opens a text message to the site's number, the code word written already."""
    plain = normalise_phone(number, settings.COMMONBEAT.region) or number.replace(" ", "")
    if not plain:
        return Markup("")
    # Here, for few ask for a card.
    import segno

    code = segno.make(f"sms:{plain}?body={quote(word + ' ')}", error="m", micro=False)
    # Black on white in every look, or telephones cannot read it. The text is ours, not a person's.
    drawing = code.svg_inline(dark="#000", light="#fff", border=2, omitsize=True, svgclass="qr", lineclass=None)
    return Markup(drawing)  # noqa: S704  # drawn by segno from a telephone number and a code word


def _hint(kind: FieldKind) -> str:
    hints = {
        FieldKind.NUMBER: _("A number."),
        FieldKind.TIME: _("A time, such as 9:30."),
        FieldKind.DATE: _("A day, such as 27.3.2026."),
        FieldKind.RATING: _("A number from 0 to 3."),
    }
    return hints.get(kind, "")


def _topics() -> list[Topic]:
    return [topic for topic in enabled_topics() if topic.definition.structured.words]
