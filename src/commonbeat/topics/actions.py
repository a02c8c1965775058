"""Every change of a topic; each writes one journal entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from commonbeat.journal.actions import append
from commonbeat.topics.checks import problems_of
from commonbeat.topics.definition import Definition, encode
from commonbeat.topics.models import Topic, TopicVersion
from commonbeat.topics.queries import all_topics, forget_topics, keyword_key, keyword_owners

CREATED = "topics.created"
REVISED = "topics.revised"
ENABLED = "topics.enabled"
DISABLED = "topics.disabled"
REORDERED = "topics.reordered"


class TopicError(ValueError):
    """Carry a sentence per part of a definition that cannot be used; "" stands for the whole."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(next(iter(problems.values()), ""))
        self.problems = problems


def create_topic(*, code: str, definition: Definition, actor_id: int | None, now: datetime) -> Topic:
    """Make a topic with its first version, last in the order; TopicError when something cannot be used."""
    with transaction.atomic():
        _refuse(problems_of(definition, code=code) | _taken_keywords(definition, but=code))
        position = (Topic.objects.aggregate(last=Max("position"))["last"] or 0) + 1
        try:
            with transaction.atomic():
                topic = Topic.objects.create(code=code, position=position)
        except IntegrityError:
            raise TopicError({"code": _("There is a topic with this short name already.")}) from None
        _add_version(topic, 1, definition, actor_id, now)
        append(kind=CREATED, subject_id=topic.pk, now=now, actor_id=actor_id, data={"version": 1})
        transaction.on_commit(forget_topics)
    return topic


def revise_topic(*, topic_id: int, definition: Definition, actor_id: int | None, now: datetime) -> Topic:
    """Give a topic a new version; reports made with an older one keep theirs. Unchanged definitions change nothing."""
    with transaction.atomic():
        topic = Topic.objects.select_for_update().get(pk=topic_id)
        _refuse(problems_of(definition, code=topic.code) | _taken_keywords(definition, but=topic.code))
        if topic.definition == definition:
            return topic
        number = (topic.versions.aggregate(last=Max("number"))["last"] or 0) + 1
        _add_version(topic, number, definition, actor_id, now)
        append(kind=REVISED, subject_id=topic.pk, now=now, actor_id=actor_id, data={"version": number})
        transaction.on_commit(forget_topics)
    return topic


def set_enabled(*, topic_id: int, enabled: bool, actor_id: int | None, now: datetime) -> None:
    """Offer a topic to reporters, or stop offering it; what was reported stays."""
    with transaction.atomic():
        if Topic.objects.filter(pk=topic_id, enabled=not enabled).update(enabled=enabled):
            append(kind=ENABLED if enabled else DISABLED, subject_id=topic_id, now=now, actor_id=actor_id)
            transaction.on_commit(forget_topics)


def reorder(*, topic_ids: Sequence[int], actor_id: int | None, now: datetime) -> None:
    """Put topics in this order; those not named follow in their old order."""
    with transaction.atomic():
        old = list(Topic.objects.order_by("position", "id").values_list("id", flat=True))
        wanted = [pk for pk in dict.fromkeys(topic_ids) if pk in old]
        new = wanted + [pk for pk in old if pk not in wanted]
        if new == old:
            return
        for position, pk in enumerate(new, start=1):
            Topic.objects.filter(pk=pk).update(position=position)
        append(kind=REORDERED, subject_id=new[0], now=now, actor_id=actor_id)
        transaction.on_commit(forget_topics)


def _add_version(topic: Topic, number: int, definition: Definition, actor_id: int | None, now: datetime) -> None:
    topic.current = TopicVersion.objects.create(
        topic=topic, number=number, data=encode(definition), created_at=now, created_by_id=actor_id
    )
    topic.save(update_fields=["current"])


def _refuse(problems: dict[str, str]) -> None:
    if problems:
        raise TopicError(problems)


def _taken_keywords(definition: Definition, *, but: str) -> dict[str, str]:
    others = [topic for topic in all_topics() if topic.code != but]
    owners = keyword_owners(others)
    words = {keyword_key(word): topic for topic in others for word in topic.definition.structured.words.values()}
    for word in definition.structured.words.values():
        owner = words.get(keyword_key(word)) or owners.get(keyword_key(word))
        if owner is not None:
            sentence = _("“%(keyword)s” already begins messages on the topic “%(topic)s”.")
            return {"structured": sentence % {"keyword": word, "topic": owner.code}}
    owners |= words
    for keyword in definition.keywords:
        owner = owners.get(keyword_key(keyword))
        if owner is not None:
            return {
                "keywords": _("“%(keyword)s” already begins messages on the topic “%(topic)s”.")
                % {"keyword": keyword, "topic": owner.code}
            }
    return {}
