"""The demo town has senders of several levels, and something in its quarantine."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from commonbeat.cli.demo.fill import fill_demo
from commonbeat.messaging.models import Contact, Inbound
from tests.make import NOW

pytestmark = pytest.mark.django_db


def test_the_demo_shows_levels_a_blocked_sender_and_what_waits() -> None:
    try:
        assert "2 messages wait in the quarantine." in list(fill_demo(now=NOW))
    finally:
        for made in ("demo.json", "maps/town.pmtiles"):
            (Path(settings.COMMONBEAT.data_dir) / made).unlink(missing_ok=True)
    assert {contact.level for contact in Contact.objects.all()} >= {"doubtful", "known", "trusted"}
    assert Contact.objects.filter(blocked_at__isnull=False).count() == 1
    assert Inbound.objects.filter(state="held").count() == 2
    assert Inbound.objects.filter(state="blocked").count() == 1
    assert not Inbound.objects.filter(state__in=["new", "failed"]).exists()
