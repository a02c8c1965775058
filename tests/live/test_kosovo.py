"""686 real dumps of Kosovo: each imported, and the map counts what the list holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from commonbeat.cli.imports import command
from commonbeat.config.options import Options
from commonbeat.foundation import clock
from commonbeat.live.app import LiveApp
from commonbeat.maps import tiling
from commonbeat.maps.queries import buckets, totals
from commonbeat.reactions.counting import count_batch
from commonbeat.reports.models import Publication, Report
from commonbeat.topics.models import Topic
from commonbeat.topics.ready_made import install_ready_made
from tests import make
from tests.conftest import REPOSITORY
from tests.live.test_tiles import drawn, get
from tests.maps.brute import layers, listed

MAPPING = REPOSITORY / "docs/mappings/kosovo-illegal-dumps.toml"
ROWS = 686
SOUTH, NORTH, WEST, EAST = 41.8, 43.3, 20.0, 21.8


@pytest.fixture
def imported(shared_data: Path, site: Options) -> Topic:
    file = shared_data / "kosovo-illegal-dumps.js"
    if not file.is_file():
        pytest.skip(f"{file.name} is not in the folder of real data")
    make.fallback()
    install_ready_made(make.NOW)
    arguments = [str(file), "--topic", "illegal-dump", "--mapping", str(MAPPING)]
    result = CliRunner().invoke(command.import_file, arguments)
    assert result.exit_code == 0, result.output
    assert f"{ROWS} published" in result.output
    assert "not taken" not in result.output
    while count_batch(clock.now()):
        pass
    return Topic.objects.get(code="illegal-dump")


def cells_of(app: LiveApp, path: str) -> list[dict[str, Any]]:
    answer = get(app, path)
    assert answer.status == 200, answer.body
    return list(layers(answer.body).get("cells", []))


def test_every_dump_is_on_the_map(imported: Topic, site: Options) -> None:
    assert Report.objects.count() == ROWS
    found = totals(buckets(imported.pk))
    assert found.placed + found.without_place == found.total == listed(imported.pk, now=clock.now()) == ROWS
    app = LiveApp(site)
    try:
        size = 1 << 8
        columns = range(int(tiling.mercator_x(WEST) * size), int(tiling.mercator_x(EAST) * size) + 1)
        lines = range(int(tiling.mercator_y(NORTH) * size), int(tiling.mercator_y(SOUTH) * size) + 1)
        tiles = [f"/tiles/illegal-dump/8/{x}/{y}.mvt" for x in columns for y in lines]
        cells = {feature["id"]: int(feature["n"]) for path in tiles for feature in cells_of(app, path)}
        assert sum(cells.values()) == found.placed
        assert drawn(app, "/tiles/illegal-dump/0/0/0.mvt") == found.placed
    finally:
        app.buckets.stop()


def test_size_and_kind_are_what_the_data_say(imported: Topic) -> None:
    sizes = [answers["size"] for answers in Report.objects.values_list("answers", flat=True)]
    assert {size: sizes.count(size) for size in set(sizes)} == {"bag": 300, "wheelbarrow": 208, "car": 178}
    kinds = [code for codes in Report.objects.values_list("categories", flat=True) for code in codes]
    counted = {code: kinds.count(code) for code in set(kinds)}
    assert counted == {
        "plastic": 509,
        "household": 271,
        "construction": 238,
        "tyres": 38,
        "hazardous": 36,
        "appliances": 21,
    }
    # Those without a date say so: no day is claimed for them.
    assert Report.objects.filter(occurred_at=None).count() == 116
    assert Publication.objects.filter(occurred_on=None).count() == 116
    assert not Publication.objects.filter(is_verified=True).exists()
