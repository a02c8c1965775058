"""What people read: what, where, what to do, until when, where to read more, how to answer and to stop."""

from __future__ import annotations

import json
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from commonbeat.alerts.models import Alert, AlertText, MsgType
from commonbeat.alerts.rendering import PUSH_BYTES, Site, long_text, push_payload, rendered, sms_text, topic_of
from commonbeat.foundation.text import segments
from commonbeat.messaging.channel import Limits
from tests.make import NOW

SITE = Site("Rahovec", "https://beat.example.org", ZoneInfo("Europe/Belgrade"))


def alert_of(**changes) -> Alert:
    fields = {
        "pk": 12,
        "kind": "missing_child",
        "status": "Actual",
        "urgency": "Immediate",
        "severity": "Severe",
        "certainty": "Observed",
        "msg_type": MsgType.ALERT,
        "expires_at": NOW + timedelta(hours=3),
        **changes,
    }
    return Alert(**fields)


def text_of(language: str = "en", **changes) -> AlertText:
    fields = {
        "headline": "A child is missing: the market",
        "description": "A girl of six in a red coat. Last seen at the market, 14:10.",
        "instruction": "Look around where you are. If you see the child, call 112.",
        "area_desc": "Market",
        **changes,
    }
    return AlertText(language=language, **fields)


def test_a_text_message_says_all_in_few_parts() -> None:
    said = sms_text(alert_of(), text_of(), site=SITE, now=NOW)
    assert said == (
        "A child is missing: the market. A girl of six in a red coat. Last seen at the market, 14:10."
        " Look around where you are. If you see the child, call 112. Until 16:00. https://beat.example.org/a/12"
        " Seen something? Answer SAW and what and where. STOP ALERTS ends these messages."
    )
    assert segments(said).parts == 2


def test_where_is_said_unless_the_headline_does() -> None:
    said = sms_text(alert_of(), text_of(headline="A child is missing"), site=SITE, now=NOW)
    assert said.startswith("A child is missing. Market. A girl")


def test_an_end_on_another_day_names_the_day() -> None:
    said = sms_text(alert_of(expires_at=NOW + timedelta(days=1)), text_of(), site=SITE, now=NOW)
    assert "Until 15 March, 13:00." in said


def test_only_what_asks_for_sightings_asks_for_an_answer() -> None:
    assert "SAW" not in sms_text(alert_of(kind="water"), text_of(), site=SITE, now=NOW)
    assert "SAW" not in sms_text(alert_of(msg_type=MsgType.CANCEL), text_of(), site=SITE, now=NOW)


@pytest.mark.parametrize("language", ["en", "sq", "ar"])
@pytest.mark.parametrize("longer", ["headline", "description", "instruction", "area_desc", "all"])
def test_a_long_text_is_shortened_to_three_parts_and_keeps_its_end(language, longer) -> None:
    word = {"en": "water ", "sq": "ujë ", "ar": "ماء "}[language]
    limits = {"headline": 160, "description": 2_000, "instruction": 2_000, "area_desc": 200}
    changes = {name: (word * 400)[: limit - 1].strip() for name, limit in limits.items() if longer in (name, "all")}
    said = sms_text(alert_of(), text_of(language, **changes), site=SITE, now=NOW)
    assert segments(said).parts <= 3
    assert "https://beat.example.org/a/12" in said
    assert "16:00" in said


def test_albanian_travels_in_plain_letters() -> None:
    text = text_of("sq", headline="Fëmijë i zhdukur: tregu", description="Një vajzë.", instruction="Shikoni përreth.")
    said = sms_text(alert_of(), text, site=SITE, now=NOW)
    assert said.startswith("Femije i zhdukur: tregu.")
    assert segments(said).encoding == "GSM-7"


@pytest.mark.parametrize(("status", "mark"), [("Test", "TEST"), ("Exercise", "EXERCISE")])
def test_what_is_not_meant_is_marked_first_wherever_it_is_read(status, mark) -> None:
    alert = alert_of(status=status)
    assert sms_text(alert, text_of(), site=SITE, now=NOW).startswith(f"{mark}: ")
    assert long_text(alert, text_of(), site=SITE, now=NOW).startswith(f"{mark}: ")
    pushed = json.loads(push_payload(alert, text_of(), site=SITE, now=NOW))
    assert pushed["title"].startswith(f"{mark}: ") and pushed["test"] is True
    assert sms_text(alert, text_of("sq"), site=SITE, now=NOW)[:5] != f"{mark}:"


def test_a_push_message_is_small_and_says_what_it_replaces() -> None:
    text = text_of("ar", headline="طفل مفقود", description="ماء " * 490, instruction="ماء " * 490)
    packed = push_payload(alert_of(), text, site=SITE, now=NOW)
    assert len(packed.encode()) <= PUSH_BYTES
    said = json.loads(packed)
    assert (said["id"], said["lang"], said["dir"], said["topic"]) == (12, "ar", "rtl", "alert-12")
    assert said["urgent"] is True and "over" not in said and "test" not in said
    assert said["expires"] == int((NOW + timedelta(hours=3)).timestamp())


def test_what_follows_has_the_topic_and_the_page_of_the_first() -> None:
    end = alert_of(pk=15, root_id=12, msg_type=MsgType.CANCEL)
    said = json.loads(push_payload(end, text_of(), site=SITE, now=NOW))
    assert (said["id"], said["topic"], said["over"]) == (12, topic_of(alert_of()), True)
    assert "urgent" not in said
    assert "/a/12 " in sms_text(end, text_of(), site=SITE, now=NOW)
    # It is over: there is no until.
    assert "16:00" not in sms_text(end, text_of(), site=SITE, now=NOW)


def test_each_channel_gets_what_it_can_carry() -> None:
    def on(kind: str, in_parts: bool) -> str:
        limits = Limits(address_kind=kind, per_second=1, in_parts=in_parts)
        return rendered(alert_of(), text_of(), limits, site=SITE, now=NOW)

    assert "\n" not in on("phone", True)
    assert on("push", True).startswith("{")
    assert "\n\nWhere: Market\n\n" in on("email", False) == on("phone", False)
