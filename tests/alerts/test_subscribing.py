"""Ask for alerts, confirm, end; and the arrays that follow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from commonbeat.alerts import index
from commonbeat.alerts.actions.subscribing import (
    SubscribeError,
    Where,
    Wish,
    change_subscription,
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


def asked(contact: Contact, key: str, *places: Where) -> None:
    for where in places:
        subscribe(contact=contact, where=where, language="en", asked_key=key, now=NOW)


def test_a_place_is_kept_to_a_hundred_metres() -> None:
    where = Where(latitude=42.3812345, longitude=20.4398765, radius=500)
    row = subscribe(contact=make_contact(), where=where, language="en", now=NOW)
    assert (row.latitude, row.longitude, row.confirmed_at) == (42.381, 20.44, None)


def test_the_journal_holds_no_place_and_no_person() -> None:
    contact = make_contact()
    row = subscribe(contact=contact, where=HOME, language="en", label="home", asked_key="a", now=NOW)
    confirm(contact=contact, asked_key="a", now=NOW)
    entries = Entry.objects.filter(kind__startswith="alerts.")
    assert {(entry.kind, entry.subject_id, str(entry.data), entry.actor_id) for entry in entries} == {
        ("alerts.subscribed", row.pk, "{}", None),
        ("alerts.confirmed", row.pk, "{}", None),
    }


def test_confirming_confirms_what_was_asked_for_together() -> None:
    contact, other = make_contact(), make_contact()
    asked(contact, "a", HOME, Where())
    asked(contact, "b", Where())
    asked(other, "a", HOME)
    assert confirm(contact=contact, asked_key="a", now=NOW) == (2, 0)
    assert confirm(contact=contact, asked_key="a", now=NOW) == (0, 0)
    waiting = Subscription.objects.filter(confirmed_at=None).order_by("pk")
    assert [(row.contact, row.asked_key) for row in waiting] == [(contact, "b"), (other, "a")]
    # A key that was used up opens nothing, also not what has none.
    assert confirm(contact=contact, asked_key="", now=NOW) == (0, 0)


def test_what_is_confirmed_anew_for_the_same_place_is_the_new_wish() -> None:
    contact = make_contact()
    row = subscribe(contact=contact, where=HOME, language="en", label="home", is_confirmed=True, now=NOW)
    subscribe(contact=contact, where=HOME, language="sq", wish=Wish(kinds=["road"]), asked_key="a", now=NOW)
    assert confirm(contact=contact, asked_key="a", now=NOW) == (1, 0)
    kept = Subscription.objects.get()
    assert (kept.pk, kept.language, kept.kinds, kept.label) == (row.pk, "sq", ["road"], "home")


def test_what_finds_no_room_is_left_out_and_gone() -> None:
    contact = make_contact()
    for step in range(MOST_PLACES - 1):
        where = Where(latitude=LATITUDE + step / 100, longitude=LONGITUDE, radius=500)
        subscribe(contact=contact, where=where, language="en", is_confirmed=True, now=NOW)
    asked(contact, "a", Where(latitude=41, longitude=LONGITUDE, radius=500), Where())
    assert confirm(contact=contact, asked_key="a", now=NOW) == (1, 1)
    assert Subscription.objects.filter(confirmed_at=NOW).count() == Subscription.objects.count() == MOST_PLACES


def test_what_waits_takes_nobodys_room_and_has_its_own_limit() -> None:
    contact = make_contact()
    many = [Where(latitude=LATITUDE + step / 100, longitude=LONGITUDE, radius=500) for step in range(MOST_PLACES)]
    for key in ("a", "b"):
        asked(contact, key, *many)
        with pytest.raises(SubscribeError, match="10 places"):
            asked(contact, key, Where())
    subscribe(contact=contact, where=HOME, language="en", is_confirmed=True, now=NOW)


def test_the_same_place_again_is_the_same_subscription() -> None:
    contact = make_contact()
    row = subscribe(contact=contact, where=HOME, language="en", is_confirmed=True, now=NOW)
    again = subscribe(contact=contact, where=HOME, language="sq", wish=Wish(kinds=["road"]), is_confirmed=True, now=NOW)
    assert again.pk == row.pk
    assert Subscription.objects.get().kinds == ["road"]


def test_who_only_claims_an_address_changes_nothing_that_its_owner_asked_for() -> None:
    contact = make_contact()
    mine = subscribe(contact=contact, where=HOME, language="en", is_confirmed=True, now=NOW)
    waiting = subscribe(contact=contact, where=HOME, language="en", asked_key="a", now=NOW)
    subscribe(contact=contact, where=HOME, language="sq", wish=Wish(kinds=["road"]), asked_key="b", now=NOW)
    for row, confirmed_at in ((mine, NOW), (waiting, None)):
        row.refresh_from_db()
        assert (row.language, row.kinds, row.confirmed_at) == ("en", [], confirmed_at)
    # Under its own key the same place is the same wish, as it was said last.
    subscribe(contact=contact, where=HOME, language="ar", asked_key="b", now=NOW)
    assert list(Subscription.objects.filter(asked_key="b").values_list("language", flat=True)) == ["ar"]


def test_one_place_is_changed_by_its_owner() -> None:
    contact, other = make_contact(), make_contact()
    row = subscribe(contact=contact, where=HOME, language="en", label="home", is_confirmed=True, now=NOW)
    drawn = subscribe(contact=contact, where=Where(area=square()), language="en", is_confirmed=True, now=NOW)
    wish = Wish(kinds=["road"], least_severity=2)
    changed: dict[str, Any] = {"wish": wish, "language": "sq", "now": NOW}
    assert change_subscription(contact=contact, subscription_id=row.pk, radius=5_000, label="", **changed)
    assert change_subscription(contact=contact, subscription_id=drawn.pk, radius=5_000, label="park", **changed)
    assert not change_subscription(contact=other, subscription_id=row.pk, **changed)
    row.refresh_from_db()
    assert (row.radius, row.label, row.language, row.kinds) == (5_000, "home", "sq", ["road"])
    area = drawn.area
    drawn.refresh_from_db()
    assert (drawn.radius, drawn.label, drawn.least_severity, drawn.area) == (None, "park", 2, area)
    with pytest.raises(SubscribeError):
        change_subscription(contact=contact, subscription_id=row.pk, radius=1, **changed)


def test_there_are_ten_places_at_most() -> None:
    contact = make_contact()
    for step in range(MOST_PLACES):
        where = Where(latitude=LATITUDE + step / 100, longitude=LONGITUDE, radius=500)
        subscribe(contact=contact, where=where, language="en", is_confirmed=True, now=NOW)
    with pytest.raises(SubscribeError, match="10 places"):
        subscribe(contact=contact, where=Where(), language="en", is_confirmed=True, now=NOW)


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
    waiting = subscribe(contact=late, where=HOME, language="sq", asked_key="a", now=NOW)
    first, second = subscriber(), subscriber(where=Where(area=square()), kinds=["road", "water"])
    kept.refresh()
    assert kept.subscriptions.contacts.tolist() == [first.pk, second.pk]
    # An older row is confirmed after younger ones.
    confirm(contact=late, asked_key="a", now=NOW)
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
    assert set(kept.subscriptions.areas) == set(Subscription.objects.filter(shape="area").values_list("pk", flat=True))
    # The same place under another key: the row that waited goes, and the one that stays is read again.
    subscribe(contact=late, where=HOME, language="ar", asked_key="b", now=NOW)
    confirm(contact=late, asked_key="b", now=NOW)
    kept.refresh()
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
