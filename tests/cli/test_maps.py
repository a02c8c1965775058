"""commonbeat maps: count anew, and say what came of it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from commonbeat.cli.maps import maps_group
from commonbeat.maps.models import Bucket
from tests import make

pytestmark = pytest.mark.django_db


def test_rebuild_counts_and_reconciles(unit: object) -> None:
    topic = make.make_topic("street-light")
    for _ in range(3):
        make.make_publication(report=make.make_report(topic=topic))
    make.make_publication(report=make.make_report(topic=topic, latitude=None, longitude=None))
    answer = CliRunner().invoke(maps_group, ["rebuild"])
    assert answer.exit_code == 0, answer.output
    numbers = [line.split()[0] for line in answer.output.splitlines()]
    assert numbers == ["4", "3", "1", "0", "4"]
    assert sum(Bucket.objects.values_list("n", flat=True)) == 4
