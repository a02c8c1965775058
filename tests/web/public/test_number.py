"""A telephone number on the report form: whoever types it need not be its owner."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from commonbeat.messaging.models import Contact
from commonbeat.reports.models import Report
from commonbeat.web.public import wizard
from commonbeat.web.public.draft import Draft
from tests import make
from tests.web.public.walker import Walker

pytestmark = pytest.mark.django_db


@pytest.fixture
def walker(client: Client) -> Walker:
    """Walk a short form to the step that asks for a number."""
    make.fallback()
    make.make_topic("street-light", categories=[])
    walker = Walker(client, "/report/street-light/")
    answers = {"what": {"text": "A lamp is dark."}, "where": {"place_text": "42.38, 20.43"}}
    while walker.step != "contact":
        walker.send(**answers[walker.step])
    return walker


def test_a_number_becomes_a_contact_behind_a_handle(walker: Walker) -> None:
    assert walker.send(phone="044 no").status_code == 422
    walker.send(phone="044 123 456")
    walker.send(go="", address="/report/done/")
    contact = Contact.objects.get()
    report = Report.objects.get()
    assert report.contact == contact
    assert b"44123456" not in bytes(contact.address_sealed)
    assert not report.contact_confirmed and "Reply YES" in walker.text


def test_a_number_typed_by_a_stranger_changes_nothing_of_its_owner(walker: Walker) -> None:
    owner = make.make_contact("+38344123456", language="sq", channel="kannel_sms")
    walker.send(phone="044 123 456")
    walker.send(go="", address="/report/done/")
    owner.refresh_from_db()
    assert Report.objects.get().contact == owner
    assert (owner.language, owner.channel) == ("sq", "kannel_sms")


def test_no_number_is_kept_without_its_report(walker: Walker, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**_given: object) -> None:
        raise KeyboardInterrupt

    walker.send(phone="044 123 456")
    with monkeypatch.context() as patch:
        patch.setattr(wizard, "submit_report", crash)
        with pytest.raises(KeyboardInterrupt):
            walker.send(go="", address="/report/done/")
    assert not Contact.objects.exists()


def test_a_repeat_with_another_number_keeps_neither_report_nor_number(walker: Walker) -> None:
    walker.send(go="next")
    walker.send(go="", address="/report/done/")
    report = Report.objects.get()
    draft = Draft.new()
    draft.key, draft.text, draft.phone = report.client_key.removeprefix("web-"), "Once more", "044 777 777"
    request = RequestFactory().post("/")
    request.user = AnonymousUser()
    assert wizard.send(draft, report.topic, request=request, now=make.NOW) == (report, False)
    assert not Contact.objects.exists()
