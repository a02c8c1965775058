"""Settings of chats and USSD: what cannot be used is said, and no secret with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from commonbeat.config.chat_options import chat_problems
from commonbeat.config.options import Options

GOOD = Options(
    telegram_hook_secret="a_secret-of-letters",
    africastalking_ussd_secret="theEndOfTheAddress1",
    whatsapp_templates=("en=report_news/en_US", "sq = lajme", "ar=news/ar"),
    ussd_networks=("203.0.113.0/24", "2001:db8::/32", "198.51.100.7"),
)


def test_good_settings_and_none_at_all_are_no_problem() -> None:
    assert chat_problems(GOOD) == []
    assert chat_problems(Options()) == []


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("telegram_hook_secret", "too short", "TELEGRAM_HOOK_SECRET"),
        ("telegram_hook_secret", "with spaces and long enough", "TELEGRAM_HOOK_SECRET"),
        ("africastalking_ussd_secret", "fifteenLetters1", "AFRICASTALKING_USSD_SECRET"),
        ("africastalking_ussd_secret", "with/a/slash/and/long/enough", "AFRICASTALKING_USSD_SECRET"),
        ("whatsapp_templates", ("report_news",), "WHATSAPP_TEMPLATES"),
        ("whatsapp_templates", ("fr=nouvelles",), "WHATSAPP_TEMPLATES"),
        ("whatsapp_templates", ("en=Report News",), "WHATSAPP_TEMPLATES"),
        ("ussd_networks", ("203.0.113.0/40",), "USSD_NETWORKS"),
        ("ussd_networks", ("everywhere",), "USSD_NETWORKS"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(field: str, value: object, named: str) -> None:
    (problem,) = chat_problems(replace(GOOD, **{field: value}))  # type: ignore[arg-type]  # one field at a time
    assert f"COMMONBEAT_{named}" in problem
    assert problem.endswith(".")
    if "secret" in field:
        assert str(value) not in problem
