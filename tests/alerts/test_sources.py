"""Messages of others in our tables: once, only for our public, and never over what another source or we have said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings

from commonbeat.alerts.actions import sources
from commonbeat.alerts.actions.sources import Taken, claim_source, note_answer, save_source, take_message
from commonbeat.alerts.cap import CapAlert, CapArea, CapError, CapReference, element_of, write
from commonbeat.alerts.cap_rows import site_of
from commonbeat.alerts.cap_signing import sign, site_key
from commonbeat.alerts.models import Alert, AlertText, FanOut, Source
from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.worker import alert_sources
from commonbeat.worker.alert_sources import AlertSources
from tests.alerts.cap_messages import RING, SENT, info, message
from tests.make import NOW

pytestmark = pytest.mark.django_db


def make_source(name: str = "Weather service", **changes: Any) -> Source:
    return Source.objects.create(**{"name": name, "url": "https://weather.example/feed", **changes})


def take(source: Source, given: CapAlert, **more: Any) -> sources.Outcome:
    return take_message(source_id=source.pk, message=given, site=site_of(settings.COMMONBEAT), now=more.get("now", NOW))


def following(kind: str, *before: CapAlert, identifier: str = "w-2", **changes: Any) -> CapAlert:
    references = tuple(CapReference(each.sender, each.identifier, each.sent) for each in before)
    return message(
        **{"identifier": identifier, "msgType": kind, "references": references, "sent": SENT + timedelta(minutes=10)}
        | changes
    )


def test_a_message_becomes_one_row_with_its_texts_once() -> None:
    source = make_source()
    given = message(
        info=(
            info(),
            info(language="sq-XK", headline="Stuhi", description="Erë e fortë."),
            info(language="de", headline="Sturm"),
        )
    )
    outcome = take(source, given)
    assert outcome.taken is Taken.NEW
    alert = Alert.objects.get(pk=outcome.alert_id)
    assert (alert.kind, alert.severity, alert.state, alert.source) == ("weather", "Severe", "released", source)
    assert (alert.released_at, alert.expires_at) == (SENT, SENT + timedelta(hours=6))
    assert (alert.sender, alert.web, alert.unit) == ("weather.example", "https://weather.example/1", None)
    assert (alert.south, alert.west, alert.north, alert.east) == (42.3, 20.3, 42.5, 20.5)
    assert alert.is_active(NOW)
    assert dict(alert.texts.values_list("language", "headline")) == {"en": "Storm from the west", "sq": "Stuhi"}
    assert take(source, given).taken is Taken.KNOWN
    assert Alert.objects.count() == 1
    entry = Entry.objects.get(kind="alerts.taken")
    assert (entry.subject_id, entry.data) == (alert.pk, {"source": source.pk})


def test_the_same_name_at_another_time_is_another_message() -> None:
    source = make_source()
    take(source, message())
    assert take(source, message(sent=SENT + timedelta(seconds=1))).taken is Taken.NEW


def test_a_language_that_we_do_not_have_is_better_than_none() -> None:
    source = make_source()
    take(source, message(info=(info(language="de-DE", headline="Sturm"), info(language="fr", headline="Orage"))))
    assert list(AlertText.objects.values_list("language", "headline")) == [("de", "Sturm")]


def test_a_commonbeat_is_understood_by_another() -> None:
    take(make_source(), message(info=(info(eventCode=(("commonbeat", "missing_child"),)),)))
    assert Alert.objects.get().kind == "missing_child"


def test_the_worst_and_the_last_of_several_blocks_count() -> None:
    later = info(severity="Extreme", expires=SENT + timedelta(hours=9), area=(CapArea("Far", polygon=(far_ring(),)),))
    take(make_source(), message(info=(info(), later)))
    alert = Alert.objects.get()
    assert (alert.severity, alert.expires_at) == ("Extreme", SENT + timedelta(hours=9))
    assert alert.area["type"] == "MultiPolygon" and alert.east == 21.5


def far_ring() -> tuple[tuple[float, float], ...]:
    return tuple((latitude, longitude + 1) for latitude, longitude in RING)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": "Test", "note": "a test"}, "not actual"),
        ({"status": "Draft"}, "not actual"),
        ({"scope": "Restricted", "restriction": "police"}, "not public"),
        ({"msgType": "Ack"}, "no alert"),
        ({"sent": NOW + timedelta(hours=2)}, "from the future"),
        ({"info": (info(expires=NOW - timedelta(minutes=1)),)}, "expired"),
        ({"info": ()}, "missing: info"),
        ({"info": (info(area=(CapArea("By code only", geocode=(("EMMA_ID", "XK001"),)),)),)}, "no geometry: area"),
        ({"sender": "127.0.0.1"}, "own"),
        ({"sender": "elsewhere.example"}, "sender"),
    ],
)
def test_what_is_not_for_our_public_is_left_out(changes: dict[str, Any], code: str) -> None:
    source = make_source(senders=["weather.example"])
    with pytest.raises(CapError, match=f"^{code}$"):
        take(source, replace(message(), **changes))
    assert not Alert.objects.exists() and not Entry.objects.exists()


def test_an_update_goes_on_with_its_chain_and_a_cancel_ends_it() -> None:
    source = make_source()
    first = message()
    root = Alert.objects.get(pk=take(source, first).alert_id)
    second = following("Update", first, info=(info(headline="Storm is near"),))
    update = Alert.objects.get(pk=take(source, second, now=NOW).alert_id)
    assert (update.root, update.previous, update.msg_type) == (root, root, "Update")
    end = following("Cancel", first, second, identifier="w-3", info=())
    cancel = Alert.objects.get(pk=take(source, end).alert_id)
    assert (cancel.root, cancel.previous, cancel.kind, cancel.area) == (root, update, "weather", update.area)
    assert cancel.texts.get().headline == "Storm is near"
    root.refresh_from_db()
    assert root.ended_at == NOW and root.outcome == "over" and not root.is_active(NOW)
    assert Entry.objects.get(kind="alerts.ended").subject_id == root.pk
    with pytest.raises(CapError, match="ended"):
        take(source, following("Cancel", first, identifier="w-4", info=()))
    with pytest.raises(CapError, match="ended"):
        take(source, following("Update", second, identifier="w-5"))


def test_one_source_can_neither_end_nor_change_what_another_or_we_have_said() -> None:
    ours = Alert.objects.get(pk=take(make_source("Ours"), message()).alert_id)
    Alert.objects.filter(pk=ours.pk).update(source=None, sender="", identifier="cb-1")
    theirs = take(make_source("Weather"), message()).alert_id
    evil = make_source("Evil")
    for references in (
        (CapReference("weather.example", "w-1", SENT),),
        (CapReference("127.0.0.1", "cb-1", SENT),),
        (CapReference("", "cb-1", SENT),),
    ):
        with pytest.raises(CapError, match="unknown reference"):
            take(evil, message(identifier="e-1", msgType="Cancel", references=references, info=()))
    take(evil, following("Update", message(), identifier="e-2"))
    assert not Alert.objects.filter(pk__in=(ours.pk, theirs)).exclude(ended_at=None).exists()
    assert Alert.objects.get(source=evil).root is None
    # Not even by the same identifier, sender and time.
    assert take(evil, message()).taken is Taken.NEW
    assert Alert.objects.filter(source=evil).count() == 2


def test_an_update_of_several_alerts_goes_on_with_one_and_ends_the_others() -> None:
    source = make_source()
    first, second = message(), message(identifier="w-b")
    roots = [take(source, each).alert_id for each in (first, second)]
    take(source, following("Update", first, second, identifier="w-c"))
    ended = dict(Alert.objects.filter(pk__in=roots).values_list("pk", "ended_at"))
    assert ended == {roots[0]: NOW, roots[1]: None}


def test_an_update_of_what_never_came_is_the_first_for_us() -> None:
    outcome = take(make_source(), following("Update", message()))
    alert = Alert.objects.get(pk=outcome.alert_id)
    assert (alert.msg_type, alert.root, len(outcome.missing)) == ("Alert", None, 1)


@pytest.mark.parametrize("forwards", [False, True])
def test_messages_go_out_only_where_the_source_is_set_so(forwards: bool) -> None:
    outcome = take(make_source(forwards=forwards), message())
    assert FanOut.objects.filter(alert_id=outcome.alert_id).exists() is forwards


def test_a_source_is_claimed_by_one_worker_a_minute() -> None:
    one, two = make_source("One"), make_source("Two", polled_at=NOW - timedelta(minutes=5))
    make_source("Off", is_enabled=False)
    claimed = [claim_source(now=NOW) for _round in range(3)]
    assert {each.pk for each in claimed if each} == {one.pk, two.pk} and claimed[2] is None
    assert claim_source(now=NOW + timedelta(seconds=30)) is None
    assert claim_source(now=NOW + timedelta(seconds=60)) is not None


def test_what_a_server_says_is_stored_only_where_it_is_a_header() -> None:
    source = make_source(error="x")
    note_answer(source_id=source.pk, etag='"a"', modified="b\r\nX: y", error="", has_taken=True, now=NOW)
    source.refresh_from_db()
    assert (source.etag, source.modified, source.error, source.taken_at) == ('"a"', "", "", NOW)


# ------------------------------------------------------------------ the loop


def poll(
    monkeypatch: pytest.MonkeyPatch, answers: Mapping[str, bytes | int], worker: AlertSources | None = None
) -> int:
    class Stream(httpx.SyncByteStream):
        def __init__(self, data: bytes) -> None:
            self.data = data

        def __iter__(self) -> Any:
            yield self.data

    def handler(request: httpx.Request) -> httpx.Response:
        found = answers[request.url.path]
        if isinstance(found, int):
            return httpx.Response(found)
        return httpx.Response(200, stream=Stream(found), headers={"etag": '"1"'})

    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(
        alert_sources, "client", lambda: httpx.Client(transport=httpx.MockTransport(handler)), raising=True
    )
    monkeypatch.setattr("commonbeat.alerts.fetching.socket.getaddrinfo", _found)
    return (worker or AlertSources()).poll()


def _found(host: str, port: int, **_more: Any) -> list[Any]:
    return [(0, 0, 0, "", ("93.184.216.34", port))]


def feed(*names: str) -> bytes:
    entries = "".join(f"<entry><id>https://weather.example/{name}</id></entry>" for name in names)
    return f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode()


def test_a_feed_is_taken_in_oldest_first_and_one_bad_message_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_source()
    first = message()
    answers: dict[str, bytes | int] = {
        "/feed": feed("3", "2", "1"),
        "/1": write(first),
        "/2": write(following("Update", first)),
        "/3": b"<!DOCTYPE a><a/>",
    }
    assert poll(monkeypatch, answers) == 2
    assert Alert.objects.order_by("pk").values_list("msg_type", flat=True)[1] == "Update"
    source.refresh_from_db()
    assert (source.error, source.etag, source.taken_at, source.polled_at) == ("document type", '"1"', NOW, NOW)
    assert poll(monkeypatch, answers) == 0


def test_what_was_replaced_or_cancelled_before_it_came_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    source, worker = make_source(), AlertSources()
    first, other = message(), message(identifier="w-9")
    update, cancel = following("Update", first), following("Cancel", other, identifier="w-10", info=(info(),))
    poll(monkeypatch, {"/feed": feed("2", "3"), "/2": write(update), "/3": write(cancel)}, worker)
    Source.objects.filter(pk=source.pk).update(polled_at=None)
    poll(monkeypatch, {"/feed": feed("2", "1", "9"), "/1": write(first), "/9": write(other)}, worker)
    assert Alert.objects.count() == 1


def test_a_source_that_fails_says_why_and_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = make_source("Bad", url="https://weather.example/bad")
    good = make_source("Good", url="https://weather.example/good", etag='"old"', error="no answer")
    assert poll(monkeypatch, {"/bad": 503, "/good": write(message())}) == 1
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.error, good.error, good.etag) == ("status 503", "", '"1"')


def test_a_pinned_certificate_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = site_key(tmp_path, name="weather.example", now=NOW)
    source = make_source(certificate=key.certificate.decode())
    assert poll(monkeypatch, {"/feed": write(message())}) == 0
    source.refresh_from_db()
    assert source.error == "not signed"
    Source.objects.update(polled_at=None)
    assert poll(monkeypatch, {"/feed": sign(element_of(message()), key)}) == 1


def test_sources_within_our_network_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_source(url="http://127.0.0.1/feed")
    monkeypatch.setattr(clock, "now", lambda: NOW)
    assert AlertSources().poll() == 0
    source.refresh_from_db()
    assert source.error == "private address"


def test_a_message_that_cannot_be_stored_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    make_source()

    def fails(**given: Any) -> sources.Outcome:
        if given["message"].identifier == "w-1":
            raise RuntimeError("the database is odd today")
        return take_message(**given)

    monkeypatch.setattr(alert_sources, "take_message", fails)
    answers = {"/feed": feed("1", "2"), "/1": write(message()), "/2": write(message(identifier="w-7"))}
    assert poll(monkeypatch, answers) == 1
    assert Source.objects.get().error == "failed"


def test_saving_a_source_is_in_the_journal_without_its_name(administrator: Any) -> None:
    source = save_source(
        source_id=None, name=" Weather ", url="https://w.example/", senders=["a", "", "a "], certificate="",
        is_enabled=True, forwards=False, actor_id=administrator.pk, now=NOW,
    )  # fmt: skip
    assert (source.name, source.senders) == ("Weather", ["a"])
    entry = Entry.objects.get()
    assert (entry.kind, entry.subject_id, entry.data) == (
        "alerts.source_saved", source.pk, {"enabled": True, "forwards": False},
    )  # fmt: skip
