"""Make the things that tests need: plain functions, sensible defaults, every detail nameable."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.mfa.utils import decrypt
from django.test import Client

from commonbeat.foundation import cells
from commonbeat.foundation.ids import new_token
from commonbeat.media.models import Photo
from commonbeat.messaging.models import Contact, ContactKind
from commonbeat.people.models import Role, Unit, User
from commonbeat.places.models import Beat, Place, PlaceName
from commonbeat.reports.models import PlaceSource, Publication, PublicationState, Report
from commonbeat.topics.definition import Definition, Option, encode
from commonbeat.topics.models import Topic, TopicVersion

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
# Every made place lies around this point, inside the beat that make_beat makes.
LATITUDE, LONGITUDE = 42.38, 20.43

_numbers = itertools.count(1)


def make_unit(*, name: str = "", is_fallback: bool = False) -> Unit:
    """Make a unit."""
    return Unit.objects.create(name=name or f"Unit {next(_numbers)}", is_fallback=is_fallback)


def fallback() -> Unit:
    """Give the fallback desk, made when there is none."""
    return Unit.objects.filter(is_fallback=True).first() or make_unit(name="Fallback desk", is_fallback=True)


def make_user(
    username: str = "",
    *,
    role: Role = Role.RESIDENT,
    unit: Unit | None = None,
    password: str = "a long enough word",
    second_factor: bool | None = None,
    **fields: Any,
) -> User:
    """Make an account; staff get a TOTP second factor unless second_factor=False."""
    user = User.objects.create_user(
        username=username or f"user-{next(_numbers)}", password=password, role=role, unit=unit, **fields
    )
    if second_factor if second_factor is not None else role != Role.RESIDENT:
        TOTP.activate(user, generate_totp_secret())
    return user


def totp_secret(user: User) -> str:
    """Give the TOTP secret of an account, for signing in through the pages."""
    return str(decrypt(Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP).data["secret"]))


def signed_in(user: User) -> Client:
    """Give a browser in which somebody is signed in."""
    client = Client()
    client.force_login(user)
    return client


def square(latitude: float = LATITUDE, longitude: float = LONGITUDE, half: float = 0.05) -> dict[str, Any]:
    """Give a GeoJSON square around a point; half its side in degrees."""
    south, north, west, east = latitude - half, latitude + half, longitude - half, longitude + half
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def make_beat(
    *,
    unit: Unit | None = None,
    name: str = "",
    latitude: float = LATITUDE,
    longitude: float = LONGITUDE,
    half: float = 0.05,
    officers: Sequence[User] = (),
) -> Beat:
    """Make a square beat around a point."""
    beat = Beat.objects.create(
        name=name or f"Beat {next(_numbers)}",
        unit=unit or fallback(),
        area=square(latitude, longitude, half),
        south=latitude - half,
        north=latitude + half,
        west=longitude - half,
        east=longitude + half,
    )
    beat.officers.set(officers)
    _forget_beats()
    return beat


def make_place(
    name: str = "",
    *,
    names: Mapping[str, str] | None = None,
    latitude: float = LATITUDE,
    longitude: float = LONGITUDE,
    kind: str = "",
) -> Place:
    """Make a place of the gazetteer, with one spelling per name."""
    from commonbeat.foundation.text import fold

    given = dict(names or {"en": name or f"Place {next(_numbers)}"})
    place = Place.objects.create(names=given, kind=kind, latitude=latitude, longitude=longitude)
    for folded in {fold(each) for each in given.values()}:
        PlaceName.objects.create(place=place, folded=folded)
    _forget_beats()
    return place


def make_topic(code: str = "", *, definition: Definition | None = None, **changes: Any) -> Topic:
    """Make a topic with one version; `changes` replace parts of a plain definition."""
    code = code or f"topic-{next(_numbers)}"
    if definition is None:
        parts: dict[str, Any] = {
            "name": {"en": code.replace("-", " ").capitalize()},
            "categories": [Option(code="first", label={"en": "First"}), Option(code="second", label={"en": "Second"})],
        }
        definition = Definition(**{**parts, **changes})
    topic, _made = Topic.objects.get_or_create(code=code)
    number = topic.versions.count() + 1
    topic.current = TopicVersion.objects.create(topic=topic, number=number, data=encode(definition), created_at=NOW)
    topic.save(update_fields=["current"])
    return topic


def make_contact(address: str = "", *, language: str = "en", channel: str = "demo_sms", now: datetime = NOW) -> Contact:
    """Make a contact by its phone number, through the action that channels use."""
    from commonbeat.messaging.actions import contact_for

    number = address or f"+38344{next(_numbers):06d}"
    return contact_for(kind=ContactKind.PHONE, address=number, channel=channel, language=language, now=now)


def make_photo(*, is_public: bool = False, now: datetime = NOW) -> Photo:
    """Make the row of a picture, without files."""
    return Photo.objects.create(
        original_token=new_token(),
        public_token=new_token(),
        sha256=bytes(32),
        # Far from every other, as two pictures are.
        phash=next(_numbers) * 0x9E3779B97F4A7C15 % 2**64 - 2**63,
        width=1600,
        height=1200,
        created_at=now,
        is_public=is_public,
    )


def make_report(
    *,
    topic: Topic | None = None,
    text: str = "The lamp in front of the school has been dark for a week.",
    latitude: float | None = LATITUDE,
    longitude: float | None = LONGITUDE,
    place_source: str = PlaceSource.MAP,
    place_name: str = "",
    language: str = "en",
    channel: str = "web",
    contact: Contact | None = None,
    client_key: str = "",
    contact_confirmed: bool = True,
    now: datetime = NOW,
    unit: Unit | None = None,
    **more: Any,
) -> Report:
    """Make a report through the action that every door uses; `unit` moves it to that unit's desk."""
    from commonbeat.reports.actions.submit import Whereabouts, submit_report

    topic = topic or Topic.objects.filter(current__isnull=False).first() or make_topic("street-light")
    assert topic.current is not None
    fallback()
    if latitude is None or longitude is None:
        place_source = PlaceSource.NAMED if place_name else PlaceSource.NONE
    report, _made = submit_report(
        version=topic.current,
        text=text,
        language=language,
        channel=channel,
        client_key=client_key or new_token(),
        where=Whereabouts(source=place_source, name=place_name, latitude=latitude, longitude=longitude),
        contact_id=contact.pk if contact else None,
        contact_confirmed=contact is not None and contact_confirmed,
        now=now,
        **more,
    )
    if unit is not None and report.unit_id != unit.pk:
        Report.objects.filter(pk=report.pk).update(unit=unit)
        report.refresh_from_db()
    return report


def make_publication(
    *, report: Report | None = None, state: str = PublicationState.PUBLIC, now: datetime = NOW, **changes: Any
) -> Publication:
    """Make the public copy of a report as a bare row, at the public place of its topic; `changes` replace fields."""
    report = report or make_report(now=now)
    definition = report.topic_version.definition
    place: dict[str, Any] = {}
    if report.latitude is not None and report.longitude is not None:
        latitude, longitude, cell = cells.fuzz(report.latitude, report.longitude, definition.public_resolution)
        place = {"latitude": latitude, "longitude": longitude, "cell": cell}
    fields: dict[str, Any] = {
        "report": report,
        "code": new_token()[:12],
        "topic": report.topic,
        "categories": report.categories,
        "title": report.title or "A lamp is dark",
        "text": report.text,
        "language": report.language,
        "place_name": report.place_name,
        "beat": report.beat,
        "public_at": now,
        "state": state,
        "lists_each": definition.publishes == "each",
        **place,
        **changes,
    }
    return Publication.objects.create(**fields)


def _forget_beats() -> None:
    # Beats and the gazetteer are kept in memory between requests; a test that adds to them must be seen.
    from commonbeat.places import beats

    forget = getattr(beats, "forget", None)
    if forget is not None:
        forget()
