"""A liaison of the demo town, who reports for people without a telephone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from commonbeat.people.models import User
from commonbeat.reports.actions.proxies import (
    Enrolment,
    accept_proxy,
    enrol_proxy,
    put_on_behalf,
    record_consent,
    say_why_not_asked,
)
from commonbeat.reports.actions.submit import Whereabouts, submit_report
from commonbeat.reports.models import PlaceSource
from commonbeat.topics.models import Topic

NUMBER = "+38344000107"
# Topic, text, place, minutes ago, consent, why not asked.
TOLD = (
    (
        "street-light",
        "The lamp at the well is dark, and the women fetch water there in the evening.",
        0,
        95,
        "word",
        "",
    ),
    (
        "violence",
        "A woman in our village is beaten at home.",
        1,
        40,
        "danger",
        "Her telephone is watched, and so is she.",
    ),
)


def report_for_others(
    places: list[dict[str, Any]], topics: Mapping[str, Topic], actor: User, unit_id: int, now: datetime
) -> int:
    """Enrol a liaison who makes two reports; gives their number."""
    row = Enrolment(NUMBER, "liaison", "Upper valley", unit_id, language="en")
    proxy = enrol_proxy(row=row, actor=actor, now=now - timedelta(days=20))
    accept_proxy(proxy_id=proxy.pk, now=now - timedelta(days=20))
    for number, (code, text, place, minutes, consent, why) in enumerate(TOLD):
        version = topics[code].current
        assert version is not None
        when = now - timedelta(minutes=minutes)
        spot = places[place]
        report, _made = submit_report(
            version=version,
            text=text,
            language="en",
            channel="demo_sms",
            client_key=f"demo:proxy:{number}",
            where=Whereabouts(PlaceSource.NAMED, spot["names"]["en"], spot["lat"], spot["lon"]),
            contact_id=proxy.contact_id,
            contact_confirmed=True,
            acknowledged=True,
            now=when,
        )
        put_on_behalf(report_id=report.pk, contact_id=proxy.contact_id, now=when)
        answered: dict[str, Any] = {
            "report_id": report.pk,
            "contact_id": proxy.contact_id,
            "now": when + timedelta(minutes=1),
        }
        record_consent(consent=consent, **answered)
        if why:
            say_why_not_asked(text=why, **answered)
    return len(TOLD)
