"""The desk at size: its list, its search and its duplicate suggestions over 1,000,000 reports.

Run alone it prints a table and, last, one JSON object; bench/pages.py calls the three functions.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

ROWS = 1_000_000
QUICK_ROWS = 20_000
# The town of the bench: 12 km across, as many reports as a city of 300,000 makes in three years.
LATITUDE, LONGITUDE, HALF = 42.38, 20.43, 0.055
UNITS = 6
WORDS = 20_000
COMMON = ("street", "lamp", "school", "water", "road", "night", "garbage", "dark", "bridge", "market")


def desk_p50_ms(rows: int | None = None) -> float:
    """Measure the whole request of the desk list, in milliseconds."""
    return figures(rows or _rows())["desk_p50_ms"]


def search_p50_ms(rows: int | None = None) -> float:
    """Measure one page of a search, newest first, in milliseconds."""
    return figures(rows or _rows())["search_p50_ms"]


def duplicates_p50_ms(rows: int | None = None) -> float:
    """Measure the suggestions for one report, in milliseconds."""
    return figures(rows or _rows())["duplicates_p50_ms"]


@lru_cache(maxsize=2)
def figures(rows: int) -> dict[str, float]:
    """Measure everything in a process and data folder of its own, once."""
    done = subprocess.run(
        [sys.executable, __file__, str(rows)], check=True, stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _rows() -> int:
    return QUICK_ROWS if os.environ.get("QUICK") else ROWS


def main(rows: int) -> None:
    """Fill a site, measure, print."""
    with tempfile.TemporaryDirectory(prefix="commonbeat-bench-") as folder:
        for name in [key for key in os.environ if key.startswith("COMMONBEAT_")]:
            del os.environ[name]
        kept = os.environ.get("BENCH_DATA_DIR")
        os.environ["COMMONBEAT_DATA_DIR"] = kept or folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "commonbeat.config.settings"
        import django

        django.setup()
        from commonbeat.reports.models import Report

        started = time.perf_counter()
        if not kept or not (Path(kept) / "commonbeat.sqlite3").exists():
            _fill(rows)
        print(f"{Report.objects.count():,} reports, filled in {time.perf_counter() - started:.0f} s")
        found = _measure()
        for name, value in found.items():
            print(f"  {name:34s} {value:9.2f} ms")
        print(json.dumps({key: round(value, 3) for key, value in found.items()}))


def _fill(rows: int) -> None:
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.core.management import call_command
    from django.db import connection, transaction

    from commonbeat.people.models import Role, Unit, User
    from commonbeat.places.models import Beat
    from commonbeat.reports.models import Report
    from commonbeat.topics.definition import Definition, encode
    from commonbeat.topics.models import Topic, TopicVersion

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    now = datetime.now(UTC)
    units = [Unit.objects.create(name=f"Unit {n}", is_fallback=n == 0) for n in range(UNITS)]
    area = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    beats = [
        Beat.objects.create(name=f"Beat {n}", unit=units[n % UNITS], area=area, south=0, west=0, north=1, east=1)
        for n in range(24)
    ]
    topics = []
    for n in range(9):
        topic = Topic.objects.create(code=f"topic-{n}", position=n)
        definition = Definition(name={"en": f"Topic {n}"}, icon="dump")
        topic.current = TopicVersion.objects.create(topic=topic, number=1, data=encode(definition), created_at=now)
        topic.save()
        topics.append(topic)
    for username, role in (("officer", Role.OFFICER), ("supervisor", Role.SUPERVISOR)):
        user = User.objects.create(username=username, role=role, unit=units[0])
        TOTP.activate(user, generate_totp_secret())
        beats[0].officers.add(user)
        beats[6].officers.add(user)
    columns = [f.column for f in Report._meta.concrete_fields if f.column != "id"]
    sql = f"INSERT INTO reports_report ({', '.join(columns)}) VALUES ({', '.join('?' for _c in columns)})"
    with connection.cursor() as cursor:
        # One rebuild at the end instead of a million triggers, as a real import of that size would do it.
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'reports_search_insert'")
        (trigger,) = cursor.fetchone()
        cursor.execute("DROP TRIGGER reports_search_insert")
        with transaction.atomic():
            raw = connection.connection
            raw.executemany(sql, _reports(rows, columns, now, units, beats, topics))
        cursor.execute("INSERT INTO reports_search(reports_search) VALUES ('rebuild')")
        cursor.execute(trigger)


def _reports(
    rows: int, columns: list[str], now: datetime, units: list[Any], beats: list[Any], topics: list[Any]
) -> Iterator[list[Any]]:
    from commonbeat.foundation import cells

    rng = random.Random(7)
    words = [f"w{n}" for n in range(WORDS)]
    # Words as people use them: the n-th is used 1/n times as often as the first.
    pool = rng.choices(words, [1 / (n + 1) for n in range(WORDS)], k=400_000)
    step = timedelta(days=3 * 365) / rows
    for n in range(rows):
        start = rng.randrange(len(pool) - 30)
        said = " ".join([*pool[start : start + rng.randrange(8, 30)], *rng.sample(COMMON, 2)])
        at = (now - step * (rows - n)).replace(tzinfo=None).isoformat(" ")
        placed = rng.random() < 0.8
        lat, lon = LATITUDE + rng.uniform(-HALF, HALF), LONGITUDE + rng.uniform(-HALF, HALF)
        beat = rng.choice(beats) if placed else None
        fresh = n > rows - 400
        values: dict[str, Any] = {
            "reference": f"{n:010d}", "client_key": f"bench:{n}", "topic_id": rng.choice(topics).pk,
            "topic_version_id": 1, "categories": "[]", "answers": "{}", "title": "", "text": said, "language": "en",
            # Every tenth is translated, in words that others have in their own text.
            "translated_words": " ".join(rng.sample(pool, 15)) if n % 10 == 0 else "",
            "channel": "web" if n % 3 else "kannel_sms", "contact_id": None, "contact_confirmed": True,
            "is_structured": False,
            "reporter_id": None, "occurred_at": None,
            "created_at": at, "place_source": "map" if placed else "none", "place_name": f"Street {n % 900}",
            "latitude": lat if placed else None, "longitude": lon if placed else None,
            "cell": cells.cell_of(lat, lon, cells.STORED_RESOLUTION) if placed else None,
            "state": "new" if fresh else rng.choice(("triaged", "published", "published", "resolved", "rejected")),
            "state_reason": "", "changed_at": at,
            # The second unit is a small one: one report in ten thousand.
            "unit_id": (units[1].pk if n % 10_000 == 0 else (beat.unit_id if beat else units[0].pk)),
            "beat_id": beat.pk if beat else None, "claimed_by_id": None, "claimed_until": None, "incident_id": None,
            "verified_at": at if n % 7 == 0 else None, "independent_sources": 0, "answer_waiting": n % 5_000 == 0,
            "expires_at": None, "emptied_at": None,
        }  # fmt: skip
        yield [values[column] for column in columns]


def _measure() -> dict[str, float]:
    from django.conf import settings
    from django.test import Client

    from commonbeat.people.models import Unit, User
    from commonbeat.places.models import Beat
    from commonbeat.reports.models import Report
    from commonbeat.reports.queries import desk
    from commonbeat.reports.queries.duplicates import alike

    settings.ALLOWED_HOSTS.append("testserver")
    officer, supervisor = User.objects.get(username="officer"), User.objects.get(username="supervisor")
    small = User(username="small", role="officer", unit=Unit.objects.get(name="Unit 1"))
    beats = list(Beat.objects.filter(officers=officer).values_list("pk", flat=True))
    now = datetime.now(UTC)
    found: dict[str, float] = {}
    newest = Report.objects.order_by("-pk").values_list("pk", flat=True)[0]
    pages = {
        "desk_p50_ms": "?tab=all", "desk_new_ms": "?tab=new", "desk_beat_ms": "?tab=beat",
        "desk_deep_ms": f"?tab=all&before={newest // 2}",
        "desk_topic_state_ms": "?tab=all&topic=topic-3&state=rejected",
        "desk_today_ms": "?tab=all&period=today", "desk_waits_ms": "?tab=all&waits=1",
        "desk_verified_ms": "?tab=all&verified=yes", "desk_search_ms": "?q=lamp",
    }  # fmt: skip
    for user, mark in ((officer, ""), (supervisor, "_supervisor")):
        client = Client()
        client.force_login(user)
        for name, query in pages.items():

            def page(client: Client = client, query: str = query) -> None:
                answer = client.get(f"/desk/reports/{query}")
                assert answer.status_code == 200, answer.status_code

            found[name + mark] = _median(page, 15)
    searches = ["lamp", "dark street", "w5", "w19000", "gar", "scho", "street", "w100 w200", "nothinglikeit"]
    times = []
    for viewer in (officer, supervisor, small):
        for text in searches:
            for tab in ("all", "new"):
                filters = desk.Filters(tab=tab, text=text)
                times.append(_median(lambda v=viewer, f=filters: desk.report_list(v, f, now=now, beat_ids=beats), 5))
    found["search_p50_ms"] = statistics.median(times)
    found["search_worst_ms"] = max(times)
    rng = random.Random(3)
    some = list(Report.objects.filter(pk__in=rng.sample(range(1, newest), 60), cell__isnull=False))
    times = [_once(lambda r=report: alike(r, supervisor, now=now)) for report in some]
    found["duplicates_p50_ms"] = statistics.median(times)
    found["duplicates_worst_ms"] = max(times)
    bare = list(Report.objects.filter(pk__in=rng.sample(range(1, newest), 100), cell__isnull=True)[:15])
    found["duplicates_no_place_ms"] = statistics.median(
        _once(lambda r=report: alike(r, supervisor, now=now)) for report in bare
    )
    return found


def _median(act: Callable[[], object], times: int) -> float:
    act()
    return statistics.median(_once(act) for _n in range(times))


def _once(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1_000


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else _rows())
