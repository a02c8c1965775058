"""The settings of chats and USSD, checked: secrets, templates, networks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from commonbeat.foundation.net import is_network

if TYPE_CHECKING:
    from commonbeat.config.options import Options

_TELEGRAM_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
_TEMPLATE = re.compile(r"\s*(?P<language>[a-z]{2})\s*=\s*[a-z0-9_]{1,512}\s*(/\s*[A-Za-z]{2,3}(_[A-Za-z]{2,4})?\s*)?")
# Nobody signs a USSD call, so that guessing the secret must be out of the question.
LEAST_USSD_SECRET = 16


def chat_problems(options: Options) -> list[str]:
    """Say what is wrong with the settings of chats and USSD, one sentence each; no secret is repeated."""
    problems = []
    if options.telegram_hook_secret and not _TELEGRAM_SECRET.fullmatch(options.telegram_hook_secret):
        problems.append("COMMONBEAT_TELEGRAM_HOOK_SECRET must be 16 to 256 letters, digits, _ or -.")
    secret = options.africastalking_ussd_secret
    if secret and (len(secret) < LEAST_USSD_SECRET or not secret.isascii() or not secret.isalnum()):
        problems.append(
            f"COMMONBEAT_AFRICASTALKING_USSD_SECRET must be at least {LEAST_USSD_SECRET} letters and digits, for"
            " it is all that keeps others out."
        )
    for entry in options.whatsapp_templates:
        found = _TEMPLATE.fullmatch(entry)
        if found is None or found["language"] not in options.languages:
            problems.append(
                f"COMMONBEAT_WHATSAPP_TEMPLATES has “{entry}”; write a language of the site and a template, such as"
                " en=report_news/en_US."
            )
    for network in options.ussd_networks:
        if not is_network(network):
            problems.append(f"COMMONBEAT_USSD_NETWORKS has “{network}”; write networks such as 203.0.113.0/24.")
    return problems
