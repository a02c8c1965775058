"""Whoever changes where messages go stands on the overseer's first page: who, which channel, which settings."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.journal.models import Entry
from commonbeat.messaging.actions.channel_settings import change_channel_settings
from commonbeat.people.models import Role, User
from commonbeat.web.oversight.channel_changes import CHANGES_SHOWN, channel_changes
from tests.make import make_user, signed_in

pytestmark = pytest.mark.django_db
JOURNAL = reverse("oversight:journal")
PASSWORD, URL = "a word for the gate", "http://gateway.invalid/cgi-bin/sendsms"
HEADING = "Settings of channels that were changed, last 30 days"


def change(actor: User, **texts: str) -> None:
    """Change settings of Kannel."""
    change_channel_settings(channel="kannel_sms", texts=texts, actor_id=actor.pk, now=clock.now())


def test_a_change_stands_on_the_first_page_without_what_was_typed(overseer_client: Client, administrator: User) -> None:
    assert HEADING not in overseer_client.get(JOURNAL).content.decode()
    change(administrator, kannel_send_url=URL, kannel_password=PASSWORD)
    page = overseer_client.get(JOURNAL).content.decode()
    box = page.partition(HEADING)[2].partition("</section>")[0]
    for said in ("SMS (Kannel)", "Send address, Password", f"?actor={administrator.pk}"):
        assert said in box, said
    assert PASSWORD not in page and "gateway.invalid" not in page
    # Older pages of the journal are the journal alone.
    assert HEADING not in overseer_client.get(JOURNAL, {"before": "1000000"}).content.decode()


def test_old_changes_are_left_out_and_of_many_the_newest_are_read_at_once(
    administrator: User, django_assert_num_queries
) -> None:
    change(administrator, kannel_username="gate")
    change(administrator, kannel_username="other", kannel_password=PASSWORD)
    now = clock.now()
    newest = channel_changes(now, {})[0]
    assert (newest.channel, newest.settings, newest.actor_id) == ("kannel_sms", "User name, Password", administrator.pk)
    assert len(channel_changes(now + timedelta(days=29), {})) == 2
    assert channel_changes(now + timedelta(days=31), {}) == []
    row = Entry.objects.filter(kind="messaging.channel_changed").values("at", "kind", "subject_id", "data")[0]
    Entry.objects.bulk_create(Entry(**row) for _ in range(CHANGES_SHOWN + 10))
    with django_assert_num_queries(1):
        assert len(channel_changes(now, {})) == CHANGES_SHOWN


@pytest.mark.parametrize("role", [Role.RESIDENT, Role.OFFICER, Role.SUPERVISOR, Role.MODERATOR, Role.ADMINISTRATOR])
def test_nobody_else_reads_it(role: Role, unit: object, administrator: User) -> None:
    change(administrator, kannel_username="gate")
    answer = signed_in(make_user("outsider", role=role, second_factor=True)).get(JOURNAL)
    assert answer.status_code == 403
    assert HEADING not in answer.content.decode()
