"""What a thief of the database learns, and what the thief of the key learns on top: as the threat model says it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings

from commonbeat.journal.models import Entry
from commonbeat.messaging.actions import contact_for
from commonbeat.messaging.queries import address_of
from commonbeat.reactions.retention import delete_due
from commonbeat.tips import files, texts
from commonbeat.tips.actions.dialogue import open_tip
from commonbeat.tips.errors import Unopenable
from commonbeat.tips.keys import derive, pair_from_seed
from commonbeat.tips.models import Tip, TipText
from tests import make
from tests.make import NOW
from tests.tips.desks import TEXT, desk_with, tip_at
from tests.tips.test_canary import everything_stored
from tests.tips.test_uploading import uploaded

pytestmark = pytest.mark.django_db
SAID = "The lamp behind the mill has been dark since Thursday."
NUMBER = "+38344987654"


def test_a_report_lies_in_the_clear_and_a_number_does_not() -> None:
    contact = contact_for(kind="phone", address=NUMBER, channel="demo_sms", now=NOW)
    make.make_report(text=SAID, contact=contact)
    stored = everything_stored()
    assert SAID.encode() in stored
    assert NUMBER.encode() not in stored and NUMBER[1:].encode() not in stored


def test_of_a_tip_there_are_day_size_and_side_and_no_word() -> None:
    desk, _seats = desk_with()
    tip, receipt = tip_at(desk)
    file = uploaded(tip, b"x" * 5_000)
    stored = everything_stored()
    for word in (TEXT, receipt, "mill.jpg"):
        assert word.encode() not in stored
    text = TipText.objects.get(tip=tip)
    # One of six sizes, and what sealing adds.
    assert len(bytes(text.box)) == 512 + 91
    assert file.size_class == files.sealed_length(5_000) == files.sealed_length(4_900)
    assert (text.day, text.direction, tip.created_day) == (NOW.date(), "to_desk", NOW.date())


def test_the_sites_key_opens_numbers_and_no_tip() -> None:
    desk, (one, _other) = desk_with()
    tip, _receipt = tip_at(desk)
    contact = contact_for(kind="phone", address=NUMBER, channel="demo_sms", now=NOW)
    assert address_of(contact) == NUMBER
    box, uid = bytes(TipText.objects.get(tip=tip).box), bytes(tip.uid)
    secret = settings.COMMONBEAT.secret
    for label in ("commonbeat tip v1 source key", "commonbeat tip v1 session", "commonbeat tip v1 look-up"):
        with pytest.raises(Unopenable):
            texts.open_to_desk(box, tip=uid, number=0, tip_key=pair_from_seed(derive(label, secret)))
    assert not hasattr(Tip, "private") and one.pair.private not in everything_stored()


def test_the_journal_has_a_tips_day_and_its_place_tells_no_hour() -> None:
    desk, (one, _other) = desk_with()
    tip, _receipt = tip_at(desk)
    # The honest rest: it came before a member looked, which has its time.
    open_tip(tip_id=tip.pk, member_id=one.member.pk, user=one.user, pair=one.pair, now=NOW)
    make.make_report(now=NOW + timedelta(hours=1))
    tomorrow = NOW + timedelta(days=1)
    delete_due(tomorrow)
    entry = Entry.objects.get(kind="tips.received", subject_id=tip.pk)
    assert (entry.at.date(), entry.at.hour, entry.at.minute, entry.at.second) == (NOW.date(), 0, 0, 0)
    # Everything of its day stands before it.
    assert Entry.objects.filter(at__gte=NOW).count() > 1
    assert not Entry.objects.filter(pk__gt=entry.pk, at__gte=NOW, at__lt=tomorrow).exists()
