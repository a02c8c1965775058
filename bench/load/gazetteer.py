"""Looking up places among many names: typed exactly, mistyped, in part, and inside a message; and the memory for it.

    python -m bench.load.gazetteer 500000

Names are invented, with words as often as in a real list: a few in half of all names, most in a few names only.
"""

from __future__ import annotations

import gc
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SEED = 20_260_314
SYLLABLES = (
    "ba be bi bo bra bre da de di dra dri dro fa fi fo ga gj gja gra ha ho ja je ka ke ki ko kra kro la le li lla llo "
    "lu ma me mi mo mu na ne ni no nu nja pa pe pi pla po pra pri qe qa ra re ri ro rra sa se shi shta shte si so sta "
    "ta te ti to tra tri tu va ve vi vo xha za ze zi zo zhu"
).split()
KINDS = ("street", "village", "school", "clinic", "market", "bridge", "square", "")
# Words that stand in many names.
OFTEN = ("rruga", "e", "i", "shkolla", "old", "new", "upper", "lower", "sheshi", "ura", "mahalla", "street")
FILLING = ("there is a large dump", "lamp is broken since monday", "smoke and a burning smell", "people fight again")
LOOKUPS = 400
_BATCH = 20_000


def figures(names: int) -> dict[str, float]:
    """Fill an empty site with so many names and measure; gazetteer_p50_ms is over all ways of asking."""
    from django.core.management import call_command

    from commonbeat.places import look
    from commonbeat.places.gazetteer import find_places, places_in_text

    call_command("migrate", verbosity=0)
    chance = random.Random(SEED)
    given = fill(names, chance)
    before = memory_mb(peak=False)
    start = time.perf_counter()
    find_places("warm up", language="en")
    found: dict[str, float] = {
        "gazetteer_names": float(names),
        "gazetteer_read_s": time.perf_counter() - start,
        "gazetteer_peak_mb": memory_mb(peak=True) - before,
        "gazetteer_mb": memory_mb(peak=False) - before,
        "gazetteer_arrays_mb": look.current_look().index.size / 2**20,
    }
    everything: list[float] = []
    for kind, asked in queries(given, chance).items():
        ask = places_in_text if kind == "message" else find_places
        spent, hits = timed(ask, asked)
        everything += spent
        found[f"gazetteer_{kind}_p50_ms"] = percentile(spent, 50)
        found[f"gazetteer_{kind}_found"] = hits / len(asked)
    found["gazetteer_p50_ms"] = percentile(everything, 50)
    found["gazetteer_p99_ms"] = percentile(everything, 99)
    return found


def fill(names: int, chance: random.Random) -> list[tuple[str, int]]:
    """Write places with names, past the actions; give each name and its place."""
    from commonbeat.places.models import Place, PlaceName

    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(max(200, names // 6))]
    given: list[tuple[str, int]] = []
    for first in range(0, names, _BATCH):
        places, rows = [], []
        for pk in range(first + 1, min(first + _BATCH, names) + 1):
            name = invented(words, chance)
            kind = chance.choice(KINDS)
            places.append(Place(pk=pk, names={"sq": name}, kind=kind, latitude=41 + pk % 9_000 / 4_500, longitude=20.5))
            rows.append(PlaceName(place_id=pk, folded=name))
            given.append((name, pk))
        Place.objects.bulk_create(places)
        PlaceName.objects.bulk_create(rows)
    return given


def invented(words: list[str], chance: random.Random) -> str:
    """Give a name of one to four words."""
    own = [words[int(len(words) * chance.random() ** 3)] for _ in range(chance.choice((1, 2, 2, 2)))]
    often = chance.choices(OFTEN, [1 / (rank + 1) for rank in range(len(OFTEN))], k=chance.choice((0, 1, 2)))
    return " ".join(dict.fromkeys((*often, *own)))


def queries(given: list[tuple[str, int]], chance: random.Random) -> dict[str, list[tuple[str, int]]]:
    """Give what is asked for, with the place that is meant."""
    meant = [chance.choice([pair for pair in chance.choices(given, k=20) if len(pair[0]) > 7]) for _ in range(LOOKUPS)]
    return {
        "exact": meant,
        "mistyped": [(mistyped(name, chance), pk) for name, pk in meant],
        "begun": [(name[: max(5, len(name) * 2 // 3)], pk) for name, pk in meant],
        "one_word": [(max(name.split(), key=len), pk) for name, pk in meant],
        "message": [(f"{chance.choice(FILLING)} near {name} please come", pk) for name, pk in meant],
    }


def mistyped(name: str, chance: random.Random) -> str:
    """Put one or two slips into a name."""
    letters = list(name)
    for _ in range(chance.choice((1, 1, 2))):
        at = chance.randrange(1, len(letters) - 1)
        kind = chance.randrange(3)
        if kind == 0:
            letters[at] = chance.choice("aeioutrnsl")
        elif kind == 1:
            del letters[at]
        else:
            letters[at], letters[at - 1] = letters[at - 1], letters[at]
    return "".join(letters)


def timed(ask: Callable[..., list[Any]], asked: list[tuple[str, int]]) -> tuple[list[float], int]:
    """Ask one after the other; give the milliseconds, and how often the meant place was among the first five."""
    spent, hits = [], 0
    for text, pk in asked:
        start = time.perf_counter()
        matches = ask(text, language="sq")
        spent.append((time.perf_counter() - start) * 1000)
        hits += any(match.place_id == pk for match in matches)
    return spent, hits


def percentile(spent: list[float], percent: int) -> float:
    """Give a percentile."""
    return sorted(spent)[min(len(spent) - 1, len(spent) * percent // 100)]


def memory_mb(*, peak: bool) -> float:
    """Give the memory of this process; asked for what it holds now, its peak begins anew from there."""
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    if not peak:
        Path("/proc/self/clear_refs").write_text("5")
    return int(status["VmHWM" if peak else "VmRSS"].split()[0]) / 1024


def rows(found: dict[str, float]) -> Iterator[str]:
    """Give the figures as lines."""
    for name, value in found.items():
        yield f"{name:<32} {value:>12,.3f}"


def main() -> None:
    """Measure on the empty database of COMMONBEAT_DATABASE_URL, else on SQLite in a folder of its own."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonbeat.config.settings")
    with tempfile.TemporaryDirectory(prefix="commonbeat-bench-") as folder:
        os.environ["COMMONBEAT_DATA_DIR"] = folder
        import django

        django.setup()
        found = figures(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000)
        print("\n".join(rows(found)))
        print(json.dumps({name: round(value, 3) for name, value in found.items()}))


if __name__ == "__main__":
    main()
