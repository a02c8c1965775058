"""Somebody who reports for others dials instead of texting."""

from __future__ import annotations

import pytest

from commonbeat.people.models import Unit
from commonbeat.reports.actions.proxies import Enrolment, enrol_proxy
from commonbeat.reports.models import Report
from commonbeat.reports.proxy_models import Consent, OnBehalf, Proxy
from tests import make
from tests.reactions.handset import NUMBER, Handset, make_town

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _liaison(unit: Unit) -> None:
    make_town()
    enrol_proxy(row=Enrolment(NUMBER, "liaison", "Upper valley", unit.pk), actor=None, now=make.NOW)
    Proxy.objects.update(accepted_at=make.NOW)


def test_the_choices_stand_on_lines_and_are_shown_again_in_the_next_session() -> None:
    handset = Handset()
    handset.dial()
    asked, goes_on = handset.whole(handset.enter("BEHALF dump near the river"))
    assert goes_on
    lines = asked.splitlines()
    assert any(line.startswith("1 ") for line in lines) and any("5 no" in line for line in lines)
    # The network breaks off; whoever dials again is asked again.
    again, goes_on = handset.whole(handset.dial())
    assert goes_on and "did the person agree" in again
    handset.enter("2")
    assert OnBehalf.objects.get().consent == Consent.WRITING
    handset.enter("Old Bridge")
    assert Report.objects.get().latitude == 42.381
