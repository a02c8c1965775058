"""What reports earn a contact, and who may decide about one."""

from __future__ import annotations

import pytest

from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import (
    TrustError,
    block_contact,
    discard,
    let_in,
    set_level,
    take_back,
    unblock_contact,
)
from commonbeat.messaging.actions.trust import weigh_report
from commonbeat.messaging.models import Contact, TrustMark
from commonbeat.messaging.trust import Level
from commonbeat.people.models import User
from tests import make
from tests.make import NOW

pytestmark = pytest.mark.django_db
NUMBER, OTHER = "+38344123456", "+38344999888"


@pytest.fixture
def contact(db: None) -> Contact:
    return make.make_contact(NUMBER)


def test_a_report_earns_once_and_loses_what_it_earned_when_undone(contact: Contact) -> None:
    def weigh(*kinds: str) -> int:
        weigh_report(contact_id=contact.pk, report_id=7, kinds=kinds, now=NOW)
        contact.refresh_from_db()
        return contact.trust_points

    assert [weigh("verified"), weigh("verified"), weigh(), weigh(), weigh("verified")] == [1, 1, 0, 0, 1]
    assert TrustMark.objects.count() == 1
    assert weigh("spam") == -2
    assert weigh() == 0
    # Each change has one entry, and a repeat has none.
    entries = Entry.objects.filter(kind="messaging.trust_weighed", subject_id=contact.pk)
    assert [entry.data["points"] for entry in entries.order_by("id")] == [1, 0, 1, -2, 0]


def test_marks_of_others_do_not_count(contact: Contact) -> None:
    other = make.make_contact(OTHER)
    weigh_report(contact_id=other.pk, report_id=7, kinds={"spam"}, now=NOW)
    contact.refresh_from_db()
    assert contact.level is Level.UNKNOWN
    assert not weigh_report(contact_id=10**9, report_id=7, kinds={"spam"}, now=NOW)


@pytest.mark.parametrize(("level", "reason"), [("best", "Why not?"), ("trusted", "  ")])
def test_a_level_needs_a_name_and_a_reason(level: str, reason: str, contact: Contact, officer: User) -> None:
    with pytest.raises(TrustError):
        set_level(contact_id=contact.pk, level=level, reason=reason, actor=officer, now=NOW)
    assert not Entry.objects.filter(kind="messaging.trust_set").exists()


def test_only_who_works_a_desk_decides(contact: Contact, outsider: User, moderator: User, administrator: User) -> None:
    for actor in (outsider, moderator, administrator):
        for act in (
            lambda actor=actor: set_level(contact_id=contact.pk, level="trusted", reason="x", actor=actor, now=NOW),
            lambda actor=actor: block_contact(contact_id=contact.pk, reason="x", actor=actor, now=NOW),
            lambda actor=actor: unblock_contact(contact_id=contact.pk, actor=actor, now=NOW),
            lambda actor=actor: let_in(contact_id=contact.pk, actor=actor, now=NOW),
            lambda actor=actor: discard(contact_id=contact.pk, actor=actor, now=NOW),
            lambda actor=actor: take_back(contact_id=contact.pk, decided_at=NOW, actor=actor, now=NOW),
        ):
            with pytest.raises(TrustError):
                act()
    contact.refresh_from_db()
    assert (contact.trust_set, contact.blocked_at) == ("", None)
