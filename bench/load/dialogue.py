"""The step of the dialogue by itself: in a world of lists, and in a site's world over a filled database.

    python -m bench.load.dialogue 20000

prints a table and, last, one JSON object. The messages are those that people send: first reports with and without a
place and a topic, answers to what was asked, references, STATUS, numbers, and what is none of these.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

SEED = 20_260_314
CONTACTS = 2_000
ROUNDS = 60


def figures(names: int) -> dict[str, float]:
    """Fill an empty site with so many places and half as many reports; measure both worlds."""
    from django.core.management import call_command

    from commonbeat.foundation import clock
    from commonbeat.intake import language
    from commonbeat.intake.world import SiteWorld
    from commonbeat.messaging.models import Contact
    from tests.intake.fake_world import FakeWorld

    call_command("migrate", verbosity=0)
    chance = random.Random(SEED)
    place = fill(names, chance)
    language.warm(("en", "sq", "ar"))
    contacts = list(Contact.objects.all())
    in_memory = measured(lambda: FakeWorld(), place, ROUNDS * 4)
    over_tables = measured(lambda: SiteWorld(chance.choice(contacts), now=clock.now()), place, ROUNDS)
    found: dict[str, float] = {}
    for name, spent in (("dialogue", in_memory), ("dialogue_site", over_tables)):
        everything = [each for some in spent.values() for each in some]
        found[f"{name}_p50_ms"] = percentile(everything, 50)
        found[f"{name}_p99_ms"] = percentile(everything, 99)
        found |= {f"{name}_{kind}_p50_ms": percentile(some, 50) for kind, some in spent.items()}
    return found


def fill(names: int, chance: random.Random) -> str:
    """Write places, contacts and reports, past the actions; give the name of one place."""
    from bench.load import gazetteer
    from commonbeat.foundation import clock
    from commonbeat.foundation.ids import new_reference
    from commonbeat.messaging.models import Contact
    from commonbeat.people.models import Unit
    from commonbeat.reports.models import Report
    from commonbeat.topics.models import Topic
    from commonbeat.topics.ready_made import install_ready_made

    now = clock.now()
    place = gazetteer.fill(names, chance)[0][0]
    unit = Unit.objects.create(name="Desk", is_fallback=True)
    install_ready_made(now)
    topics = list(Topic.objects.select_related("current").filter(current__isnull=False))
    Contact.objects.bulk_create(
        Contact(
            kind="phone", address_sealed=b"x", address_hash=str(at).encode(), handle=f"Load {at}", language="en",
            channel="kannel_sms", created_at=now, last_seen_at=now,
        )
        for at in range(CONTACTS)
    )  # fmt: skip
    ids = list(Contact.objects.values_list("pk", flat=True))
    rows = []
    for at in range(names // 2):
        topic = chance.choice(topics)
        made = now - timedelta(minutes=at)
        rows.append(
            Report(
                reference=new_reference(), client_key=f"load-{at}", topic=topic, topic_version=topic.current, unit=unit,
                text="The lamp is broken.", language="en", channel="kannel_sms", contact_id=chance.choice(ids),
                contact_confirmed=True, created_at=made, changed_at=made,
            )
        )  # fmt: skip
    Report.objects.bulk_create(rows, batch_size=5_000)
    return place


def conversations(place: str) -> dict[str, tuple[str, ...]]:
    """Give what people send, by what it is; each follows the one before it."""
    return {
        "report": ("There is a broken lamp near the old bridge, and it is dark there", "the market"),
        "placed": (f"Large dump near {place} since monday, the smell is bad", "ok"),
        "keyword": ("LIGHT broken since monday in our street", place, "no"),
        "albanian": (f"Ka mbeturina pranë {place} dhe qelbet shumë", "po"),
        "arabic": ("هناك نفايات كثيرة قرب الجسر القديم منذ يوم الاثنين", "٠"),
        "menu": ("MENU", "2", "it does not burn at night"),
        "status": ("STATUS", "STATUS KX7M-4QXP-2R"),
        "words": ("STOP", "START", "HELP", "0"),
        "long": ("the water at the corner is brown and smells " * 40,),
    }


def measured(world: Callable[[], Any], place: str, rounds: int) -> dict[str, list[float]]:
    """Take the steps of each conversation again and again; give the milliseconds of each step."""
    from django.db import transaction

    from commonbeat.foundation import clock
    from commonbeat.intake.dialogue import step
    from commonbeat.intake.state import Heard, State

    now, spent = clock.now(), {}
    for kind, said in conversations(place).items():
        some: list[float] = []
        for at in range(rounds + 3):
            state = State()
            for text in said:
                # As the worker does: a world of its own for each message, inside one transaction.
                with transaction.atomic():
                    begun = time.perf_counter()
                    turn = step(state, Heard(text), world(), now)
                    took = (time.perf_counter() - begun) * 1000
                state = turn.state
                if at >= 3:
                    some.append(took)
        spent[kind] = some
    return spent


def percentile(spent: list[float], percent: int) -> float:
    """Give a percentile."""
    return sorted(spent)[min(len(spent) - 1, len(spent) * percent // 100)]


def main() -> None:
    """Measure on SQLite in a folder of its own."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonbeat.config.settings")
    with tempfile.TemporaryDirectory(prefix="commonbeat-bench-") as folder:
        os.environ["COMMONBEAT_DATA_DIR"] = folder
        import django

        django.setup()
        found = figures(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
        print("\n".join(f"{name:<32} {value:>12,.3f}" for name, value in found.items()))
        print(json.dumps({name: round(value, 3) for name, value in found.items()}))


if __name__ == "__main__":
    main()
