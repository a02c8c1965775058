"""A drill cannot reach anybody, and counts rightly."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from commonbeat.alerts.models import Subscription
from commonbeat.cli.drill import command, population
from commonbeat.cli.drill.alert import made_alert, made_beats, release_by_two
from commonbeat.cli.drill.command import drill
from commonbeat.cli.drill.loopback import RESERVED, Loopback, address_of
from commonbeat.cli.drill.plan import Beat, Plan, plan_of, polygons_in
from commonbeat.cli.drill.scratch import environment_of
from commonbeat.cli.drill.table import Line, lines_of, percentile, written
from commonbeat.foundation.phone import normalise_phone
from commonbeat.messaging.channel import Failed, Outbound, Sent, channels
from commonbeat.messaging.models import Contact
from commonbeat.messaging.models import Outbound as Row
from commonbeat.messaging.queries import address_of as contact_address
from tests.alerts.going_out import fan_out
from tests.make import LATITUDE, LONGITUDE, NOW, make_beat, square


def plan(**changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "people": 60,
        "rates": {"sms": 50.0, "push": 50.0, "email": 50.0},
        "beats": [Beat(square(half=0.02)), Beat(square(LATITUDE + 1, half=0.02), is_alerted=False)],
        "polygons": [],
        "languages": ["en", "sq"],
        "seconds": 5.0,
        "give_up": 60.0,
        "failing": 0.1,
        "stumbling": 0.1,
        "seed": 1,
        **changes,
    }
    return Plan(**fields)


def message(recipient: str) -> Outbound:
    return Outbound(recipient=recipient, text="A drill", idempotency_key=f"alert:1:{recipient}")


# ------------------------------------------------------------------ nobody is reached


@pytest.mark.parametrize(
    ("kind", "recipient"),
    [
        ("phone", "+38344123456"),
        ("phone", "+99900000000"),
        ("phone", "+9990000000011"),
        ("phone", "+999000000001\n"),
        ("email", "person@example.org"),
        ("email", "person-1@drill.invalid.example.org"),
        ("push", "https://fcm.googleapis.com/1"),
        ("push", '{"endpoint":"https://drill.invalid/1"}'),
    ],
)
def test_the_gateway_takes_nobody_elses_address(kind: str, recipient: str) -> None:
    gateway = Loopback("drill_sms", kind)
    assert gateway.send(message(recipient)) == Failed("not of the drill", permanent=True)
    assert gateway.strayed == 1


@pytest.mark.parametrize("kind", list(RESERVED))
def test_the_drills_addresses_are_nobodys(kind: str) -> None:
    gateway = Loopback("drill", kind)
    assert isinstance(gateway.send(message(address_of(kind, 17))), Sent) and gateway.strayed == 0
    assert RESERVED[kind].fullmatch(address_of(kind, 999_999))


def test_a_site_takes_no_number_of_a_drill_for_one_of_its_people() -> None:
    assert normalise_phone(address_of("phone", 1), "XK") is None


def test_the_process_knows_nothing_of_the_sites_gateways(
    settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = {
        field.name: f"private-{field.name}"
        for field in dataclasses.fields(settings.COMMONBEAT)
        if field.type in ("str", str) and field.name not in ("region", "time_zone", "site_name")
    }
    assert {"kannel_password", "secret_key", "mail_smtp_password", "database_url"} <= set(private)
    monkeypatch.setenv("COMMONBEAT_KANNEL_PASSWORD", "private-too")
    monkeypatch.setenv("COMMONBEAT_CONFIG", "/etc/private.toml")
    options = dataclasses.replace(settings.COMMONBEAT, **private)
    found = environment_of(options, tmp_path, "")
    ours = {name: value for name, value in found.items() if name.startswith("COMMONBEAT_")}
    assert set(ours) == {
        f"COMMONBEAT_{name}"
        for name in (
            "REGION", "LANGUAGES", "TIME_ZONE", "SITE_NAME", "DATA_DIR", "SECRET_KEY", "SITE_URL", "QUIET_HOURS",
        )
    }  # fmt: skip
    assert not any("private" in value for value in ours.values())
    assert ours["COMMONBEAT_DATA_DIR"] == str(tmp_path)


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.getaddrinfo('localhost', 9)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))",
        "smtplib.SMTP('127.0.0.1', 9)",
        "httpx.get('http://127.0.0.1:9/', trust_env=False)",
        "urllib.request.urlopen('http://127.0.0.1:9/')",
    ],
)
def test_its_process_can_open_no_connection(attempt: str) -> None:
    code = (
        "import httpx, smtplib, socket, urllib.request\n"
        "from commonbeat.cli.drill.run import WayOut, close_every_way_out\n"
        f"close_every_way_out()\ntry:\n    {attempt}\nexcept WayOut:\n    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "refused\n", done.stderr


# ------------------------------------------------------------------ the people and the alert


@pytest.mark.django_db
def test_the_people_are_the_same_for_the_same_seed_and_live_in_the_beats() -> None:
    def made(seed: int) -> list[tuple[Any, ...]]:
        Contact.objects.all().delete()
        given = plan(seed=seed)
        population.make_people(given, beats, now=NOW)
        contacts = Contact.objects.order_by("pk")
        assert all(RESERVED[one.kind].fullmatch(contact_address(one)) for one in contacts)
        assert {one.channel for one in contacts} == {"drill_sms", "drill_push", "drill_email"}
        columns = ("shape", "latitude", "longitude", "radius", "beat_id", "language")
        return list(Subscription.objects.order_by("pk").values_list(*columns))

    beats = made_beats(plan(), now=NOW)
    first = made(1)
    assert first == made(1) != made(2) and len(first) == 60
    points = [(latitude, longitude) for _, latitude, longitude, *_ in first if latitude is not None]
    assert len(points) > 30
    near = [one for one in points if any(abs(one[0] - middle) < 0.05 for middle in (LATITUDE, LATITUDE + 1))]
    assert near == points and {round(one[0] - LATITUDE) for one in points} == {0, 1}
    assert all(abs(one[1] - LONGITUDE) < 0.05 for one in points)


@pytest.mark.django_db
def test_the_alert_is_a_test_for_the_beats_that_were_named(settings) -> None:
    settings.COMMONBEAT = dataclasses.replace(settings.COMMONBEAT, languages=("en", "sq"))
    beats = made_beats(plan(), now=NOW)
    alert, second = made_alert(plan(), beats, now=NOW)
    assert (alert.status, alert.needs_second, alert.to_partners) == ("Test", True, False)
    assert (alert.south, alert.north) == pytest.approx((LATITUDE - 0.02, LATITUDE + 0.02))
    release_by_two(alert, second, now=NOW)
    alert.refresh_from_db()
    assert alert.state == "released" and alert.released_by == second


@pytest.mark.django_db
def test_the_alert_is_for_the_polygons_that_were_named(settings) -> None:
    settings.COMMONBEAT = dataclasses.replace(settings.COMMONBEAT, languages=("en", "sq"))
    given = plan(polygons=[square(LATITUDE + 2, half=0.01)])
    alert, _ = made_alert(given, made_beats(given, now=NOW), now=NOW)
    assert (alert.south, alert.north) == pytest.approx((LATITUDE + 1.99, LATITUDE + 2.01))


@pytest.mark.parametrize(
    ("tree", "number"),
    [
        (square(), 1),
        ({"type": "Feature", "geometry": square()}, 1),
        ({"type": "MultiPolygon", "coordinates": [square()["coordinates"], square(5)["coordinates"]]}, 2),
        ({"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": square()}] * 3}, 3),
        ({"type": "FeatureCollection", "features": []}, 0),
        ({"type": "Point", "coordinates": [1, 2]}, 0),
        ({"type": "Feature", "geometry": None}, 0),
        ([], 0),
    ],
)
def test_polygons_are_found(tree: Any, number: int) -> None:
    if number:
        assert len(polygons_in(tree)) == number
        return
    with pytest.raises(ValueError, match=r"polygon|GeoJSON"):
        polygons_in(tree)


# ------------------------------------------------------------------ the gateway and the table


def test_the_same_people_fail_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commonbeat.cli.drill.loopback.time.sleep", lambda _: None)

    def outcomes(seed: int, order: int) -> dict[str, list[str]]:
        gateway = Loopback("drill_sms", "phone")
        gateway.begin(rate=7.0, failing=0.2, stumbling=0.2, seed=seed)
        assert gateway.limits.per_second == 7.0
        found: dict[str, list[str]] = {}
        for number in [*range(200)][::order]:
            recipient = address_of("phone", number)
            answers = [gateway.send(message(recipient)) for _ in range(2)]
            found[recipient] = [one.code if isinstance(one, Failed) else "" for one in answers]
        return found

    first = outcomes(1, 1)
    assert first == outcomes(1, -1) != outcomes(2, 1)
    kinds = [tuple(one) for one in first.values()]
    assert set(kinds) == {("http 400", "http 400"), ("http 503", ""), ("", "")}
    assert 20 < kinds.count(("http 400", "http 400")) < 60 and 20 < kinds.count(("http 503", "")) < 60


def test_a_telephone_tells_of_what_it_got_and_only_it(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [100.0]
    monkeypatch.setattr("commonbeat.cli.drill.loopback.time.sleep", lambda _: None)
    monkeypatch.setattr("commonbeat.cli.drill.loopback.time.monotonic", lambda: moment[0])
    phone, mailbox = Loopback("drill_sms", "phone"), Loopback("drill_email", "email")
    phone.send(message(address_of("phone", 1)))
    mailbox.send(message(address_of("email", 1)))
    assert phone.receipts() == []
    moment[0] += 3.0
    assert [one.about for one in phone.receipts()] == ["alert:1:+999000000001"]
    assert phone.receipts() == [] == mailbox.receipts()


@pytest.fixture
def drill_channels(settings) -> Iterator[None]:
    settings.CHANNELS = ["commonbeat.cli.drill.gateways.sms"]
    channels.cache_clear()
    yield
    channels.cache_clear()


@pytest.mark.django_db
@pytest.mark.usefixtures("drill_channels")
def test_the_table_counts_each_message_once(settings) -> None:
    settings.COMMONBEAT = dataclasses.replace(settings.COMMONBEAT, languages=("en", "sq"))
    given = plan(people=9, rates={"sms": 50.0}, beats=[Beat(square())])
    beats = made_beats(given, now=NOW)
    population.make_people(given, beats, now=NOW)
    alert, second = made_alert(given, beats, now=NOW)
    release_by_two(alert, second, now=NOW)
    fan_out(alert)
    ids = list(Row.objects.order_by("pk").values_list("pk", flat=True))
    assert len(ids) == 9
    for at, (state, seconds) in enumerate(
        [("delivered", 1), ("delivered", 2), ("sent", 3), ("delivered", 9), ("failed", None), ("expired", None)]
    ):
        sent_at = None if seconds is None else NOW + timedelta(seconds=seconds)
        Row.objects.filter(pk=ids[at]).update(state=state, sent_at=sent_at)
    (line,) = lines_of(alert, {"drill_sms": 9}, released=NOW, seconds=5.0, tells=["drill_sms"])
    assert (line.queued, line.sent, line.delivered, line.delayed, line.failed, line.waiting) == (9, 4, 3, 1, 2, 3)
    assert line.times == [1, 2, 3, 9] and line.reached == 3
    assert line.sent + line.failed + line.waiting == line.queued


def test_the_table_is_read_at_a_glance() -> None:
    times = [0.4, 0.5, 1.0, 70.0]
    lines = [
        Line("drill_sms", 1_200, 1_200, 1_190, 1_180, 1, 10, 0, times),
        Line("drill_push", 0, 0, 0, None, 0, 0, 0, []),
    ]
    text = written(lines, seconds=60.0).splitlines()
    assert text[1].split() == "sms 1,200 1,200 1,190 1,180 1 10 0 0.4 s 0.5 s 70.0 s 70.0 s".split()
    assert text[2].split() == "push 0 0 0 – 0 0 0 – – – –".split()
    assert text[-1] == "Reached 1,180 of 1,200 (98.3 %); over 60 s: 1; failed: 10."
    assert len({len(row) for row in text[:3]}) == 1
    assert percentile([], 0.5) is None and percentile([1.0], 0.95) == 1.0


# ------------------------------------------------------------------ the command


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[Path, Plan]]:
    """Give what the command would have run: the folder and the plan."""
    found: list[tuple[Path, Plan]] = []

    def run(arguments: list[str], environment: dict[str, str]) -> int:
        file = Path(arguments[-1])
        assert environment["COMMONBEAT_DATA_DIR"] == str(file.parent)
        found.append((file.parent, plan_of(file.read_bytes())))
        return 0

    monkeypatch.setattr(command, "_run", run)
    monkeypatch.setattr("commonbeat.cli.drill.scratch.tempfile.tempdir", str(tmp_path))
    return found


@pytest.mark.django_db
def test_the_plan_has_outlines_and_paces_and_nothing_else(ran, settings) -> None:
    settings.COMMONBEAT = dataclasses.replace(
        settings.COMMONBEAT, database_url="", sms_channel="kannel_sms", send_rates=("kannel_sms=33",)
    )
    make_beat(name="Old town")
    make_beat(name="Riverside", latitude=LATITUDE + 1)
    answer = CliRunner().invoke(drill, ["--area", "riverside", "--channels", "sms, push", "--rates", "push=5"])
    assert answer.exit_code == 0, answer.output
    ((folder, made),) = ran
    assert made.rates == {"sms": 33.0, "push": 5.0}
    assert [one.is_alerted for one in made.beats] == [False, True]
    assert b"Riverside" not in made.encoded()
    assert not folder.exists()
    answer = CliRunner().invoke(drill, ["--keep"])
    assert ran[1][0].is_dir() and str(ran[1][0]) in answer.output


@pytest.mark.django_db
def test_what_cannot_be_is_said(ran, settings, tmp_path: Path) -> None:
    settings.COMMONBEAT = dataclasses.replace(settings.COMMONBEAT, database_url="")
    assert "no beats" in CliRunner().invoke(drill, []).output
    make_beat(name="Old town")
    file = tmp_path / "area.json"
    file.write_text(json.dumps({"type": "Point", "coordinates": [1, 2]}))
    for arguments, told in (
        (["--area", str(file)], "neither a beat's name nor a file"),
        (["--area", "nowhere"], "neither a beat's name nor a file"),
        (["--channels", "sms,fax"], "name some of sms, push, email"),
        (["--channels", ","], "name some of"),
        (["--rates", "sms=fast"], "write it like"),
        (["--rates", "sms=0"], "write it like"),
        (["--people", "0"], "--people"),
    ):
        answer = CliRunner().invoke(drill, arguments)
        assert answer.exit_code and told in answer.output, arguments
        assert "Traceback" not in answer.output
    file.write_text(json.dumps(square()))
    assert CliRunner().invoke(drill, ["--area", str(file)]).exit_code == 0
    assert len(ran) == 1 and ran[0][1].polygons
