"""The settings of chats and USSD; options.py puts them into the table of a site."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from commonbeat.config.mail_options import MailOptions
from commonbeat.foundation.net import is_network

if TYPE_CHECKING:
    from commonbeat.config.options import Options

_TELEGRAM_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
_TEMPLATE = re.compile(r"\s*(?P<language>[a-z]{2})\s*=\s*[a-z0-9_]{1,512}\s*(/\s*[A-Za-z]{2,3}(_[A-Za-z]{2,4})?\s*)?")
# Nobody signs a USSD call, so that guessing the secret must be out of the question.
LEAST_USSD_SECRET = 16


@dataclasses.dataclass(frozen=True, slots=True)
class ChatOptions(MailOptions):
    """Hold the settings of chats and USSD."""

    telegram_token: str = ""
    """Token of the Telegram bot, as @BotFather gives it."""
    telegram_hook_secret: str = ""
    """Secret that Telegram repeats in each call: 16 to 256 letters, digits, _ or -."""
    telegram_api_url: str = "https://api.telegram.org"
    """Address of Telegram's Bot API; another one for a server of your own."""
    whatsapp_token: str = ""
    """Access token of WhatsApp's Cloud API, of a system user."""
    whatsapp_phone_id: str = ""
    """Id of the WhatsApp number at the Cloud API; not the number itself."""
    whatsapp_app_secret: str = ""
    """App secret with which the Cloud API signs its calls."""
    whatsapp_verify_token: str = ""
    """Token, made up by you, that the Cloud API shows when it first asks for the address."""
    whatsapp_templates: tuple[str, ...] = ()
    """Approved template for news after 24 hours of silence, by language, with one variable: en=news/en_US, sq=lajme."""
    whatsapp_api_url: str = "https://graph.facebook.com/v23.0"
    """Address of the Cloud API, with its version."""
    africastalking_ussd_secret: str = ""
    """Secret at the end of the address that Africa's Talking calls for USSD; at least 16 letters and digits."""
    ussd_networks: tuple[str, ...] = ()
    """Networks from which USSD calls are taken, such as 203.0.113.0/24; empty means from anywhere."""


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
