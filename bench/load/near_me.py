"""Ask "is anything near me?" as fast as it goes, while many alerts stand.

    python -m bench.load.near_me fill 1000      in a begun site's environment: make so many active alerts

measure() does the whole: it fills a copy of a begun site, serves its lean half and asks for the list and for a cell.
"""

from __future__ import annotations

import math
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.load.serving import COMMAND, REPOSITORY, copied, environment, finish_load, free_port, served, start_load

ALERTS = 1_000
# A province: some 10,000 km².
LATITUDE, LONGITUDE, HALF = 42.6, 20.9, 0.6
CORNERS = 200
HEADLINES = {
    "en": "Do not drink the water from the tap before it is boiled",
    "sq": "Mos e pini ujin e rubinetit para se ta vloni",
    "ar": "لا تشربوا ماء الصنبور قبل غليه",
}


def measure(begun: Path, *, seconds: float, alerts: int = ALERTS, connections: int = 32) -> dict[str, float]:
    """Give the requests a second that the lean half answers on one core, and their 99th percentile in milliseconds.

    near_me_per_s asks for the cell in the middle, packed, as a device does; index_per_s for the list of cells.
    """
    with copied(begun) as folder:
        env = environment(folder)
        fill_command = [sys.executable, "-m", "bench.load.near_me", "fill", str(alerts)]
        subprocess.run(fill_command, env=env, cwd=REPOSITORY, check=True, capture_output=True, timeout=120)
        port = free_port()
        cell = middle_cell()
        figures: dict[str, float] = {}
        with served([*COMMAND, "serve", "live", "--port", str(port)], port, env):
            for name, path in (("near_me", f"/live/alerts/{cell}.json"), ("index", "/live/alerts.json")):
                more = ["--path", path, "--header", "Accept-Encoding: gzip", "--connections", str(connections)]
                warm = start_load("get", port, 0.5, *more)
                finish_load(warm, 0.5)
                asked = finish_load(start_load("get", port, seconds, *more), seconds)
                figures[f"{name}_per_s"], figures[f"{name}_p99_ms"] = asked["per_s"], asked["p99_ms"]
                figures[f"{name}_failures"] = asked["failures"]
    return figures


def middle_cell() -> str:
    """Name the cell in the middle of where the alerts lie."""
    from commonbeat.alerts.near import RESOLUTION
    from commonbeat.foundation import cells

    return f"{cells.cell_of(LATITUDE, LONGITUDE, RESOLUTION):x}"


def fill(number: int) -> None:
    """Make active alerts past the actions, with ragged outlines of 200 corners, some kilometres across."""
    from commonbeat.alerts.models import Alert, AlertText
    from commonbeat.foundation import clock

    now, chance = clock.now(), random.Random(7)
    made = Alert.objects.bulk_create(Alert(**_fields(at, chance), **_moments(now)) for at in range(number))
    AlertText.objects.bulk_create(
        AlertText(alert=alert, language=language, headline=headline, description=headline, area_desc="Old town")
        for alert in made
        for language, headline in HEADLINES.items()
    )


def _moments(now: Any) -> dict[str, Any]:
    return {"created_at": now, "changed_at": now, "released_at": now, "expires_at": now + timedelta(hours=6)}


def _fields(at: int, chance: random.Random) -> dict[str, Any]:
    latitude = LATITUDE + chance.uniform(-HALF, HALF)
    longitude = LONGITUDE + chance.uniform(-HALF, HALF)
    size = chance.uniform(0.01, 0.06)
    ring = []
    for step in range(CORNERS):
        turn, reach = 2 * math.pi * step / CORNERS, size * chance.uniform(0.8, 1.0)
        ring.append([round(longitude + reach * math.cos(turn), 6), round(latitude + reach * math.sin(turn), 6)])
    return {
        "identifier": f"bench.{at}",
        "kind": "water",
        "urgency": "Expected",
        "severity": "Moderate",
        "certainty": "Observed",
        "state": "released",
        "area": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        "south": latitude - size,
        "north": latitude + size,
        "west": longitude - size,
        "east": longitude + size,
    }


def main() -> None:
    """Run from the command line."""
    import django

    django.setup()
    assert sys.argv[1] == "fill"
    fill(int(sys.argv[2]))


if __name__ == "__main__":
    main()
