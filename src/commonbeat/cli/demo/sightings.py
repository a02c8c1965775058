"""What the demo town's people saw: for an alert that stands and for one that ended well, by several channels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from commonbeat.alerts.actions.sightings import tie_sighting
from commonbeat.alerts.models import Alert
from commonbeat.messaging.actions import contact_for
from commonbeat.messaging.models import Contact
from commonbeat.people.models import User
from commonbeat.reports.actions.submit import NOWHERE, Whereabouts, submit_report
from commonbeat.reports.actions.work import move_report
from commonbeat.reports.models import PlaceSource, Report
from commonbeat.topics.models import Topic

MAILBOX = "neighbour@people.example"


class Seen(NamedTuple):
    """One sighting: minutes after the alert, channel, place, language, text, and what the desk made of it."""

    minutes: int
    channel: str
    # By its English name; empty where they did not say.
    place: str
    language: str
    text: str
    state: str = "new"


# Of a stolen minibus, on its way through the town.
VAN = (
    Seen(9, "web", "Kindergarten", "en", "It drove off towards Walnut Street, much too fast.", "triaged"),
    Seen(21, "demo_sms", "Mulberry Street", "en", "white minibus with a bent mirror at the corner of Mulberry Street"),
    Seen(34, "demo_sms", "Bazaar Street", "sq", "Një minibus i bardhë u ndal para furrës, pastaj iku."),
    Seen(
        47, "web", "Linden Street", "en", "A white minibus waited at the lights. The sun on its door is scratched off."
    ),
    Seen(58, "email", "School Street", "en", "From my window in School Street I saw two people in it.", "triaged"),
    Seen(66, "web", "Castle", "en", "A white delivery van is parked here, but it is larger.", "rejected"),
    Seen(79, "demo_sms", "", "en", "saw a white bus, no plates"),
    Seen(92, "demo_sms", "Mill Square", "ar", "حافلة بيضاء صغيرة متوقفة خلف الطاحونة"),
    Seen(118, "web", "Stadium", "en", "It stands at the back of the stadium, with the engine off and nobody in it."),
)
# Of a child who was found.
CHILD = (
    Seen(6, "web", "Linden School", "en", "A boy in a red jacket went past the school towards the park.", "triaged"),
    Seen(15, "demo_sms", "Violet Street", "sq", "Pashë një djalë me të kuqe në Rrugën e Manushaqes.", "triaged"),
    Seen(24, "web", "Castle", "en", "Two boys play here, but neither wears red.", "rejected"),
    Seen(41, "demo_sms", "Town park", "en", "boy in red at the swings in the park, he is alone", "triaged"),
    Seen(49, "web", "Town park", "en", "He is on the swings. I stay near him.", "triaged"),
    Seen(52, "email", "Footbridge", "en", "A small boy in a red jacket crossed the footbridge an hour ago.", "triaged"),
    Seen(63, "web", "Town park", "en", "The boy in the park told me his name. I have called you.", "triaged"),
)


def tell_what_was_seen(
    alert: Alert,
    seen: Sequence[Seen],
    *,
    topic: Topic,
    places: Sequence[dict[str, Any]],
    contacts: Sequence[Contact],
    actor: User,
    now: datetime,
) -> int:
    """Let people answer an alert, each from a telephone or mailbox of their own; give how many did."""
    begun_at = alert.released_at
    assert begun_at is not None and topic.current is not None
    by_name = {place["names"]["en"]: place for place in places}
    phones = {language: [one for one in contacts if one.language == language] for language in ("en", "sq", "ar")}
    for number, one in enumerate(seen):
        when = begun_at + timedelta(minutes=one.minutes)
        contact = None
        if one.channel == "demo_sms":
            contact = phones[one.language][number % len(phones[one.language])]
        elif one.channel == "email":
            contact = contact_for(kind="email", address=MAILBOX, channel="email", language=one.language, now=when)
        report, _made = submit_report(
            version=topic.current,
            text=one.text,
            language=one.language,
            channel=one.channel,
            client_key=f"demo:saw:{alert.pk}:{number}",
            where=_where(by_name[one.place], one, number) if one.place else NOWHERE,
            contact_id=contact.pk if contact is not None else None,
            contact_confirmed=contact is not None,
            acknowledged=True,
            now=when,
        )
        tie_sighting(alert_id=alert.pk, report_id=report.pk, now=when)
        _judge(report, one, actor, min(now, when + timedelta(minutes=4)))
    return len(seen)


def _where(place: dict[str, Any], one: Seen, number: int) -> Whereabouts:
    # A little apart, so that two of one place do not lie on each other.
    aside = 0.0002 * (number % 3 - 1)
    name = place["names"].get(one.language, place["names"]["en"])
    source = PlaceSource.MAP if one.channel == "web" else PlaceSource.NAMED
    return Whereabouts(source, name, place["lat"] + aside, place["lon"] - aside)


def _judge(report: Report, one: Seen, actor: User, when: datetime) -> None:
    if one.state == "rejected":
        move_report(report_id=report.pk, to_state="rejected", actor=actor, now=when, reason="It was another one.")
    elif one.state == "triaged" and report.contact_id is None:
        move_report(report_id=report.pk, to_state="triaged", actor=actor, now=when)
