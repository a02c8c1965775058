"""Held public texts: released, edited, returned by a second person."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from commonbeat.foundation import clock
from commonbeat.people.models import Unit, User
from commonbeat.reports.actions.publish import publish_report
from commonbeat.reports.models import Publication, PublicationState, ReportPhoto
from tests import make

pytestmark = pytest.mark.django_db
TEXT = "Call +383 44 123 456 about it."


@pytest.fixture
def held(unit: Unit, officer: User) -> Publication:
    """Give a public text that screening held."""
    report = make.make_report(unit=unit, text="What the reporter wrote")
    return publish_report(report_id=report.pk, title="A lamp is dark", text=TEXT, actor=officer, now=clock.now())


def decide(client: Client, held: Publication, verb: str, **data: Any) -> Any:
    """Decide about a held text."""
    return client.post(reverse("desk:decide", kwargs={"publication_id": held.pk, "verb": verb}), data)


def test_what_was_found_is_marked_with_a_suggestion(held: Publication, moderator_client: Client) -> None:
    text = moderator_client.get(reverse("desk:moderation")).content.decode()
    assert "Call <mark>+383 44 123 456</mark> about it." in text
    assert "It contains a phone number." in text
    assert "Call [removed] about it." in text
    assert "What the reporter wrote" not in text


def test_released_edited(held: Publication, moderator: User, moderator_client: Client) -> None:
    assert decide(moderator_client, held, "release", title="A lamp", text="By the school").status_code == 302
    held.refresh_from_db()
    assert (held.state, held.title, held.text, held.released_by) == (
        PublicationState.PUBLIC, "A lamp", "By the school", moderator,
    )  # fmt: skip


def test_the_suggestion_released(held: Publication, moderator_client: Client) -> None:
    decide(moderator_client, held, "release", step="suggestion", title="ignored", text="ignored")
    held.refresh_from_db()
    assert (held.title, held.text) == ("A lamp is dark", "Call [removed] about it.")


def test_returned_with_a_note(held: Publication, moderator_client: Client, officer_client: Client) -> None:
    refused = decide(moderator_client, held, "return", reason="")
    assert refused.status_code == 400
    assert "what the desk should change" in refused.content.decode()
    assert decide(moderator_client, held, "return", reason="Leave the number out").status_code == 302
    held.refresh_from_db()
    assert held.state == PublicationState.WITHDRAWN
    assert "Leave the number out" in officer_client.get(f"/desk/reports/{held.report_id}/").content.decode()


def test_whoever_proposed_does_not_release(unit: Unit, supervisor: User, supervisor_client: Client) -> None:
    report = make.make_report(unit=unit)
    held = publish_report(report_id=report.pk, title="Dark", text=TEXT, actor=supervisor, now=clock.now())
    page = supervisor_client.get(reverse("desk:moderation")).content.decode()
    assert "a second person must release it" in page
    assert reverse("desk:decide", kwargs={"publication_id": held.pk, "verb": "release"}) not in page
    assert decide(supervisor_client, held, "release", title="Dark", text="x").status_code == 400
    held.refresh_from_db()
    assert held.state == PublicationState.HELD


def test_a_text_without_a_title_is_kept_as_typed(held: Publication, moderator_client: Client) -> None:
    page = decide(moderator_client, held, "release", title="", text="Words of the moderator")
    assert page.status_code == 400
    assert "Words of the moderator" in page.content.decode()


def test_decided_by_somebody_else_meanwhile(
    held: Publication, moderator_client: Client, supervisor_client: Client
) -> None:
    decide(supervisor_client, held, "release", title="A lamp", text="x")
    answer = decide(moderator_client, held, "release", title="Late", text="y")
    assert answer.status_code == 302
    assert "Somebody else has decided" in moderator_client.get(answer["Location"]).content.decode()
    held.refresh_from_db()
    assert held.title == "A lamp"
    assert decide(moderator_client, held, "explode").status_code == 404


def test_photos_of_a_held_text_only(held: Publication, unit: Unit, moderator_client: Client) -> None:
    from django.conf import settings

    from commonbeat.media import store
    from commonbeat.media.actions import picture_key

    shown, other = make.make_photo(), make.make_photo()
    for photo in (shown, other):
        ReportPhoto.objects.create(report=held.report, photo=photo)
        data_dir = settings.COMMONBEAT.data_dir
        store.write_public(
            photo.public_token,
            full=b"\xff\xd8\xfffull",
            thumb=b"\xff\xd8\xffthumb",
            data_dir=data_dir,
            key=picture_key(),
        )
    held.photos.set([shown])
    address = {
        p.pk: reverse("desk:held_photo", kwargs={"publication_id": held.pk, "photo_id": p.pk}) for p in (shown, other)
    }
    assert moderator_client.get(address[shown.pk]).content == b"\xff\xd8\xfffull"
    assert moderator_client.get(address[other.pk]).status_code == 404
    decide(moderator_client, held, "release", title="A lamp", text="x")
    assert moderator_client.get(address[shown.pk]).status_code == 404


def test_the_number_of_queries_does_not_grow(unit: Unit, officer: User, moderator_client: Client) -> None:
    counts = []
    for more in (1, 10):
        for _n in range(more):
            report = make.make_report(unit=unit)
            ReportPhoto.objects.create(report=report, photo=make.make_photo())
            photos = list(report.photos.values_list("pk", flat=True))
            publish_report(
                report_id=report.pk, title="Dark", text=TEXT, photo_ids=photos, actor=officer, now=clock.now()
            )
        moderator_client.get(reverse("desk:moderation"))
        with CaptureQueriesContext(connection) as queries:
            moderator_client.get(reverse("desk:moderation"))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10


def test_an_empty_list_says_so(moderator_client: Client) -> None:
    assert "Nothing waits" in moderator_client.get(reverse("desk:moderation")).content.decode()
