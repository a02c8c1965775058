"""Accounts as an attacker sees them: pages left open, other people's accounts, a stolen database."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import Settings

from commonbeat.config import settings as configured
from commonbeat.people.models import Role, Unit, User
from commonbeat.web.demo_codes import current_code
from tests.make import make_user, signed_in, totp_secret

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough word"
ACCOUNT_PAGES = {
    "account_login", "account_logout", "account_inactive", "account_signup", "account_reauthenticate",
    "account_change_password", "account_invitation", "mfa_index", "mfa_authenticate", "mfa_reauthenticate",
    "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes", "mfa_list_webauthn", "mfa_add_webauthn", "mfa_reauthenticate_webauthn",
    "mfa_remove_webauthn", "mfa_edit_webauthn", "mfa_login_webauthn",
}  # fmt: skip


def account_names(resolver: URLResolver, path: str = "") -> Iterator[str]:
    """Name every page below /account/."""
    for each in resolver.url_patterns:
        here = path + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from account_names(each, here)
        elif isinstance(each, URLPattern) and here.startswith("account/"):
            yield str(each.name)


def test_these_account_pages_there_are_and_no_others() -> None:
    assert set(account_names(get_resolver())) == ACCOUNT_PAGES
    assert configured.EMAIL_BACKEND == "django.core.mail.backends.dummy.EmailBackend"


@pytest.mark.parametrize(
    "path", ["email/", "password/reset/", "password/set/", "confirm-email/", "login/code/confirm/"]
)
def test_no_page_takes_an_e_mail_address(path: str, resident: User) -> None:
    for browser in (Client(), signed_in(resident)):
        typed = {"email": "me@example.org", "action_add": "", "password": PASSWORD}
        assert browser.get(f"/account/{path}").status_code == 404
        assert browser.post(f"/account/{path}", typed).status_code == 404
    assert not EmailAddress.objects.exists()


def test_neither_signing_up_nor_signing_in_keeps_an_e_mail_address() -> None:
    browser = Client()
    typed = {"username": "bird", "password1": "seven green bottles", "password2": "seven green bottles"}
    assert browser.post(reverse("account_signup"), {**typed, "email": "me@example.org"}).status_code == 302
    Client().post(
        reverse("account_login"), {"login": "bird", "password": "seven green bottles", "email": "me@example.org"}
    )
    assert User.objects.get(username="bird").email == ""
    assert not EmailAddress.objects.exists()


def test_the_login_and_password_pages_need_none_of_the_pages_left_out(resident: User) -> None:
    browser = Client()
    assert browser.get("/account/").status_code == 404
    assert browser.get(reverse("account_login")).status_code == 200
    browser.post(reverse("account_login"), {"login": "resident", "password": PASSWORD})
    new = {"oldpassword": PASSWORD, "password1": "seven green bottles", "password2": "seven green bottles"}
    assert browser.get("/account/").status_code == 404
    assert browser.post(reverse("account_change_password"), new).status_code == 302
    assert browser.get(reverse("mfa_index")).status_code == 200


# ------------------------------------------------------------------ an administrator who wants to read reports


def invited(page: bytes) -> str:
    """Give the path of the invitation that a page shows."""
    found = re.search(rb'value="[^"]*(/account/invitation/[\w-]{22}/)"', page)
    assert found
    return found[1].decode()


def test_an_administrator_does_not_make_a_supervisor_of_the_own_account(
    administrator_client: Client, administrator: User, unit: Unit
) -> None:
    make_user("second", role=Role.ADMINISTRATOR)
    address = reverse("administration:person_edit", kwargs={"pk": administrator.pk})
    answer = administrator_client.post(address, {"do": "role", "role": "supervisor", "unit": unit.pk})
    assert answer.status_code == 422
    assert administrator_client.get(reverse("desk:list")).status_code == 403


def test_a_reset_lets_nobody_in_with_the_old_password(administrator_client: Client, officer: User) -> None:
    theirs = signed_in(officer)
    address = reverse("administration:person_edit", kwargs={"pk": officer.pk})
    invited(administrator_client.post(address, {"do": "reset"}).content)
    browser = Client()
    browser.post(reverse("account_login"), {"login": "officer", "password": PASSWORD})
    assert "_auth_user_id" not in browser.session
    assert theirs.get(reverse("desk:list")).status_code == 302


def test_an_invited_person_chooses_a_password_and_sets_up_the_second_step(
    administrator_client: Client, unit: Unit
) -> None:
    typed = {"username": "lena", "role": "officer", "unit": unit.pk, "do": "create"}
    link = invited(administrator_client.post(reverse("administration:person_new"), typed).content)
    browser = Client(enforce_csrf_checks=False)
    page = browser.get(link)
    assert page.status_code == 200 and b"lena" in page.content and "no-store" in page.headers["Cache-Control"]
    for wrong in ("oak-7", "password1234"):
        answer = browser.post(link, {"password": wrong, "again": wrong})
        assert answer.status_code == 422 and wrong.encode() not in answer.content
    assert browser.post(link, {"password": "seven green bottles", "again": "seven"}).status_code == 422
    done = browser.post(link, {"password": "seven green bottles", "again": "seven green bottles"})
    assert done.headers["Location"] == reverse("account_login")
    again = browser.post(link, {"password": "nine green bottles", "again": "nine green bottles"})
    assert again.status_code == 410 and browser.get(link).status_code == 410
    browser.post(reverse("account_login"), {"login": "lena", "password": "seven green bottles"})
    assert browser.get(reverse("desk:list")).headers["Location"] == reverse("mfa_index")
    browser.post(reverse("account_reauthenticate"), {"password": "seven green bottles"})
    browser.get(reverse("mfa_activate_totp"))
    browser.post(reverse("mfa_activate_totp"), {"code": current_code(browser.session["mfa.totp.secret"])})
    assert browser.get(reverse("desk:list")).status_code == 200


def test_the_link_signs_out_whoever_used_the_device_before(administrator_client: Client) -> None:
    typed = {"username": "lena", "role": "moderator", "do": "create"}
    link = invited(administrator_client.post(reverse("administration:person_new"), typed).content)
    administrator_client.post(link, {"password": "seven green bottles", "again": "seven green bottles"})
    assert "_auth_user_id" not in administrator_client.session


@pytest.mark.parametrize("token", ["x", "A" * 22, "%00", "A" * 5000])
def test_invented_links_open_nothing(token: str) -> None:
    for answer in (Client().get(f"/account/invitation/{token}/"), Client().post(f"/account/invitation/{token}/")):
        assert answer.status_code in (404, 410)


# ------------------------------------------------------------------ a thief of the database


def test_a_stored_session_is_no_cookie(officer: User, unit: Unit) -> None:
    browser = signed_in(officer)
    cookie = browser.cookies[django_settings.SESSION_COOKIE_NAME].value
    assert browser.get(reverse("desk:list")).status_code == 200
    stored = Session.objects.get()
    assert cookie not in (stored.session_key, stored.session_data) and len(stored.session_key) == 40
    thief = Client()
    thief.cookies[django_settings.SESSION_COOKIE_NAME] = stored.session_key
    assert thief.get(reverse("desk:list")).status_code == 302
    browser.post(reverse("account_logout"))
    assert not Session.objects.filter(session_key=stored.session_key).exists(), "signing out deletes the row"


def test_a_changed_password_ends_the_other_sessions(officer: User, unit: Unit) -> None:
    here, elsewhere = Client(), signed_in(officer)
    here.post(reverse("account_login"), {"login": "officer", "password": PASSWORD})
    here.post(reverse("mfa_authenticate"), {"code": current_code(totp_secret(officer))})
    new = {"oldpassword": PASSWORD, "password1": "seven green bottles", "password2": "seven green bottles"}
    here.post(reverse("account_change_password"), new)
    assert here.get(reverse("desk:list")).status_code == 200
    assert elsewhere.get(reverse("desk:list")).status_code == 302


def test_the_cache_table_names_no_address_and_no_account(settings: Settings, officer: User) -> None:
    settings.CACHES = configured.CACHES
    call_command("createcachetable", verbosity=0)
    address = "203.0.113.77"
    for name in ("officer", "nobody"):
        Client(REMOTE_ADDR=address).post(reverse("account_login"), {"login": name, "password": "wrong"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM cache")
        rows = cursor.fetchall()
    assert rows, "failed log-ins are counted"
    whole = repr(rows)
    assert address not in whole and "officer" not in whole and "login" not in whole
    cache.set("kept", 1)
    assert cache.get("kept") == 1
