"""Topics are made and changed; what was reported keeps its form."""

from __future__ import annotations

import msgspec
import pytest

from commonbeat.journal.models import Entry
from commonbeat.people.models import User
from commonbeat.topics.actions import TopicError, create_topic, reorder, revise_topic, set_enabled
from commonbeat.topics.answers import describe_answers
from commonbeat.topics.definition import Definition, Field, FieldKind, Option, Period, Privacy, Publishes, strictest
from commonbeat.topics.models import TopicVersion
from commonbeat.topics.queries import all_topics, enabled_topics, topic_by_code, version_of, versions_of
from tests.make import NOW

PLAIN = Definition(
    name={"en": "Noise"}, keywords=["noise"], fields=[Field("loud", FieldKind.TEXT, {"en": "How loud?"})]
)


def _kinds() -> list[str]:
    return list(Entry.objects.order_by("id").values_list("kind", flat=True))


def test_a_topic_is_made_once_and_journalled(administrator: User) -> None:
    topic = create_topic(code="noise", definition=PLAIN, actor_id=administrator.pk, now=NOW)
    assert topic.definition == PLAIN
    assert Entry.objects.get(kind="topics.created").actor_id == administrator.pk
    with pytest.raises(TopicError) as caught:
        create_topic(code="noise", definition=msgspec.structs.replace(PLAIN, keywords=[]), actor_id=None, now=NOW)
    assert "code" in caught.value.problems
    assert _kinds() == ["topics.created"]


def test_an_old_version_keeps_its_questions(db: None) -> None:
    topic = create_topic(code="noise", definition=PLAIN, actor_id=None, now=NOW)
    old = topic.current
    assert old is not None
    changed = msgspec.structs.replace(PLAIN, fields=[Field("when", FieldKind.DATE, {"en": "When?"})])
    topic = revise_topic(topic_id=topic.pk, definition=changed, actor_id=None, now=NOW)
    assert topic.definition == changed
    kept = TopicVersion.objects.get(pk=old.pk)
    assert describe_answers(kept.definition, {"loud": "very"}, "en") == [("How loud?", "very")]
    assert [v.number for v in versions_of(topic.pk)] == [2, 1]
    first = version_of(topic.pk, 1)
    assert first is not None and first.definition == PLAIN


def test_saving_the_same_makes_no_version(db: None) -> None:
    topic = create_topic(code="noise", definition=PLAIN, actor_id=None, now=NOW)
    revise_topic(topic_id=topic.pk, definition=PLAIN, actor_id=None, now=NOW)
    assert _kinds() == ["topics.created"]


def test_topics_are_switched_and_moved(db: None) -> None:
    first = create_topic(code="aa", definition=Definition(name={"en": "A"}), actor_id=None, now=NOW)
    second = create_topic(code="bb", definition=Definition(name={"en": "B"}), actor_id=None, now=NOW)
    assert [t.code for t in enabled_topics()] == ["aa", "bb"]
    reorder(topic_ids=[second.pk, 999, second.pk], actor_id=None, now=NOW)
    assert [t.code for t in all_topics()] == ["bb", "aa"]
    set_enabled(topic_id=first.pk, enabled=False, actor_id=None, now=NOW)
    set_enabled(topic_id=first.pk, enabled=False, actor_id=None, now=NOW)
    assert [t.code for t in enabled_topics()] == ["bb"]
    assert topic_by_code("aa") is not None
    assert _kinds()[2:] == ["topics.reordered", "topics.disabled"]


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("name", {"name": {}}),
        ("colour", {"colour": "red;background:url(x)"}),
        ("icon", {"icon": "../x"}),
        ("public_resolution", {"public_resolution": 15}),
        ("smallest_count", {"publishes": Publishes.COUNTS, "smallest_count": 2}),
        ("smallest_count", {"smallest_count": 0}),
        ("period", {"publishes": Publishes.COUNTS, "smallest_count": 5, "period": Period.DAY}),
        ("delay_hours", {"delay_hours": -1}),
        ("expiry_days", {"expiry_days": 99999}),
        ("keywords", {"keywords": ["STOP"]}),
        ("keywords", {"keywords": ["!!"]}),
        ("categories.1", {"categories": [Option("a", {"en": "A"}), Option("a", {"en": "B"})]}),
        ("fields.0.options", {"fields": [Field("a", FieldKind.CHOICE, {"en": "A"})]}),
        ("fields.0.label", {"fields": [Field("a", FieldKind.TEXT, {})]}),
        ("fields.0.code", {"fields": [Field("A b", FieldKind.TEXT, {"en": "A"})]}),
        ("fields.0.minimum", {"fields": [Field("a", FieldKind.NUMBER, {"en": "A"}, minimum=2.0, maximum=1.0)]}),
        ("workflow_texts", {"workflow_texts": {"nowhere": {"en": "x"}}}),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_stored(db: None, part: str, change: dict[str, object]) -> None:
    with pytest.raises(TopicError) as caught:
        create_topic(code="noise", definition=msgspec.structs.replace(PLAIN, **change), actor_id=None, now=NOW)
    assert part in caught.value.problems
    assert all_topics() == []
    assert _kinds() == []


def test_two_topics_never_share_a_keyword(db: None) -> None:
    create_topic(code="noise", definition=PLAIN, actor_id=None, now=NOW)
    with pytest.raises(TopicError) as caught:
        create_topic(code="loud", definition=Definition(name={"en": "L"}, keywords=["NOISE"]), actor_id=None, now=NOW)
    assert "keywords" in caught.value.problems


def test_of_two_definitions_the_stricter_part_counts_each_time() -> None:
    loose = Definition(name={"en": "A"}, public_resolution=11, smallest_count=1, delay_hours=24)
    strict = Definition(name={"en": "A"}, publishes=Publishes.COUNTS, public_resolution=8, smallest_count=5)
    found = strictest(loose, strict)
    assert found == strictest(strict, loose) == Privacy(Publishes.COUNTS, 8, 5, 24)
