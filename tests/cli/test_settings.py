"""The page of settings, and the list on the command line."""

from __future__ import annotations

import dataclasses

import pytest
from click.testing import CliRunner

from commonbeat.cli.settings import SECRETS, option_meanings, settings, settings_page
from commonbeat.config.options import Options
from tests.architecture.source import REPOSITORY


def test_the_page_of_settings_is_current() -> None:
    page = REPOSITORY / "docs" / "settings.md"
    assert page.read_text("utf-8") == settings_page(), "run `make settings-page`"


def test_every_setting_says_what_it_does() -> None:
    assert set(option_meanings()) == {field.name for field in dataclasses.fields(Options)}


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS - {"database_url"}:
        # SMPP has room for eight characters.
        secret = "conceale" if name == "smpp_password" else "concealedwordofsomelength"
        monkeypatch.setenv(f"COMMONBEAT_{name.upper()}", secret)
    monkeypatch.setenv("COMMONBEAT_DATABASE_URL", "postgresql://someone:concealed@127.0.0.1/db")
    answer = CliRunner().invoke(settings)
    assert answer.exit_code == 0
    assert "conceale" not in answer.output
    assert "COMMONBEAT_KANNEL_PASSWORD = (set)" in answer.output


def test_whatever_sounds_secret_is_treated_so() -> None:
    named = {f.name for f in dataclasses.fields(Options) if f.name.endswith(("password", "secret", "key"))}
    assert named <= SECRETS
