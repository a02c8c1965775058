"""Signing in: second steps, slowed guesses, the helpers of the demonstration."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from commonbeat.people.models import Role, User
from commonbeat.web.accounts import HOMES
from commonbeat.web.demo_codes import current_code, demo_logins
from tests.make import make_user, signed_in, totp_secret

PASSWORD = "a long enough word"
LOGIN = reverse("account_login")
EVENT_HANDLER = re.compile(r"\son[a-z]+\s*=|javascript:|\sstyle\s*=", re.IGNORECASE)
INLINE_SCRIPT = re.compile(r"<script(?![^>]*(?:\ssrc=|type=\"application/json\"))", re.IGNORECASE)


def _confirm(browser: Client) -> None:
    """Type the password once more, which changes of signing in ask for."""
    assert browser.post(reverse("account_reauthenticate"), {"password": PASSWORD}).status_code == 302


def test_staff_sign_in_with_password_and_code(administrator: User) -> None:
    browser = Client()
    first = browser.post(LOGIN, {"login": "administrator", "password": PASSWORD})
    assert first.headers["Location"] == reverse("mfa_authenticate")
    topics = reverse("administration:topics")
    assert browser.get(topics).status_code == 302, "the password alone opens nothing"
    wrong = browser.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert wrong.status_code == 200 and b"error-summary" in wrong.content
    right = browser.post(reverse("mfa_authenticate"), {"code": current_code(totp_secret(administrator))})
    assert right.headers["Location"] == topics
    assert browser.get(topics).status_code == 200


def test_a_code_works_once(administrator: User) -> None:
    code = current_code(totp_secret(administrator))
    for expected in (302, 200):
        browser = Client()
        browser.post(LOGIN, {"login": "administrator", "password": PASSWORD})
        assert browser.post(reverse("mfa_authenticate"), {"code": code}).status_code == expected


def test_staff_without_a_second_step_set_one_up(db: None) -> None:
    make_user("bare", role=Role.ADMINISTRATOR, second_factor=False)
    browser = Client()
    topics = reverse("administration:topics")
    assert browser.post(LOGIN, {"login": "bare", "password": PASSWORD}).headers["Location"] == topics
    assert browser.get(topics).headers["Location"] == reverse("mfa_index")
    page = browser.get(reverse("mfa_index")).content
    assert b"Before you go on" in page and reverse("mfa_activate_totp").encode() in page
    asked = browser.get(reverse("mfa_activate_totp"))
    assert asked.headers["Location"].startswith(reverse("account_reauthenticate"))
    _confirm(browser)
    form = browser.get(reverse("mfa_activate_totp"))
    assert b"data:image/svg+xml" in form.content
    secret = browser.session["mfa.totp.secret"]
    done = browser.post(reverse("mfa_activate_totp"), {"code": current_code(secret)})
    assert done.status_code == 302
    assert browser.get(topics).status_code == 200


def test_guessing_is_slowed_and_the_right_password_waits_too(administrator: User, resident: User) -> None:
    browser = Client()
    for _attempt in range(5):
        browser.post(LOGIN, {"login": "administrator", "password": "wrong"})
    answer = browser.post(LOGIN, {"login": "administrator", "password": PASSWORD})
    assert answer.status_code in (200, 429) and "_auth_user_id" not in browser.session
    assert not answer.headers.get("Location")
    # Somebody else is not held up.
    assert browser.post(LOGIN, {"login": "resident", "password": PASSWORD}).status_code == 302


def test_guessing_codes_is_slowed(administrator: User) -> None:
    browser = Client()
    browser.post(LOGIN, {"login": "administrator", "password": PASSWORD})
    for _attempt in range(12):
        browser.post(reverse("mfa_authenticate"), {"code": "000000"})
    answer = browser.post(reverse("mfa_authenticate"), {"code": current_code(totp_secret(administrator))})
    assert answer.status_code in (200, 429) and "_auth_user_id" not in browser.session


def test_an_unknown_name_and_a_wrong_password_are_told_alike(resident: User) -> None:
    def words(login: str) -> str:
        page = Client().post(LOGIN, {"login": login, "password": "wrong"}).content.decode()
        return re.sub(r'value="[^"]*"', "", page)

    assert words("resident") == words("nobody")


def test_a_closed_account_cannot_sign_in(resident: User) -> None:
    User.objects.filter(pk=resident.pk).update(is_active=False)
    browser = Client()
    browser.post(LOGIN, {"login": "resident", "password": PASSWORD})
    assert "_auth_user_id" not in browser.session


def test_a_resident_makes_an_account_and_is_nothing_more(db: None) -> None:
    browser = Client()
    typed = {"username": "bird", "password1": "seven green bottles", "password2": "seven green bottles"}
    answer = browser.post(reverse("account_signup"), {**typed, "role": "administrator", "is_superuser": "1"})
    assert answer.status_code == 302
    user = User.objects.get(username="bird")
    assert (user.role, user.is_superuser, user.is_staff, user.email) == (Role.RESIDENT, False, False, "")


def test_each_role_lands_on_a_page_of_its_own() -> None:
    assert set(HOMES) == set(Role)
    for name in HOMES.values():
        reverse(name)


STRANGER_PAGES = ["account_login", "account_signup"]
STAFF_PAGES = [
    "account_logout",
    "account_change_password",
    "mfa_index",
    "mfa_add_webauthn",
    "mfa_list_webauthn",
    "mfa_deactivate_totp",
    "mfa_generate_recovery_codes",
    "mfa_reauthenticate",
]


def _assert_strict(page: str) -> None:
    assert not INLINE_SCRIPT.search(page) and "<style" not in page
    assert not EVENT_HANDLER.search(re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))
    assert "commonbeat.css" in page and '<main id="main"' in page and "<h1" in page


@pytest.mark.parametrize("language", ["en", "sq", "ar"])
def test_the_pages_obey_the_strict_content_policy(administrator: User, language: str) -> None:
    stranger, staff = Client(), Client()
    staff.post(LOGIN, {"login": "administrator", "password": PASSWORD})
    stranger.cookies["language"] = staff.cookies["language"] = language
    _assert_strict(staff.get(reverse("mfa_authenticate")).content.decode())
    staff.post(reverse("mfa_authenticate"), {"code": current_code(totp_secret(administrator))})
    _assert_strict(staff.get(reverse("account_reauthenticate")).content.decode())
    _confirm(staff)
    for browser, names in ((stranger, STRANGER_PAGES), (staff, STAFF_PAGES)):
        for name in names:
            answer = browser.get(reverse(name))
            assert answer.status_code == 200, name
            page = answer.content.decode()
            _assert_strict(page)
            assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in page
            assert "script-src" not in answer.headers["Content-Security-Policy"]


def test_recovery_codes_are_made_shown_and_sign_in_once(administrator: User) -> None:
    browser = Client()
    browser.post(LOGIN, {"login": "administrator", "password": PASSWORD})
    browser.post(reverse("mfa_authenticate"), {"code": current_code(totp_secret(administrator))})
    _confirm(browser)
    browser.post(reverse("mfa_generate_recovery_codes"))
    page = browser.get(reverse("mfa_view_recovery_codes")).content.decode()
    _assert_strict(page)
    code = re.findall(r"<li><code[^>]*>([^<]+)</code>", page)[0]
    for expected in (True, False):
        other = Client()
        other.post(LOGIN, {"login": "administrator", "password": PASSWORD})
        other.post(reverse("mfa_authenticate"), {"code": code})
        assert ("_auth_user_id" in other.session) is expected


# ------------------------------------------------------------------ the demonstration


@pytest.fixture
def demo_file(tmp_path: Path, settings: Settings) -> Path:
    """Give a data folder with the log-ins of a demo town; the site is not a demonstration."""
    settings.COMMONBEAT = dataclasses.replace(django_settings.COMMONBEAT, data_dir=tmp_path)
    file = tmp_path / "demo.json"
    rows = [
        {
            "username": "mira",
            "password": "red-boat-sings",
            "totp_secret": "JBSWY3DPEHPK3PXP",
            "role": "officer",
            "name": "Mira",
        },
        {"username": "rrezja", "password": "old-tree-walks", "role": "resident"},
    ]
    file.write_text(json.dumps(rows), "utf-8")
    return file


def test_a_real_site_never_shows_the_helpers(demo_file: Path, client: Client) -> None:
    assert demo_logins() == []
    assert b"red-boat-sings" not in client.get(LOGIN).content


def test_the_demonstration_shows_who_one_can_be(demo_file: Path, settings: Settings, client: Client) -> None:
    settings.COMMONBEAT = dataclasses.replace(settings.COMMONBEAT, demo=True)
    page = client.get(LOGIN).content.decode()
    assert "red-boat-sings" in page and "old-tree-walks" in page
    assert re.search(r"<code[^>]*>\d{6}</code>", page)


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"username": "x"}]', '{"a": 1}'])
def test_a_damaged_file_of_the_demonstration_is_passed_over(demo_file: Path, settings: Settings, content: str) -> None:
    settings.COMMONBEAT = dataclasses.replace(settings.COMMONBEAT, demo=True)
    demo_file.write_text(content, "utf-8")
    assert demo_logins() == []


def test_codes_are_those_of_an_authenticator_app(monkeypatch: pytest.MonkeyPatch) -> None:
    # RFC 6238, appendix B: SHA-1, time 59 s, last six digits of 94287082.
    monkeypatch.setattr("time.time", lambda: 59.0)
    assert current_code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ") == "287082"


def test_signing_out_leaves_nothing(officer: User) -> None:
    browser = signed_in(officer)
    browser.post(reverse("account_logout"))
    assert "_auth_user_id" not in browser.session
