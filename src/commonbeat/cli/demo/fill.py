"""Fill an empty site with an invented town, through the same actions that a real one uses."""

from __future__ import annotations

import io
import json
import random
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.utils import translation
from PIL import Image, ImageDraw, ImageFilter

from commonbeat.cli.demo.audits import audit_places
from commonbeat.cli.demo.counted import tell_of_harassment
from commonbeat.cli.demo.partners import add_partners, pause
from commonbeat.cli.demo.proxies import report_for_others
from commonbeat.cli.demo.senders import tell_of_senders
from commonbeat.cli.demo.sightings import CHILD, VAN, tell_what_was_seen
from commonbeat.cli.demo.tips import tell_tips
from commonbeat.cli.demo.translations import ask_for_translations
from commonbeat.cli.demo.warnings import warn
from commonbeat.journal.actions import move_cursor
from commonbeat.journal.models import Entry
from commonbeat.media.actions import keep_photo
from commonbeat.messaging.actions import contact_for
from commonbeat.messaging.models import Contact
from commonbeat.people.models import Role, Unit, User
from commonbeat.places.actions import PlaceRow, create_beat, load_places
from commonbeat.reactions.run import CURSOR
from commonbeat.reports.actions.dialogue import answer_desk, ask_reporter
from commonbeat.reports.actions.incidents import merge_reports
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.actions.submit import Whereabouts, submit_report
from commonbeat.reports.actions.work import add_note, claim_report, move_report, verify_report
from commonbeat.reports.models import PlaceSource, Report
from commonbeat.topics.definition import Definition, FieldKind
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import SIGHTING
from commonbeat.topics.ready_made import install_ready_made

HERE = Path(__file__).parent
SEED = 4711
REPORTS = 160
STAFF = [
    ("mira", Role.OFFICER, "Mira", "Old Town team"),
    ("jon", Role.OFFICER, "Jon", "Valley team"),
    ("sara", Role.SUPERVISOR, "Sara", "Old Town team"),
    ("luan", Role.MODERATOR, "Luan", None),
    ("vera", Role.OVERSEER, "Vera", None),
    ("admin", Role.ADMINISTRATOR, "Site administrator", None),
    ("dita", Role.TRANSLATOR, "Dita", None),
]
# Between which languages a volunteer translates.
READS = {"dita": ["en", "sq", "ar"]}
INTROS = {
    "mira": "I walk the bazaar and the streets by the river. Tell me what you see; I answer within two days.",
    "jon": "I am out in the valley on weekdays, by the school at eight and at the station in the evening.",
}


@dataclass(frozen=True, slots=True)
class Town:
    """What the demo town consists of."""

    staff: dict[str, User]
    contacts: list[Contact]
    places: list[dict[str, Any]]
    topics: dict[str, Topic]


def fill_demo(*, now: datetime) -> Iterator[str]:
    """Make the town; yields a sentence per step, and writes demo.json with the log-ins."""
    chance = random.Random(SEED)
    install_ready_made(now=now)
    yield "Topics are in place."
    town = people_and_places(now)
    yield f"Bregova has {len(town.places)} named places and its teams."
    ages = [8 + n * 37 if n < 9 else chance.randint(300, 60 * 24 * 45) for n in range(REPORTS)]
    made = [
        _one_report(chance, town, index, now - timedelta(minutes=age))
        for index, age in enumerate(sorted(ages, reverse=True))
    ]
    reports = made[::-1]
    yield f"{len(reports)} reports came in."
    _work_through(chance, town, reports, now)
    yield "The desk has worked on them."
    audits = audit_places(chance, town.places, town.topics["safety-audit"], town.staff["sara"], now)
    yield f"{audits} audits say how safe places are."
    told = tell_of_harassment(chance, town.places, town.topics["harassment"], town.staff["sara"], now)
    yield f"{told} reports of harassment are told in numbers alone."
    valley = town.staff["jon"].unit_id
    assert valley is not None
    count = report_for_others(town.places, town.topics, town.staff["sara"], valley, now)
    yield f"A liaison has made {count} reports for others."
    sara = town.staff["sara"]
    waiting = ask_for_translations(sara, (town.staff["mira"], town.staff["jon"]), town.staff["dita"], now)
    yield f"{waiting} texts wait for a volunteer who translates."
    held = tell_of_senders(town.contacts, sara, now)
    yield f"{held} messages wait in the quarantine."
    admin = town.staff["admin"]
    add_partners(admin, now)
    warned = warn(town.staff["mira"], sara, now)
    pause(admin, now - timedelta(minutes=30))
    yield f"{warned.standing} alerts stand, one has ended, and one waits for a second person."
    seen = sum(
        tell_what_was_seen(
            alert,
            told,
            topic=town.topics[SIGHTING],
            places=town.places,
            contacts=town.contacts,
            actor=sara,
            now=now,
        )
        for alert, told in ((warned.found, CHILD), (warned.looked_for, VAN))
    )
    yield f"{seen} people told what they saw, and two partners hear of alerts."
    sealed = tell_tips((town.staff["mira"], sara), admin, warned.looked_for, _picture(chance), WORDS, now)
    yield f"{sealed} sealed tips wait for the members of their desk."
    town_map_file()


def town_map_file() -> None:
    """Put the town's map where the site looks for it."""
    maps = settings.COMMONBEAT.data_dir / "maps"
    maps.mkdir(exist_ok=True)
    shutil.copyfile(HERE / "town.pmtiles", maps / "town.pmtiles")


def people_and_places(now: datetime) -> Town:
    """Make the town's teams, people, beats and places, and write demo.json with the log-ins."""
    # A new site's front desk becomes a team of the town.
    Unit.objects.filter(is_fallback=True).delete()
    units = {
        "Old Town team": Unit.objects.create(name="Old Town team", is_fallback=True),
        "Valley team": Unit.objects.create(name="Valley team"),
    }
    staff: dict[str, User] = {}
    logins = []
    for username, role, name, unit in STAFF:
        password = "-".join(secrets.choice(WORDS) for _n in range(3))
        user = User(username=username, role=role, display_name=name, unit=units.get(unit or ""))
        user.public_intro = INTROS.get(username, "")
        user.languages_read = READS.get(username, [])
        user.public_hours = "Mon–Fri 8–16" if user.public_intro else ""
        user.set_password(password)
        user.save()
        secret = generate_totp_secret()
        TOTP.activate(user, secret)
        staff[username] = user
        logins.append(
            {
                "username": username,
                "password": password,
                "totp_secret": secret,
                "role": role.value,
                "name": name,
            }
        )
    for number, beat in enumerate(json.loads((HERE / "beats.json").read_text("utf-8"))):
        team, officer = ("Old Town team", "mira") if number < 2 else ("Valley team", "jon")
        made = create_beat(name=beat["name"], area=beat["polygon"], unit_id=units[team].pk, actor_id=None, now=now)
        made.officers.add(staff[officer])
    places = json.loads((HERE / "places.json").read_text("utf-8"))
    rows = [PlaceRow(p["names"], p["lat"], p["lon"], p["kind"], p["aliases"]) for p in places]
    load_places(rows, now=now)
    contacts = [
        contact_for(kind="phone", address=f"+38344000{n:03d}", channel="demo_sms", language=language, now=now)
        for n, language in enumerate(["en", "sq", "ar", "sq", "en", "sq"], start=101)
    ]
    file = settings.COMMONBEAT.data_dir / "demo.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(logins, indent=1), "utf-8")
    topics = {t.code: t for t in Topic.objects.select_related("current")}
    return Town(staff, contacts, places, topics)


def _one_report(chance: random.Random, town: Town, index: int, when: datetime) -> Report:
    texts = TEXTS
    text = texts[index % len(texts)]
    topic = town.topics[text["topic"]]
    assert topic.current is not None
    place = chance.choice(town.places)
    by_sms = chance.random() < 0.35
    photos = []
    if topic.code == "illegal-dump" and chance.random() < 0.5:
        photos.append(keep_photo(data=_picture(chance), now=when).pk)
    placed = chance.random() > 0.06
    with translation.override(text["language"]):
        report, _made = submit_report(
            version=topic.current,
            title=text["title"],
            text=text["text"],
            language=text["language"],
            channel="demo_sms" if by_sms else "web",
            client_key=f"demo:{index}",
            categories=_categories(chance, topic.definition),
            answers=_answers(chance, topic.definition),
            where=Whereabouts(
                source=PlaceSource.NAMED if by_sms else PlaceSource.MAP,
                name=place["names"].get(text["language"], place["names"]["en"]),
                latitude=place["lat"] + chance.uniform(-0.0012, 0.0012),
                longitude=place["lon"] + chance.uniform(-0.0016, 0.0016),
            )
            if placed
            else Whereabouts(),
            occurred_at=when - timedelta(hours=chance.randint(1, 30)),
            contact_id=chance.choice(town.contacts).pk if by_sms else None,
            contact_confirmed=by_sms,
            photo_ids=photos,
            acknowledged=True,
            now=when,
        )
    return report


def _categories(chance: random.Random, definition: Definition) -> list[str]:
    return [chance.choice(definition.categories).code] if definition.categories else []


def _answers(chance: random.Random, definition: Definition) -> dict[str, object]:
    answers: dict[str, object] = {}
    for field in definition.fields:
        if field.kind == FieldKind.RATING:
            answers[field.code] = min(3, max(0, round(chance.gauss(1.7, 0.9))))
        elif field.kind == FieldKind.CHOICE and field.options:
            answers[field.code] = chance.choice(field.options).code
        elif field.kind == FieldKind.CHOICES and field.options:
            picked = chance.sample(field.options, k=min(len(field.options), chance.randint(1, 2)))
            answers[field.code] = [option.code for option in picked]
    return answers


def _work_through(chance: random.Random, town: Town, reports: list[Report], now: datetime) -> None:
    sara = town.staff["sara"]
    officers = {u.unit_id: u for u in (town.staff["jon"], town.staff["mira"])}
    verified = 0
    for index, report in enumerate(reports):
        officer = officers[report.unit_id]
        worked = min(now, report.created_at + timedelta(hours=chance.randint(1, 40)))
        roll = chance.random()
        if index < 14 or roll < 0.12:
            continue
        if roll < 0.18:
            move_report(
                report_id=report.pk, to_state="rejected", actor=officer, now=worked, reason="Outside of our area."
            )
            continue
        move_report(report_id=report.pk, to_state="triaged", actor=officer, now=worked)
        if roll < 0.3:
            continue
        if chance.random() < 0.3:
            verified += 1
            verify_report(
                report_id=report.pk,
                evidence="Seen on patrol." if chance.random() < 0.6 else "Two neighbours say the same.",
                independent_sources=chance.randint(1, 3),
                actor=officer,
                now=worked,
            )
        publish_report(
            report_id=report.pk,
            title=report.title or report.topic_version.definition.name["en"],
            text=report.text,
            place_name=report.place_name,
            photo_ids=[p.photo_id for p in report.report_photos.all()],
            actor=officer,
            now=worked,
        )
        report.refresh_from_db()
        if report.state == "published" and chance.random() < 0.25:
            move_report(report_id=report.pk, to_state="resolved", actor=officer, now=worked)
    # What lies weeks back is not told to the telephones now, all at once; what follows is.
    move_cursor(name=CURSOR, to=Entry.objects.latest("id").pk)
    _stories(town, reports, officers, sara, now)


def _stories(town: Town, reports: list[Report], officers: dict[int | None, User], sara: User, now: datetime) -> None:
    """Give the newest reports something to look at: a claim, a question and its answer, a held text, an incident."""
    first, second, third, fourth, *_rest = reports
    with_phone = next((r for r in reports[:14] if r.contact_id), second)
    officer = officers[with_phone.unit_id]
    ask_reporter(
        report_id=with_phone.pk,
        text="Thank you. Is it still there, and can a van reach it?",
        actor=officer,
        now=now - timedelta(minutes=30),
    )
    answer_desk(
        report_id=with_phone.pk,
        text="Yes, still there. A small van can come from the side of the mill.",
        client_key="demo:answer",
        now=now - timedelta(minutes=12),
    )
    add_note(
        report_id=first.pk, text="I pass there this afternoon and take a look.", actor=officers[first.unit_id], now=now
    )
    publish_report(
        report_id=third.pk,
        title=third.title or "Waste behind the bazaar",
        text=third.text + " Call me on 044 123 456, the thief lives next door.",
        actor=officers[third.unit_id],
        now=now - timedelta(minutes=20),
    )
    # Not those that already show something else: a merged report gives its public copy back.
    shown = {first.pk, second.pk, third.pk, fourth.pk, with_phone.pk}
    same = [r for r in reports if r.topic_id == fourth.topic_id and r.pk not in shown and r.state == "new"][:2]
    if same:
        merge_reports(report_id=fourth.pk, other_ids=[r.pk for r in same], actor=sara, now=now)
    claim_report(report_id=first.pk, actor=officers[first.unit_id], now=now)


def _picture(chance: random.Random) -> bytes:
    """Draw a small invented picture of a heap, so that the demo shows no real place."""
    sky = (chance.randint(150, 210), chance.randint(180, 215), chance.randint(205, 235))
    image = Image.new("RGB", (1280, 960), sky)
    draw = ImageDraw.Draw(image)
    draw.polygon([(0, 520), (420, 410), (900, 500), (1280, 430), (1280, 960), (0, 960)], fill=(122, 140, 98))
    draw.rectangle([0, 640, 1280, 960], fill=(150, 138, 118))
    for _n in range(70):
        x, y = chance.gauss(640, 190), chance.gauss(690, 60)
        size = chance.randint(30, 110)
        shade = chance.choice([(70, 74, 80), (196, 190, 176), (148, 92, 66), (52, 84, 112), (208, 204, 200)])
        draw.polygon(
            [(x + chance.uniform(-size, size), y + chance.uniform(-size, size) * 0.6) for _c in range(5)], fill=shade
        )
    out = io.BytesIO()
    image.filter(ImageFilter.GaussianBlur(1.2)).save(out, "JPEG", quality=82)
    return out.getvalue()


WORDS = (
    "amber basin cedar delta ember fjord grove harbor island juniper kettle lantern meadow nectar orchard pebble "
    "quarry ribbon saddle timber umbra valley willow yonder zephyr barley clover drift falcon glade hazel linden"
).split()
TEXTS: list[dict[str, str]] = json.loads((HERE / "texts.json").read_text("utf-8"))
