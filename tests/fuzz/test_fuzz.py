"""A few seconds of fuzzing for each parser that meets a stranger's bytes; the seeds are run without atheris too."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.run import WATCHED, functions_of
from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS

REPOSITORY = Path(__file__).resolve().parents[2]
SECONDS = int(os.environ.get("COMMONBEAT_TEST_FUZZ_SECONDS", "4"))


def test_every_target_has_seeds() -> None:
    assert SEEDS.keys() == TARGETS.keys() == WATCHED.keys()


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_search_watches_is_there(name: str) -> None:
    for one in WATCHED[name]:
        assert functions_of((one,)), one


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_their_pieces_end_as_promised(name: str) -> None:
    for seed in (b"", *SEEDS[name]):
        for end in {len(seed), len(seed) // 2, max(0, len(seed) - 1)}:
            TARGETS[name](seed[:end])


@pytest.mark.fuzz
@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not installed: not in CI where it has no wheel"
)
@pytest.mark.parametrize("name", TARGETS)
def test_some_seconds_of_any_bytes_end_as_promised(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", name, str(SECONDS), str(tmp_path)],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=SECONDS + 90, check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith(("COMMONBEAT_", "DJANGO_"))},
    )  # fmt: skip
    found = {
        path.name: path.read_bytes()
        for path in tmp_path.iterdir()
        if path.name.startswith(("crash-", "timeout-", "oom-"))
    }
    assert done.returncode == 0, f"{done.stderr[-3_000:]}\n{found}"
    executed = re.search(r"stat::number_of_executed_units: *([0-9]+)", done.stderr)
    assert executed and int(executed[1]) > 10, "it ran"
