"""Ask for alerts, confirm, end; and the arrays that follow."""

from __future__ import annotations

import numpy as np
import pytest

from commonbeat.alerts import index
from commonbeat.alerts.actions.subscribing import (
    SubscribeError,
    Where,
    Wish,
    confirm,
    end_all,
    end_kind,
    end_subscription,
    subscribe,
)
from commonbeat.alerts.index import Index
from commonbeat.alerts.kinds import KINDS
from commonbeat.alerts.models import Subscription
from commonbeat.alerts.rules import MOST_PLACES
from commonbeat.journal.models import Entry
from commonbeat.messaging.models import Contact
from tests.alerts.going_out import HOME, many_subscribers, subscriber
from tests.make import LATITUDE, LONGITUDE, NOW, make_beat, make_contact, square

pytestmark = pytest.mark.django_db


def test_a_place_is_kept_to_a_hundred_metres() -> None:
    where = Where(latitude=42.3812345, longitude=20.4398765, radius=500)
    row = subscribe(contact=make_contact(), where=where, language="en", now=NOW)
    assert (row.latitude, row.longitude, row.confirmed_at) == (42.381, 20.44, None)


def test_the_journal_holds_no_place_and_no_person() -> None:
    contact = make_contact()
    row = subscribe(contact=contact, where=HOME, language="en", label="home", now=NOW)
    confirm(contact=contact, now=NOW)
    entries = Entry.objects.filter(kind__startswith="alerts.")
    assert {(entry.kind, entry.subject_id, str(entry.data), entry.actor_id) for entry in entries} == {
        ("alerts.subscribed", row.pk, "{}", None),
        ("alerts.confirmed", row.pk, "{}", None),
    }


def test_confirming_confirms_what_is_ones_own() -> None:
    contact, other = make_contact(), make_contact()
    mine = subscribe(contact=contact, where=HOME, language="en", now=NOW)
    subscribe(contact=contact, where=Where(), language="en", now=NOW)
    theirs = subscribe(contact=other, where=HOME, language="en", now=NOW)
    assert confirm(contact=contact, subscription_ids=[mine.pk, theirs.pk], now=NOW) == 1
    assert confirm(contact=contact, now=NOW) == 1
    assert confirm(contact=contact, now=NOW) == 0
    assert list(Subscription.objects.filter(confirmed_at=None)) == [theirs]


def test_the_same_place_again_is_the_same_subscription() -> None:
    contact = make_contact()
    row = subscribe(contact=contact, where=HOME, language="en", is_confirmed=True, now=NOW)
    again = subscribe(contact=contact, where=HOME, language="sq", wish=Wish(kinds=["road"]), is_confirmed=True, now=NOW)
    assert again.pk == row.pk
    assert Subscription.objects.get().kinds == ["road"]


def test_who_only_claims_an_address_changes_nothing_that_its_owner_confirmed() -> None:
    contact = make_contact()
    subscribe(contact=contact, where=HOME, language="en", is_confirmed=True, now=NOW)
    subscribe(contact=contact, where=HOME, language="sq", wish=Wish(kinds=["road"]), now=NOW)
    row = Subscription.objects.get()
    assert (row.language, row.kinds, row.confirmed_at) == ("en", [], NOW)


def test_there_are_ten_places_at_most() -> None:
    contact = make_contact()
    for step in range(MOST_PLACES):
        where = Where(latitude=LATITUDE + step / 100, longitude=LONGITUDE, radius=500)
        subscribe(contact=contact, where=where, language="en", now=NOW)
    with pytest.raises(SubscribeError, match="10 places"):
        subscribe(contact=contact, where=Where(), language="en", now=NOW)


@pytest.mark.parametrize(
    ("where", "wish", "language", "field"),
    [
        (Where(latitude=91, longitude=0, radius=500), Wish(), "en", "place"),
        (Where(latitude=float("nan"), longitude=0, radius=500), Wish(), "en", "place"),
        (Where(latitude=42), Wish(), "en", "place"),
        (Where(latitude=42, longitude=20), Wish(), "en", "radius"),
        (Where(latitude=42, longitude=20, radius=10**9), Wish(), "en", "radius"),
        (Where(area={"type": "Point", "coordinates": [1, 2]}), Wish(), "en", "area"),
        (Where(beat_id=4711), Wish(), "en", "beat"),
        (HOME, Wish(kinds=["tsunami"]), "en", "kinds"),
        (HOME, Wish(least_severity=7), "en", "least_severity"),
        (HOME, Wish(quiet_from=60), "en", "quiet"),
        (HOME, Wish(quiet_from=60, quiet_to=1440), "en", "quiet"),
        (HOME, Wish(), "tlh", "language"),
    ],
)
def test_what_cannot_be_is_refused(where, wish, language, field) -> None:
    with pytest.raises(SubscribeError) as refused:
        subscribe(contact=make_contact(), where=where, wish=wish, language=language, now=NOW)
    assert refused.value.field == field
    assert not Subscription.objects.exists()


def test_one_place_or_all_are_ended_by_their_owner() -> None:
    contact, other = subscriber(), subscriber()
    row = Subscription.objects.get(contact=other)
    assert not end_subscription(contact=contact, subscription_id=row.pk, now=NOW)
    assert end_subscription(contact=other, subscription_id=row.pk, now=NOW)
    assert end_all(contact=contact, now=NOW) == 1
    assert end_all(contact=contact, now=NOW) == 0


def test_one_kind_is_left_off_everywhere() -> None:
    contact = subscriber()
    subscriber(contact=contact, where=Where(), kinds=["road"])
    assert end_kind(contact=contact, kind="road", now=NOW) == 2
    assert Subscription.objects.get().kinds == [code for code in KINDS if code != "road"]
    assert end_kind(contact=contact, kind="road", now=NOW) == 0


# ------------------------------------------------------------------ the arrays


def same(one: Index, other: Index) -> bool:
    """Tell whether two indexes hold the same; numbers of languages and channels are each index's own."""
    mine, theirs = one.subscriptions, other.subscriptions
    columns = ("ids", "contacts", "shapes", "latitudes", "longitudes", "radii", "beats", "kinds", "least", "quiet_from")
    return (
        all(np.array_equal(getattr(mine, name), getattr(theirs, name), equal_nan=name in FLOATS) for name in columns)
        and [one.languages.words[n] for n in mine.languages] == [other.languages.words[n] for n in theirs.languages]
        and mine.areas.keys() == theirs.areas.keys()
    )


FLOATS = ("latitudes", "longitudes", "radii")


def fresh() -> Index:
    found = Index()
    found.refresh()
    return found


def test_the_arrays_follow_every_change(unit) -> None:
    kept = fresh()
    late = make_contact()
    waiting = subscribe(contact=late, where=HOME, language="sq", now=NOW)
    first, second = subscriber(), subscriber(where=Where(area=square()), kinds=["road", "water"])
    kept.refresh()
    assert kept.subscriptions.contacts.tolist() == [first.pk, second.pk]
    # An older row is confirmed after younger ones.
    confirm(contact=late, now=NOW)
    subscriber(where=Where(beat_id=make_beat(unit=unit).pk), quiet_from=60, quiet_to=120)
    kept.refresh()
    assert kept.subscriptions.ids[0] == waiting.pk
    assert same(kept, fresh())
    end_kind(contact=second, kind="water", now=NOW)
    end_all(contact=first, now=NOW)
    many_subscribers(7)
    kept.refresh()
    assert len(kept.subscriptions) == 10
    assert same(kept, fresh())


def test_nothing_is_read_where_nothing_has_changed(django_assert_num_queries) -> None:
    many_subscribers(5)
    kept = fresh()
    make_contact()
    with django_assert_num_queries(2):
        kept.refresh()


def test_many_changes_are_read_in_few_queries(django_assert_max_num_queries) -> None:
    kept = fresh()
    for _ in range(30):
        subscriber()
    with django_assert_max_num_queries(6):
        kept.refresh()
    assert len(kept.subscriptions) == 30


def test_a_million_is_read_in_chunks(monkeypatch) -> None:
    monkeypatch.setattr(index, "_CHUNK", 3)
    many_subscribers(10)
    assert len(fresh().subscriptions) == 10


def test_kinds_that_are_no_longer_there_are_not_all_kinds() -> None:
    contact = subscriber(kinds=["road"])
    Subscription.objects.filter(contact=contact).update(kinds=["comet"])
    assert fresh().subscriptions.kinds.tolist() != [0]


def test_a_subscription_goes_with_its_contact() -> None:
    contact = subscriber()
    Contact.objects.filter(pk=contact.pk).delete()
    assert not Subscription.objects.exists()
