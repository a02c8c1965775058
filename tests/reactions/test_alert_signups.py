"""YES as the answer to "do you want alerts here?", and as the answer to nothing else."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from commonbeat.alerts.actions.subscribing import Where, subscribe
from commonbeat.alerts.models import Subscription
from commonbeat.alerts.rules import MOST_PLACES
from commonbeat.intake.actions import load_session, save_session
from commonbeat.intake.state import Asks
from commonbeat.messaging.actions import enqueue, stop_contact
from commonbeat.messaging.channel import Inbound
from commonbeat.messaging.models import Contact
from commonbeat.reactions.inbound import handle
from tests import make

NOW = make.NOW
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _topic() -> None:
    make.fallback()
    make.make_topic("street-light")


def asked(*, language: str = "en", key: str = "alerts:confirm:abc", confirmed: bool = False) -> Contact:
    contact = make.make_contact(language=language)
    subscribe(
        contact=contact, where=Where(), language="en", is_confirmed=confirmed, asked_key=key.rpartition(":")[2], now=NOW
    )
    enqueue(contact=contact, text="Your code is 123456.", idempotency_key=key, now=NOW)
    return contact


def say(contact: Contact, text: str, *, proven: bool = True, after: timedelta = timedelta(minutes=1)) -> list[str]:
    message = Inbound(provider_id=f"m-{text}", sender="+38344000001", text=text, is_proven=proven)
    return list(handle(contact, message, NOW + after))


def is_confirmed() -> bool:
    return Subscription.objects.get().confirmed_at is not None


@pytest.mark.parametrize("word", ["YES", "yes.", "Po", "نعم"])
def test_yes_confirms_in_every_language(word: str) -> None:
    (reply,) = say(asked(), word)
    assert is_confirmed()
    assert "STOP" in reply
    assert len(reply) <= 160


def test_another_word_confirms_nothing() -> None:
    contact = asked()
    for word in ("No", "HELP", "Yes the lamp at the bridge is broken"):
        say(contact, word)
    assert not is_confirmed()


def test_yes_to_another_question_confirms_nothing() -> None:
    contact = asked()
    enqueue(contact=contact, text="Was it you?", idempotency_key="report:7:confirm", now=NOW)
    say(contact, "YES")
    assert not is_confirmed()


def test_yes_while_the_desk_waits_for_an_answer_is_that_answer() -> None:
    contact = asked()
    report = make.make_report(contact=contact)
    state = load_session(contact=contact, now=NOW)
    save_session(contact=contact, state=msgspec.structs.replace(state, asks=Asks.ANSWER, report_id=report.pk), now=NOW)
    say(contact, "YES")
    assert not is_confirmed()


def test_yes_comes_too_late_or_from_who_only_claims_to_be_it_or_after_stop() -> None:
    say(asked(), "YES", after=timedelta(days=8))
    assert not is_confirmed()
    Subscription.objects.all().delete()
    say(asked(key="alerts:confirm:2"), "YES", proven=False)
    assert not is_confirmed()
    Subscription.objects.all().delete()
    contact = asked(key="alerts:confirm:3")
    stop_contact(contact=contact, now=NOW)
    say(contact, "YES")
    assert not is_confirmed()


def test_yes_confirms_nothing_where_it_may_mean_something_else() -> None:
    contact = asked()
    home = Where(latitude=42.4, longitude=20.4, radius=500)
    subscribe(contact=contact, where=home, language="en", asked_key="other", now=NOW)
    enqueue(contact=contact, text="Your code is 654321.", idempotency_key="alerts:confirm:other", now=NOW)
    (reply,) = say(contact, "YES")
    assert "Type the code of yours on the page, or text ALERTS" in reply
    assert len(reply) <= 160
    assert not Subscription.objects.filter(confirmed_at__isnull=False).exists()


def test_yes_confirms_what_was_asked_for_twice_alike() -> None:
    contact = asked()
    subscribe(contact=contact, where=Where(), language="en", asked_key="again", now=NOW)
    enqueue(contact=contact, text="Your code is 654321.", idempotency_key="alerts:confirm:again", now=NOW)
    (reply,) = say(contact, "YES")
    assert "STOP" in reply
    assert Subscription.objects.filter(confirmed_at__isnull=False).count() == 1


def test_yes_says_so_where_there_is_no_room() -> None:
    contact = make.make_contact()
    for step in range(MOST_PLACES):
        where = Where(latitude=42 + step / 100, longitude=20.4, radius=500)
        subscribe(contact=contact, where=where, language="en", is_confirmed=True, now=NOW)
    subscribe(contact=contact, where=Where(), language="en", asked_key="abc", now=NOW)
    enqueue(contact=contact, text="Your code is 123456.", idempotency_key="alerts:confirm:abc", now=NOW)
    (reply,) = say(contact, "YES")
    assert reply == "You get alerts for 10 places already. End one of them first."


def test_a_second_yes_says_nothing_new() -> None:
    contact = asked()
    assert say(contact, "YES")
    assert "alerts" not in " ".join(say(contact, "Yes"))
