"""What the dialogue may know of the site, read from its tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import ClassVar

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from commonbeat.alerts.look_outs import Asking, answered, asking
from commonbeat.alerts.models import SubscriptionShape
from commonbeat.alerts.rules import MOST_PLACES
from commonbeat.alerts.subscription_queries import own_subscriptions
from commonbeat.foundation.ids import format_reference
from commonbeat.foundation.text import fold
from commonbeat.intake import language as languages
from commonbeat.intake.alert_intents import AlertPlace, AlertPlaces, LookOut
from commonbeat.intake.coding import Coding
from commonbeat.intake.contact_intents import Erasable, Home, LocalBeat
from commonbeat.intake.own import beat_at, beat_by_id, erasable_of, home_of
from commonbeat.intake.proxy_intents import ProxyStanding, Unanswered
from commonbeat.intake.state import Coded, Question, Spot, Standing, TopicChoice, Unconfirmed, seconds
from commonbeat.messaging.models import Contact
from commonbeat.places.gazetteer import Match, find_places, places_in_text
from commonbeat.places.models import Place
from commonbeat.places.points import point_of_short_code
from commonbeat.reports import rules
from commonbeat.reports.models import Message, MessageKind, Report
from commonbeat.reports.queries.proxies import can_be_on_behalf, open_consents, proxy_of, reason_in_words
from commonbeat.topics.definition import Publishes
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import (
    UNLISTED,
    enabled_topics,
    keyword_key,
    keyword_length,
    keyword_owners,
    match_keyword,
    topic_in_text,
)

# A question this old is no longer what somebody answers when they text.
QUESTION_DAYS = 14
# A number that was left on the web form can be confirmed this long.
CONFIRM_DAYS = 7
PLACE_TEXT = 200
MOST_SINCE_STOP = 5
# The topic of what nobody has sorted yet; a site without it uses its last one.
UNSORTED = "other"
_LONGEST_KEYWORD = 3
_READ_FOR_KEYWORDS = 2_000


class SiteWorld:
    """Answer the dialogue for one contact, with a few short queries each."""

    # False where somebody only claims to be this contact (the From line of an e-mail).
    is_proven: ClassVar[bool] = True

    def __init__(self, contact: Contact, *, now: datetime, answers: str = "") -> None:
        self.contact = contact
        self.now = now
        # The message of ours that this one answers, by the provider's id of it.
        self._answers = answers

    @property
    def languages(self) -> Sequence[str]:
        """Give the languages of the site, the main one first."""
        return tuple(settings.COMMONBEAT.languages)

    @property
    def language(self) -> str:
        """Give the language that is known of the contact."""
        return self.contact.language if self.contact.language in self.languages else ""

    @property
    def stopped(self) -> bool:
        """Tell whether the contact has said STOP."""
        return self.contact.stopped_at is not None

    @property
    def emergency_number(self) -> str:
        """Give the number for people in danger."""
        return str(settings.COMMONBEAT.emergency_number)

    def recognise(self, text: str) -> str | None:
        """Guess the language of a text."""
        return languages.recognise(text, tuple(self.languages))

    def recognise_surely(self, text: str) -> str | None:
        """Tell the language of a text, where there is no doubt."""
        return languages.recognise_surely(text, tuple(self.languages))

    def topics(self, language: str) -> Sequence[TopicChoice]:
        """List the topics that anyone may report by message."""
        return [_choice(topic, language) for topic in self._open_topics]

    def keyword_topic(self, text: str, language: str) -> TopicChoice | None:
        """Find the topic whose keyword, name or short name begins a text."""
        topic = match_keyword(text, language, topics=self._open_topics) or self._by_code(text)
        return _choice(topic, language) if topic is not None else None

    def keyword_length(self, text: str, topic: TopicChoice, language: str) -> int:
        """Count the words at the beginning of a text that are a keyword or the name of a topic."""
        return keyword_length(text, self.topic(topic.code), language)

    def code_language(self, text: str) -> str | None:
        """Tell the language of the code word that begins a text, where this person may use it."""
        called = self._coding.call(text)
        return called[1].language if called is not None else None

    def coded(self, text: str, language: str) -> Coded | None:
        """Read a structured message."""
        return self._coding.read(text, language)

    @cached_property
    def _coding(self) -> Coding:
        return Coding(self.contact, self._topics, is_proven=self.is_proven, now=self.now)

    def topic_in_text(self, text: str, language: str) -> TopicChoice | None:
        """Find the one topic that the words of a text speak of."""
        # "report" and "other" stand in any text.
        sorting = [topic for topic in self._open_topics if topic.code != UNSORTED]
        topic = topic_in_text(text, sorting)
        return _choice(topic, language) if topic is not None else None

    def is_keyword_alone(self, text: str, language: str) -> bool:
        """Tell whether a text is a keyword or name of a topic and nothing else."""
        key = keyword_key(text[:PLACE_TEXT])
        if not key:
            return False
        return " " not in key or any(
            key
            in (keyword_key(topic.code), keyword_key(topic.name_in(language)), *map(keyword_key, self._keywords(topic)))
            for topic in self._open_topics
        )

    def sensitive_topic(self, text: str) -> TopicChoice | None:
        """Find a sensitive topic of which a text holds a keyword anywhere.

        A wrong guess toward a sensitive topic withholds; the other way it would expose.
        """
        sensitive = [topic for topic in self._open_topics if _is_sensitive(topic)]
        owners = keyword_owners(sensitive)
        language = self.language or self.languages[0]
        for words in _runs(keyword_key(text[:_READ_FOR_KEYWORDS]).split()):
            if words in owners:
                return _choice(owners[words], language)
        # "fights", "attacked"; what is only near in letters ("light", "fight") is no such word.
        inflected = topic_in_text(text, sensitive, guess=False)
        return _choice(inflected, language) if inflected is not None else None

    def places_in_text(self, text: str, language: str) -> Sequence[Spot]:
        """Find the place that a text names, or those between which it does not decide."""
        coded = _coded_spot(text, language)
        return coded or [_spot(match) for match in places_in_text(text, language, common=self._common_words)]

    def find_places(self, text: str, language: str) -> Sequence[Spot]:
        """Find the places that a typed name may mean."""
        coded = _coded_spot(text, language)
        return coded or [_spot(match) for match in find_places(text[:PLACE_TEXT], language=language, limit=5)]

    def place(self, place_id: int, language: str) -> Spot | None:
        """Look a place up by its id."""
        place = Place.objects.filter(pk=place_id).first()
        if place is None:
            return None
        return Spot(place.pk, place.name_in(language), place.latitude, place.longitude)

    def standing(self, reference: str) -> Standing | None:
        """Look a report up by its reference; its reason is for whoever made it."""
        report = Report.objects.filter(reference=reference).first()
        return _standing(report, is_own=self._is_own(report)) if report is not None else None

    def latest(self) -> Standing | None:
        """Give the newest report of the contact."""
        report = Report.objects.filter(contact=self.contact, contact_confirmed=True).order_by("-id").first()
        return _standing(report, is_own=True) if report is not None else None

    def since_stop(self) -> Sequence[str]:
        """Give the references of what the contact has reported since STOP: the newest five, oldest first."""
        if self.contact.stopped_at is None:
            return ()
        since = Report.objects.filter(
            contact=self.contact, contact_confirmed=True, created_at__gte=self.contact.stopped_at
        )
        newest = since.order_by("-id").values_list("reference", flat=True)[:MOST_SINCE_STOP]
        return [format_reference(reference) for reference in reversed(newest)]

    def open_question(self) -> Question | None:
        """Give the newest question of the desk that the contact has not answered."""
        return self._open_question(Q(report__contact_confirmed=True))

    def unconfirmed(self) -> Unconfirmed | None:
        """Give what waits for the contact to say YES; nothing after STOP, for then nothing was asked."""
        if self.stopped:
            return None
        since = self.now - timedelta(days=CONFIRM_DAYS)
        waiting = Report.objects.filter(contact=self.contact, contact_confirmed=False, created_at__gt=since)
        report = waiting.order_by("-id").first()
        if report is None:
            return None
        question = self._open_question(Q(report__contact_confirmed=False, report__created_at__gt=since))
        return Unconfirmed(_standing(report, is_own=True), seconds(report.created_at), question)

    def proxy(self) -> ProxyStanding | None:
        """Tell how the contact stands as one who reports for others."""
        found = proxy_of(self.contact.pk) if self.is_proven else None
        if found is None:
            return None
        is_asked = found.accepted_at is None and not self.stopped
        is_active = found.is_active(timezone.localtime(self.now).date())
        return ProxyStanding(found.pk, is_active, seconds(found.enrolled_at) if is_asked else 0)

    def unanswered(self) -> Sequence[Unanswered]:
        """List what the contact reported for others, of which consent was not told yet."""
        found = open_consents(self.contact.pk, now=self.now) if self.is_proven else []
        return [Unanswered(report.pk, format_reference(report.reference)) for report in found]

    def can_be_on_behalf(self, report_id: int) -> bool:
        """Tell whether a report of the contact can still be taken for one that was made for somebody else."""
        return self.is_proven and can_be_on_behalf(report_id, contact_id=self.contact.pk)

    def alerts(self) -> AlertPlaces:
        """List the places for which the contact gets alerts; to whoever only claims to be the contact, none."""
        if not self.is_proven:
            return AlertPlaces()
        # What waits to be confirmed may be a stranger's: it takes no room.
        rows = own_subscriptions(self.contact)
        return AlertPlaces(
            tuple(
                AlertPlace(
                    row.pk,
                    row.label or (row.beat.name if row.beat is not None else ""),
                    is_everywhere=row.shape == SubscriptionShape.ALL,
                    is_drawn=row.shape == SubscriptionShape.AREA,
                )
                for row in rows
            ),
            is_full=len(rows) >= MOST_PLACES,
        )

    def look_outs(self, language: str) -> Sequence[LookOut]:
        """List the alerts that ask for sightings; which the contact has had is told to the contact alone."""
        found = asking(contact=self.contact if self.is_proven else None, now=self.now)
        return [_look_out(one, language) for one in found]

    def answered(self, language: str) -> LookOut | None:
        """Give the alert to whose message this one is an answer; of a test or an end, nothing to an unproven sender."""
        one = self._answered
        if one is None:
            return None
        if not self.is_proven:
            # What anybody may know, and not that the owner of the address has had it.
            return LookOut(one.alert.pk, one.headline_in(language)) if one.is_public else None
        mine = Report.objects.filter(contact=self.contact, pk__in=one.alert.sightings.values("report_id"))
        newest = mine.order_by("-pk").values_list("pk", flat=True).first()
        return replace(_look_out(one, language), report_id=newest or 0)

    @cached_property
    def _answered(self) -> Asking | None:
        return answered(provider_id=self._answers, contact=self.contact, now=self.now) if self._answers else None

    def beat_at(self, latitude: float, longitude: float) -> LocalBeat | None:
        """Find the beat that holds a point, with those of its officers who show themselves."""
        return beat_at(latitude, longitude)

    def beat(self, beat_id: int) -> LocalBeat | None:
        """Look a beat up by its id."""
        return beat_by_id(beat_id)

    def home(self) -> Home | None:
        """Give the first place for which the contact gets alerts; to whoever only claims to be the contact, none."""
        return home_of(self.contact) if self.is_proven else None

    def erasable(self, *, reference: str = "", report_id: int = 0) -> Sequence[Erasable]:
        """List what the contact has reported; to whoever only claims to be the contact, nothing."""
        return erasable_of(self.contact, reference=reference, report_id=report_id) if self.is_proven else ()

    def _is_own(self, report: Report) -> bool:
        return report.contact_id == self.contact.pk and report.contact_confirmed

    def _open_question(self, which: Q) -> Question | None:
        said = (
            Message.objects.filter(
                which,
                # What somebody else adds by the reference is no answer of this person's.
                Q(sender=None) | Q(sender=self.contact),
                report__contact=self.contact,
                kind__in=[MessageKind.QUESTION, MessageKind.ANSWER],
                created_at__gt=self.now - timedelta(days=QUESTION_DAYS),
            )
            .order_by("-id")
            .values_list("report_id", "id", "kind")[:50]
        )
        answered: set[int] = set()
        for report_id, message_id, kind in said:
            if kind == MessageKind.QUESTION and report_id not in answered:
                return Question(report_id, message_id)
            answered.add(report_id)
        return None

    def topic(self, code: str) -> Topic:
        """Give a topic for storing a report: the one of that short name, else the one for what nobody has sorted."""
        by_code = {topic.code: topic for topic in self._topics}
        return by_code.get(code) or by_code.get(UNSORTED) or (self._open_topics or self._topics)[-1]

    @cached_property
    def _topics(self) -> list[Topic]:
        # Read once per message: inside a transaction the topics are not kept from one call to the next.
        return enabled_topics()

    @cached_property
    def _open_topics(self) -> list[Topic]:
        # Those begin with a word of their own, never with a topic.
        open_to_all = (topic for topic in self._topics if topic.definition.who_may_report == "anyone")
        return [topic for topic in open_to_all if topic.code not in UNLISTED]

    @cached_property
    def _common_words(self) -> frozenset[str]:
        # What one finds anywhere ("dump", "light") is no name of a place, though one place may be called so.
        return frozenset(map(_folded, keyword_owners(self._open_topics)))

    def _by_code(self, text: str) -> Topic | None:
        words = keyword_key(text[:PLACE_TEXT])
        codes = {keyword_key(topic.code): topic for topic in self._open_topics}
        return next((topic for code, topic in codes.items() if words == code or words.startswith(f"{code} ")), None)

    @staticmethod
    def _keywords(topic: Topic) -> list[str]:
        return topic.definition.keywords


@lru_cache(maxsize=2_000)
def _folded(keyword: str) -> str:
    return fold(keyword)


def _choice(topic: Topic, language: str) -> TopicChoice:
    return TopicChoice(topic.code, topic.name_in(language), _is_sensitive(topic))


def _is_sensitive(topic: Topic) -> bool:
    # What publishes only counts is what harms people when it is read by others.
    return topic.definition.publishes == Publishes.COUNTS


def _coded_spot(text: str, language: str) -> list[Spot]:
    """Give the spot of a short plus code, which is exact whatever name stands beside it."""
    point = point_of_short_code(text, language)
    return [Spot(0, f"{point[0]:.5f}, {point[1]:.5f}", *point)] if point else []


def _spot(match: Match) -> Spot:
    return Spot(match.place_id, match.label, match.latitude, match.longitude, match.exact, match.score, match.position)


def _look_out(one: Asking, language: str) -> LookOut:
    had_at = seconds(one.had_at) if one.had_at else 0
    return LookOut(one.alert.pk, one.headline_in(language), had_at, one.is_active)


def _standing(report: Report, *, is_own: bool) -> Standing:
    reason = reason_in_words(report.state_reason) if is_own and report.state == rules.REJECTED else ""
    return Standing(report.pk, report.reference, report.state, reason)


def _runs(words: Sequence[str]) -> Iterator[str]:
    for length in range(_LONGEST_KEYWORD, 0, -1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])
