"""The topics that come with the package, and the words that call them."""

from __future__ import annotations

import pytest

from commonbeat.topics.actions import revise_topic, set_enabled
from commonbeat.topics.checks import problems_of
from commonbeat.topics.definition import Definition, FieldKind, Publishes, Texts
from commonbeat.topics.queries import all_topics, enabled_topics, match_keyword, topic_by_code
from commonbeat.topics.ready_made import CODES, install_ready_made, ready_made_definitions
from tests.make import NOW

DEFINITIONS = ready_made_definitions()


def _texts(definition: Definition) -> list[Texts]:
    found = [definition.name, definition.help, *definition.workflow_texts.values(), *definition.questions.values()]
    for one in [*definition.categories, *(o for f in definition.fields for o in f.options)]:
        found.append(one.label)
    for field in definition.fields:
        found.extend(t for t in (field.label, field.help) if t)
    return found


@pytest.mark.parametrize("code", CODES)
def test_each_can_be_used_and_speaks_every_language(code: str) -> None:
    definition = DEFINITIONS[code]
    assert problems_of(definition, code=code) == {}
    for texts in _texts(definition):
        assert set(texts) == {"en", "sq", "ar"} and all(texts.values())


def test_what_could_expose_a_person_publishes_only_counts() -> None:
    for code in ("violence", "harassment"):
        definition = DEFINITIONS[code]
        assert definition.publishes is Publishes.COUNTS
        assert (definition.smallest_count, definition.public_resolution, definition.delay_hours) == (5, 8, 48)


def test_the_safety_audit_rates_nine_things_from_0_to_3() -> None:
    ratings = [f for f in DEFINITIONS["safety-audit"].fields if f.kind is FieldKind.RATING]
    assert len(ratings) == 9 and ratings[-1].code == "feeling"
    assert all([o.code for o in rating.options] == ["0", "1", "2", "3"] for rating in ratings)


def test_installing_twice_changes_nothing_and_keeps_what_was_changed(db: None) -> None:
    assert len(install_ready_made(NOW)) == len(CODES)
    other = topic_by_code("other")
    assert other is not None
    revise_topic(topic_id=other.pk, definition=Definition(name={"en": "Mine"}), actor_id=None, now=NOW)
    assert install_ready_made(NOW) == []
    assert [t.code for t in all_topics()] == list(CODES)
    changed = topic_by_code("other")
    assert changed is not None and changed.name_in("en") == "Mine"


@pytest.mark.parametrize(
    ("text", "language", "code"),
    [
        ("DUMP near the old bridge", "en", "illegal-dump"),
        ("Mbeturina te ura", "sq", "illegal-dump"),
        ("نفايات عند الجسر", "ar", "illegal-dump"),
        ("القمامة في الشارع", "ar", "illegal-dump"),
        ("Ndriçim: llamba nuk punon", "sq", "street-light"),
        ("street light is dark", "en", "street-light"),
        ("ضوء الشارع مطفأ", "ar", "street-light"),
        ("دواء غير متوفر", "ar", "medicine-stock-out"),
        ("garbaeg on the road", "en", "illegal-dump"),
        ("harrassment on the bus", "en", "harassment"),
        ("DHUNË në rrugë", "sq", "violence"),
        ("there is a dump here", "en", None),
        ("pump broken", "en", None),
        ("من البيت", "ar", None),
        ("!!!", "en", None),
        ("", "en", None),
    ],
)
def test_the_first_words_of_a_message_name_its_topic(db: None, text: str, language: str, code: str | None) -> None:
    install_ready_made(NOW)
    found = match_keyword(text, language)
    assert (found.code if found else None) == code


def test_a_topic_that_is_not_offered_is_not_matched(db: None) -> None:
    install_ready_made(NOW)
    dump = topic_by_code("illegal-dump")
    assert dump is not None
    set_enabled(topic_id=dump.pk, enabled=False, actor_id=None, now=NOW)
    assert match_keyword("dump", "en") is None
    assert len(enabled_topics()) == len(CODES) - 1
