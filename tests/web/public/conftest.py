"""Fixtures of the tests of public pages."""

from __future__ import annotations

from datetime import datetime

import pytest

from commonbeat.foundation import clock
from tests.web.public.signups import NOW, with_mail


@pytest.fixture
def moment(monkeypatch, settings) -> list[datetime]:
    """Give the time of a site that writes e-mail, in a list: what stands there is now."""
    held = [NOW]
    monkeypatch.setattr(clock, "now", lambda: held[0])
    settings.COMMONBEAT = with_mail(settings.COMMONBEAT)
    return held
