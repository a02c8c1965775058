"""Alerts of the demo town: three that stand, one that ended well, and one that waits for a second person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from commonbeat.alerts.actions.drafts import Draft, Drawn, Words, compose_draft
from commonbeat.alerts.actions.fanning import fan_out_batch, next_fan_out, plan_fan_out
from commonbeat.alerts.actions.follow import end_alert, update_alert
from commonbeat.alerts.actions.release import ask_second, release
from commonbeat.alerts.kinds import kind_of
from commonbeat.alerts.models import Alert
from commonbeat.cli.demo.partners import take_calls
from commonbeat.people.models import User
from commonbeat.places.models import Beat

MILL, BAZAAR, KINDERGARTEN = "Mill and stadium", (42.3823, 20.4303), (42.3817, 20.4220)

WATER = {
    "en": Words(
        "Boil the water before you drink it",
        "A pipe broke near the mill, and earth came into the water of some streets.",
        "Mill quarter",
        "Boil water for drinking and cooking for three minutes. Washing is safe.",
    ),
    "sq": Words(
        "Vlojeni ujin para se ta pini",
        "Afër mullirit u thye një gyp dhe në ujin e disa rrugëve hyri dhe.",
        "Lagjja e Mullirit",
        "Vlojeni tri minuta ujin për pije e gatim. Larja është e sigurt.",
    ),
    "ar": Words(
        "اغلوا الماء قبل شربه",
        "انكسر أنبوب قرب الطاحونة ودخل التراب إلى ماء بعض الشوارع.",
        "حي الطاحونة",
        "اغلوا ماء الشرب والطبخ ثلاث دقائق. الغسيل آمن.",
    ),
}
ROAD = {
    "en": Words(
        "Bazaar Street is closed for the market",
        "Stalls stand on the whole street until the evening. Buses stop at Linden Street.",
        "Bazaar",
        "Walk, or drive round by the station.",
    ),
    "sq": Words(
        "Rruga e Pazarit është e mbyllur për treg",
        "Tezgat janë në gjithë rrugën deri në mbrëmje. Autobusët ndalen te Rruga e Blirit.",
        "Pazari",
        "Ecni në këmbë ose vozitni përreth, nga stacioni.",
    ),
    "ar": Words(
        "شارع البازار مغلق بسبب السوق",
        "الأكشاك على الشارع كله حتى المساء. تقف الحافلات في شارع الزيزفون.",
        "البازار",
        "سيروا على الأقدام أو التفوا من جهة المحطة.",
    ),
}
CHILD = {
    "en": Words(
        "A child is missing near the school",
        "A boy of seven in a red jacket was last seen at the school gate at noon.",
        "Old town",
        "Look into yards and cars. If you see him, stay near and call the emergency number.",
    ),
    "sq": Words(
        "Një fëmijë është zhdukur afër shkollës",
        "Një djalë shtatëvjeçar me xhaketë të kuqe u pa për herë të fundit te dera e shkollës në mesditë.",
        "Qyteti i vjetër",
        "Shikoni në oborre e vetura. Nëse e shihni, qëndroni afër dhe thirrni numrin e emergjencës.",
    ),
    "ar": Words(
        "طفل مفقود قرب المدرسة",
        "شوهد صبي في السابعة يرتدي سترة حمراء آخر مرة عند باب المدرسة ظهرا.",
        "البلدة القديمة",
        "انظروا في الساحات والسيارات. إذا رأيتموه فابقوا قريبين واتصلوا برقم الطوارئ.",
    ),
}
WALL = {
    "en": Words(
        "Danger at the bazaar: a wall may fall",
        "The side wall of an old house leans over Bazaar Street. The street below it is closed on foot, too.",
        "Bazaar",
        "Keep away from the wall. If you live next door, leave by the yard.",
    ),
    "sq": Words(
        "Rrezik te pazari: një mur mund të bjerë",
        "Muri anësor i një shtëpie të vjetër është përkulur mbi Rrugën e Pazarit. Rruga poshtë tij është e mbyllur.",
        "Pazari",
        "Mos iu afroni murit. Nëse banoni ngjitur, dilni nga oborri.",
    ),
    "ar": Words(
        "خطر في البازار: جدار قد يسقط",
        "مال الجدار الجانبي لبيت قديم على شارع البازار. الشارع تحته مغلق أمام المشاة أيضا.",
        "البازار",
        "ابتعدوا عن الجدار. من يسكن بجواره فليخرج من الفناء.",
    ),
}


VAN = {
    "en": Words(
        "Look out for a white minibus",
        "The minibus of the kindergarten was stolen. Its left mirror is bent, and a yellow sun is painted on the door.",
        "Kindergarten",
        "Do not follow it. Remember where it stands or which way it drives, and when.",
    ),
    "sq": Words(
        "Kini kujdes për një minibus të bardhë",
        "U vodh minibusi i kopshtit. Pasqyra e majtë është e përthyer dhe në derë ka një diell të verdhë.",
        "Kopshti",
        "Mos e ndiqni. Mbani mend ku qëndron ose nga shkon, dhe kur.",
    ),
    "ar": Words(
        "انتبهوا لحافلة بيضاء صغيرة",
        "سُرقت حافلة الروضة الصغيرة. مرآتها اليسرى معوجة وعلى بابها شمس صفراء مرسومة.",
        "الروضة",
        "لا تلحقوا بها. تذكروا أين تقف أو إلى أين تسير، ومتى.",
    ),
}


@dataclass(frozen=True, slots=True)
class Warned:
    """What was released: how many stand, and the two for which people looked out."""

    standing: int
    looked_for: Alert
    found: Alert


def warn(author: User, second: User, now: datetime) -> Warned:
    """Release the alerts, through the actions of the desk."""
    lost_at = now - timedelta(days=2, hours=3)
    child = _draft("missing_child", "Immediate", "Severe", CHILD, hours=12, at=lost_at, circle=(*BAZAAR, 1_500))
    missing = compose_draft(draft=child, actor=author, now=lost_at)
    ask_second(alert_id=missing.pk, actor=author, now=lost_at)
    missing = release(alert_id=missing.pk, actor=second, now=lost_at + timedelta(minutes=2))
    _go_out(lost_at + timedelta(minutes=2))
    found_at = lost_at + timedelta(hours=2)
    end_alert(alert_id=missing.pk, outcome="found_safe", actor=author, now=found_at)
    _go_out(found_at)

    broke_at = now - timedelta(hours=5)
    mill = Beat.objects.get(name=MILL).pk
    water = _draft("water", "Expected", "Moderate", WATER, hours=30, at=broke_at, beat=mill)
    _out(water, author, broke_at)

    begun_at = now - timedelta(hours=2)
    road = _draft("road", "Expected", "Minor", ROAD, hours=6, at=begun_at, circle=(*BAZAAR, 300))
    closed = _out(road, author, begun_at)
    later = now - timedelta(minutes=40)
    longer = _draft("road", "Expected", "Minor", ROAD, hours=9, at=later, circle=(*BAZAAR, 300))
    update_alert(alert_id=closed, draft=longer, actor=author, now=later)
    _go_out(later)

    stolen_at = now - timedelta(minutes=135)
    van = _draft("look_out", "Expected", "Moderate", VAN, hours=24, at=stolen_at, circle=(*KINDERGARTEN, 2_500))
    looked_for = Alert.objects.get(pk=_out(van, author, stolen_at))
    take_calls(stolen_at)

    asked_at = now - timedelta(minutes=3)
    wall = _draft("danger", "Immediate", "Severe", WALL, hours=6, at=asked_at, circle=(*BAZAAR, 200))
    waiting = compose_draft(draft=wall, actor=author, now=asked_at)
    ask_second(alert_id=waiting.pk, actor=author, now=asked_at)
    return Warned(standing=3, looked_for=looked_for, found=missing)


def _out(draft: Draft, actor: User, at: datetime) -> int:
    alert = compose_draft(draft=draft, actor=actor, now=at)
    release(alert_id=alert.pk, actor=actor, now=at)
    _go_out(at)
    return alert.pk


def _go_out(at: datetime) -> None:
    """Do what the worker would have done then: nobody in the town has asked for alerts, and partners hear of it."""
    while (fan_out_id := next_fan_out()) is not None:
        plan = plan_fan_out(fan_out_id=fan_out_id, now=at)
        while fan_out_batch(plan=plan, now=at):
            pass
    take_calls(at)


def _draft(
    kind: str,
    urgency: str,
    severity: str,
    texts: dict[str, Words],
    *,
    hours: int,
    at: datetime,
    circle: tuple[float, float, float] | None = None,
    beat: int | None = None,
) -> Draft:
    return Draft(
        kind=kind,
        urgency=urgency,
        severity=severity,
        certainty="Observed",
        expires_at=at + timedelta(hours=hours),
        drawn=Drawn(circles=(circle,) if circle else (), beats=(beat,) if beat else ()),
        texts=texts,
        to_partners=kind_of(kind).to_partners,
    )
