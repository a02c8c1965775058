"""The personas and makers that every other test stands on."""

from __future__ import annotations

import pytest
from django.test import Client

from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may
from commonbeat.reports.models import Publication, Report
from tests import make

pytestmark = pytest.mark.django_db


def test_staff_have_a_second_factor_and_residents_none(officer: User, supervisor: User, resident: User) -> None:
    from allauth.mfa.utils import is_mfa_enabled

    assert is_mfa_enabled(officer)
    assert is_mfa_enabled(supervisor)
    assert not is_mfa_enabled(resident)
    assert len(make.totp_secret(officer)) >= 16


def test_each_persona_may_what_its_name_says(
    officer: User, far_officer: User, moderator: User, overseer: User, administrator: User, outsider: User
) -> None:
    assert may(officer, Permission.WORK_REPORTS)
    assert may(moderator, Permission.RELEASE) and not may(moderator, Permission.SEE_DESK)
    assert may(overseer, Permission.SEE_JOURNAL)
    assert may(administrator, Permission.ADMINISTER)
    assert not any(may(outsider, each) for each in Permission)
    assert officer.unit_id != far_officer.unit_id


def test_a_signed_in_client_is_signed_in(officer_client: Client, officer: User) -> None:
    assert officer_client.session["_auth_user_id"] == str(officer.pk)


def test_a_made_report_lies_in_the_made_beat(officer: User) -> None:
    beat = make.make_beat(unit=officer.unit, officers=[officer])
    report = make.make_report()
    assert report.beat == beat
    assert list(Report.objects.visible_to(officer)) == [report]


def test_a_made_publication_stands_at_the_public_place(officer: User) -> None:
    publication = make.make_publication()
    assert (publication.latitude, publication.longitude) != (make.LATITUDE, make.LONGITUDE)
    assert list(Publication.objects.public(make.NOW)) == [publication]
