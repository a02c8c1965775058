"""The alert of a drill: composed by one invented officer and released by another, through the actions of the desk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from commonbeat.alerts.actions.drafts import Draft, Drawn, Words, compose_draft
from commonbeat.alerts.actions.release import ask_second, release
from commonbeat.alerts.models import Alert, Status
from commonbeat.cli.drill.plan import Plan
from commonbeat.foundation.ids import new_token
from commonbeat.people.actions import create_staff, create_unit
from commonbeat.people.models import Role, User
from commonbeat.places.actions import create_beat
from commonbeat.places.models import Beat

_WORDS = {
    "en": Words(
        "This is a drill", "We try whether alerts reach everybody. Nothing has happened.", "All", "Do nothing."
    ),
    "sq": Words(
        "Kjo është një provë", "Po provojmë nëse njoftimet arrijnë te të gjithë. Nuk ka ndodhur asgjë.", "Kudo"
    ),
    "ar": Words("هذا تمرين", "نختبر وصول التنبيهات إلى الجميع. لم يحدث شيء.", "كل المناطق"),
}


def made_beats(plan: Plan, *, now: datetime) -> list[Beat]:
    """Store the outlines of the real site's beats, under numbers."""
    unit = create_unit(name="Drill", is_fallback=True, actor_id=None, now=now)
    return [
        create_beat(name=f"Beat {number}", unit_id=unit.pk, area=one.area, actor_id=None, now=now)
        for number, one in enumerate(plan.beats, 1)
    ]


def made_alert(plan: Plan, beats: Sequence[Beat], *, now: datetime) -> tuple[Alert, User]:
    """Compose the alert; give it and who is to release it."""
    unit_id = beats[0].unit_id
    author, second = (
        create_staff(username=name, password=new_token(), role=Role.OFFICER, unit_id=unit_id, actor_id=None, now=now)
        for name in ("drill-1", "drill-2")
    )
    chosen = [beat.pk for beat, one in zip(beats, plan.beats, strict=True) if one.is_alerted]
    drawn = Drawn(polygons=plan.polygons) if plan.polygons else Drawn(beats=chosen)
    draft = Draft(
        kind="danger",
        # What takes two people; as a test it breaks no quiet hours, of which a drill has none.
        urgency="Immediate",
        severity="Severe",
        certainty="Observed",
        status=Status.TEST,
        expires_at=now + timedelta(hours=12),
        drawn=drawn,
        texts={language: _WORDS.get(language, _WORDS["en"]) for language in plan.languages},
        is_large_meant=True,
    )
    alert = compose_draft(draft=draft, actor=author, now=now)
    ask_second(alert_id=alert.pk, actor=author, now=now)
    return alert, second


def release_by_two(alert: Alert, second: User, *, now: datetime) -> None:
    """Release it as its second person."""
    release(alert_id=alert.pk, actor=second, now=now)
