"""The demo's texts that wait for a volunteer."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from commonbeat.cli.demo.fill import fill_demo
from commonbeat.foundation import clock
from commonbeat.people.models import User
from commonbeat.reports.models import Translation
from commonbeat.reports.queries.translations import numbers_for


@pytest.mark.django_db
def test_the_town_has_a_volunteer_and_texts_for_her() -> None:
    now = clock.now()
    try:
        assert "3 texts wait for a volunteer who translates." in list(fill_demo(now=now))
        assert '"translator"' in (Path(settings.COMMONBEAT.data_dir) / "demo.json").read_text("utf-8")
    finally:
        for made in ("demo.json", "maps/town.pmtiles"):
            (Path(settings.COMMONBEAT.data_dir) / made).unlink(missing_ok=True)
    dita = User.objects.get(username="dita")
    assert numbers_for(dita, now=now).waiting == 3
    waiting = Translation.objects.filter(state="asked")
    assert {one.from_language for one in waiting} == {"sq", "ar"}
    assert {one.state for one in Translation.objects.all()} == {"asked", "offered", "accepted"}
