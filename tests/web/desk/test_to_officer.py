"""A message to the officer on the desk: read by its own desk alone, and no way leads from there to the public."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.people.models import Unit
from commonbeat.reports.models import Publication, Report
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import TO_OFFICER
from commonbeat.topics.ready_made import install_ready_made
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(unit: Unit) -> Report:
    """Give a message on the desk of the first unit."""
    install_ready_made(make.NOW)
    topic = Topic.objects.select_related("current").get(code=TO_OFFICER)
    return make.make_report(
        topic=topic, unit=unit, text="They burn tyres behind the shop", latitude=None, longitude=None
    )


def test_its_own_desk_reads_it_and_nobody_else(
    told: Report, officer_client: Client, far_officer_client: Client, resident_client: Client, outsider_client: Client
) -> None:
    address = reverse("desk:report", kwargs={"report_id": told.pk})
    page = officer_client.get(address).content.decode()
    assert "They burn tyres" in page and "For the desk alone" in page and 'id="publish"' not in page
    for stranger in (far_officer_client, resident_client, outsider_client, Client()):
        answer = stranger.get(address)
        assert answer.status_code in (302, 403, 404) and "tyres" not in answer.content.decode()


def test_what_is_posted_all_the_same_publishes_nothing(told: Report, officer_client: Client) -> None:
    address = reverse("desk:report", kwargs={"report_id": told.pk})
    for name, data in (("publish", {"title": "Tyres", "text": "They burn"}), ("topic", {"topic": "other"})):
        answer = officer_client.post(f"{address}{name}/", data)
        assert answer.status_code < 500
    told.refresh_from_db()
    assert (told.topic.code, told.state) == (TO_OFFICER, "new") and not Publication.objects.exists()


def test_no_public_list_of_topics_names_it(told: Report, client: Client) -> None:
    for path in ("/reports/", "/map/", "/data/", "/report/"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert TO_OFFICER not in answer.content.decode() and "Message to the officer" not in answer.content.decode()
