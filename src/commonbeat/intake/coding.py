"""What the site knows of somebody's structured messages: code words, enrolment, places, what is corrected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

from django.utils import timezone

from commonbeat.foundation.text import clean_text
from commonbeat.intake.state import Coded, Spot, TopicChoice
from commonbeat.messaging.models import Contact
from commonbeat.places.gazetteer import place_called
from commonbeat.reports.expected_models import ExpectedReporter
from commonbeat.reports.models import Report
from commonbeat.reports.queries.expected import corrected_by, enrolled_sites
from commonbeat.topics.definition import Publishes
from commonbeat.topics.models import Topic
from commonbeat.topics.structured import Call, Parsed, call_of, examples_of, form_of, in_words, labels_of, parse

TEXT_LIMIT = 10_000


class Coding:
    """Read the structured messages of one contact."""

    def __init__(self, contact: Contact, topics: Sequence[Topic], *, is_proven: bool, now: datetime) -> None:
        self.contact = contact
        self.topics = topics
        self.is_proven = is_proven
        self.now = now

    def call(self, text: str) -> tuple[Topic, Call] | None:
        """Find the topic whose code word begins a text, where the contact may use it."""
        for topic in self.topics:
            call = call_of(topic.definition, text) if topic.definition.structured.words else None
            if call is None:
                continue
            # Asked only now, so that what most people write costs no query.
            return (topic, call) if topic.definition.structured.anyone or topic.pk in self._enrolled else None
        return None

    def read(self, text: str, language: str) -> Coded | None:
        """Read a structured message, and find the report that it corrects."""
        called = self.call(text)
        if called is None:
            return None
        topic, call = called
        definition = topic.definition
        choice = TopicChoice(topic.code, topic.name_in(language), definition.publishes == Publishes.COUNTS)
        examples = examples_of(definition, language)
        form = form_of(definition, language)
        example = examples[0] if examples else form
        if not call.rest.strip("?؟ "):
            return Coded(choice, "", {}, form=form, example=example)
        sites = self._enrolled.get(topic.pk, [])
        parsed = parse(
            definition,
            call.rest,
            today=timezone.localtime(self.now).date(),
            sites=[reporter.site for reporter in sites],
        )
        whole = parsed.exact and not parsed.errors and not parsed.missing
        stored = parsed.note if whole and parsed.note else clean_text(text, TEXT_LIMIT)
        earlier = self._earlier(topic, call, parsed)
        labels = labels_of(definition, language)
        return Coded(
            choice,
            in_words(definition, parsed, language),
            parsed.answers,
            categories=tuple(parsed.categories),
            text=stored,
            missing=tuple(labels[code] for code in parsed.missing),
            problems=tuple((labels[code], sentence) for code, sentence in parsed.errors.items()),
            form=form,
            example=example,
            spot=_spot_of(topic, parsed, sites, language),
            corrects=earlier.pk if earlier else 0,
            is_repeat=earlier is not None
            and (earlier.answers, earlier.categories, earlier.text) == (parsed.answers, parsed.categories, stored),
        )

    def _earlier(self, topic: Topic, call: Call, parsed: Parsed) -> Report | None:
        if not self.is_proven:
            return None
        return corrected_by(
            topic.definition,
            contact_id=self.contact.pk,
            topic_id=topic.pk,
            answers=parsed.answers,
            anyhow=call.corrects,
            now=self.now,
        )

    @cached_property
    def _enrolled(self) -> dict[int, list[ExpectedReporter]]:
        return enrolled_sites(contact_id=self.contact.pk) if self.is_proven else {}


def _spot_of(topic: Topic, parsed: Parsed, sites: Sequence[ExpectedReporter], language: str) -> Spot | None:
    """Place a report at the reporter's own clinic or station, else where the gazetteer knows that very name."""
    named = str(parsed.answers.get(topic.definition.structured.site, ""))
    if not named:
        return None
    for reporter in sites:
        if reporter.site == named and reporter.latitude is not None and reporter.longitude is not None:
            return Spot(0, named, reporter.latitude, reporter.longitude)
    found = place_called(named, language=language)
    return Spot(found.place_id, found.label, found.latitude, found.longitude) if found is not None else None
