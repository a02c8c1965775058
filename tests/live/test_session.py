"""Who may listen: decided by the same table as on the pages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.test import Client

from commonbeat.live.session import Viewer, viewer_of
from commonbeat.people.models import Role, Unit, User
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _with_second_factor(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.COMMONBEAT = replace(settings.COMMONBEAT, require_mfa=True)
    # It would drop the connection that holds the test's own transaction.
    monkeypatch.setattr("commonbeat.live.session.close_old_connections", lambda: None)


def cookie_of(client: Client) -> dict[str, str]:
    return {"cookie": f"other=1; {django_settings.SESSION_COOKIE_NAME}={client.session.session_key}; language=en"}


def test_an_officer_hears_of_the_own_unit(officer_client: Client, unit: Unit) -> None:
    assert viewer_of(cookie_of(officer_client)) == Viewer(unit_id=unit.pk)


def test_a_supervisor_hears_of_every_unit(supervisor_client: Client) -> None:
    assert viewer_of(cookie_of(supervisor_client)) == Viewer(unit_id=None)


def test_everybody_else_hears_nothing(
    resident_client: Client,
    outsider_client: Client,
    moderator_client: Client,
    overseer_client: Client,
    administrator_client: Client,
) -> None:
    for client in (resident_client, outsider_client, moderator_client, overseer_client, administrator_client):
        assert viewer_of(cookie_of(client)) is None


@pytest.mark.parametrize("cookie", ["", "sessionid=", "sessionid=none", "sessionid=\x00", "=;=", "sessionid=½"])
def test_odd_cookies_are_nobody(cookie: str) -> None:
    assert viewer_of({"cookie": cookie}) is None
    assert viewer_of({}) is None


def test_a_session_ends_with_sign_out_password_and_account(officer: User, officer_client: Client) -> None:
    headers = cookie_of(officer_client)
    assert viewer_of(headers) is not None
    officer.is_active = False
    officer.save()
    assert viewer_of(headers) is None
    officer.is_active = True
    officer.set_password("another long enough word")
    officer.save()
    assert viewer_of(headers) is None
    Session.objects.all().delete()
    assert viewer_of(headers) is None


def test_an_officer_without_unit_or_second_factor_hears_nothing(unit: Unit) -> None:
    without_unit = make.make_user(role=Role.OFFICER)
    assert viewer_of(cookie_of(make.signed_in(without_unit))) is None
    without_factor = make.make_user(role=Role.OFFICER, unit=unit, second_factor=False)
    assert viewer_of(cookie_of(make.signed_in(without_factor))) is None
