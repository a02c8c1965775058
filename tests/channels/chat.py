"""How Telegram and WhatsApp call us."""

from __future__ import annotations

import hmac
import json
from typing import Any

from commonbeat.messaging.channel import Request

TELEGRAM_SECRET = "the-secret-that-telegram-repeats"
APP_SECRET = "the secret of the app"
VERIFY_TOKEN = "a token that we made up"
PHONE_ID = "106540352242922"
SETTINGS: dict[str, Any] = {
    "telegram_token": "123456:token",
    "telegram_hook_secret": TELEGRAM_SECRET,
    "telegram_api_url": "http://gateway.invalid",
    "whatsapp_token": "token",
    "whatsapp_phone_id": PHONE_ID,
    "whatsapp_app_secret": APP_SECRET,
    "whatsapp_verify_token": VERIFY_TOKEN,
    "whatsapp_api_url": "http://gateway.invalid/v23.0",
}
NO_SECRETS = {"telegram_hook_secret": "", "whatsapp_app_secret": "", "whatsapp_verify_token": ""}
NOT_SET_UP = {"telegram_token": "", "whatsapp_token": ""}


def telegram(*, update_id: int = 10_000, raw: bytes | None = None, **message: Any) -> Request:
    """Make an update with a message of one person."""
    update = {
        "update_id": update_id,
        "message": {
            "message_id": 365,
            "from": {"id": 1111111, "is_bot": False, "first_name": "Someone", "language_code": "sq"},
            "chat": {"id": 1111111, "type": "private", "first_name": "Someone"},
            "date": 1773489600,
            **message,
        },
    }
    body = json.dumps(update).encode() if raw is None else raw
    return Request("POST", "", {}, {"x-telegram-bot-api-secret-token": TELEGRAM_SECRET}, body)


def whatsapp(
    *messages: dict[str, Any], statuses: list[dict[str, Any]] | None = None, raw: bytes | None = None
) -> Request:
    """Make a signed call with messages of people, or statuses of ours."""
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "38349000000", "phone_number_id": PHONE_ID},
    }
    if messages:
        value["contacts"] = [{"profile": {"name": "Someone"}, "wa_id": "38344123456"}]
        value["messages"] = [
            {"from": "38344123456", "id": "wamid.HBg1", "timestamp": "1773489600", **each} for each in messages
        ]
    if statuses:
        value["statuses"] = statuses
    call = {
        "object": "whatsapp_business_account",
        "entry": [{"id": "8", "changes": [{"field": "messages", "value": value}]}],
    }
    body = json.dumps(call).encode() if raw is None else raw
    signature = "sha256=" + hmac.new(APP_SECRET.encode(), body, "sha256").hexdigest()
    return Request("POST", "", {}, {"x-hub-signature-256": signature}, body)


def whatsapp_receipt(about: str, outcome: str) -> Request:
    """Make a call with a status."""
    return whatsapp(
        statuses=[{"id": about, "status": outcome, "timestamp": "1773489660", "recipient_id": "38344123456"}]
    )
