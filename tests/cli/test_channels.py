"""commonbeat channels: connect, or say in a sentence why not."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from commonbeat.channels.telegram import channel
from commonbeat.cli.channels import channels_group
from commonbeat.cli.main import COMMANDS


def test_connecting_says_what_came_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "connect", lambda: "Telegram now calls https://example.org/hooks/telegram.")
    answer = CliRunner().invoke(channels_group, ["telegram", "connect"])
    assert (answer.exit_code, answer.output.strip()) == (0, "Telegram now calls https://example.org/hooks/telegram.")


def test_what_is_missing_is_one_sentence(settings) -> None:
    answer = CliRunner().invoke(channels_group, ["telegram", "connect"])
    assert answer.exit_code == 1
    assert "COMMONBEAT_TELEGRAM_TOKEN is not set." in answer.output
    assert "Traceback" not in answer.output


def test_the_command_is_listed() -> None:
    assert COMMANDS["channels"].path == "commonbeat.cli.channels:channels_group"
