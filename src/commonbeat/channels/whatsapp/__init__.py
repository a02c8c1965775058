"""WhatsApp, through its Cloud API: see docs/channels/whatsapp.md for its configuration."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import httpx

from commonbeat.channels.calls import site_options
from commonbeat.channels.clients import Clients
from commonbeat.channels.whatsapp.calls import read_call
from commonbeat.channels.whatsapp.outcomes import WINDOW_CLOSED, outcome_of
from commonbeat.config.options import Options
from commonbeat.messaging.channel import Failed, Inbound, Limits, Outbound, Receipt, Refused, Request, Sent, Setup

# After this long without a word of the person only a template that the service has approved may be sent; a minute
# less, for the message is still on its way.
WINDOW_SECONDS = 24 * 3600 - 60
_PLAIN = "text/plain; charset=utf-8"
_PARAMETER_LIMIT = 1000
_CHALLENGE_LIMIT = 200


class WhatsApp:
    """Talk to the Cloud API."""

    code = "whatsapp"
    limits = Limits(address_kind="phone", per_second=20.0, body_bytes=524_288, in_parts=False, asks_when_heard=True)
    setup = Setup(
        title="WhatsApp",
        to_receive=("whatsapp_app_secret", "whatsapp_verify_token", "whatsapp_phone_id"),
        to_send=("whatsapp_token", "whatsapp_phone_id"),
        hooks=(("Callback URL", ""),),
        optional=("whatsapp_templates", "whatsapp_api_url"),
        goes_to=("whatsapp_api_url",),
        purpose="Chat through WhatsApp's Cloud API.",
        manual="whatsapp.md",
    )

    def __init__(self, options: Callable[[], Options], *, clock: Callable[[], float] = time.time) -> None:
        self._options = options
        self._clock = clock

    def verify(self, request: Request) -> None:
        """Check the signature over the body; or the token, where the service asks whether the address is ours."""
        options = self._options()
        if request.method == "GET":
            expected, given = options.whatsapp_verify_token, request.query.get("hub.verify_token", "")
            is_asked = request.query.get("hub.mode") == "subscribe"
            if not (is_asked and expected and _is_same(expected, given)):
                raise Refused(403, "The token is missing or wrong.")
            return
        key = options.whatsapp_app_secret.encode()
        digest = "sha256=" + hmac.digest(key, request.body, "sha256").hex() if key else ""
        if not digest or not _is_same(digest, request.headers.get("x-hub-signature-256", "")):
            raise Refused(403, "The signature is missing or wrong.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read the messages and statuses of one call."""
        if request.method == "GET":
            return []
        return read_call(request.body, self._options().whatsapp_phone_id)

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Repeat the challenge where there is one; else nothing."""
        if request.method != "GET":
            return _PLAIN, b""
        challenge = request.query.get("hub.challenge", "")[:_CHALLENGE_LIMIT]
        return _PLAIN, challenge.encode("utf-8", "replace")

    def send(self, message: Outbound) -> Sent | Failed:
        """Hand over one message: as text within 24 hours of the person's last one, else as a template."""
        options = self._options()
        if not (options.whatsapp_token and options.whatsapp_phone_id):
            return Failed("not configured", permanent=False)
        template = self._template(message)
        if self._is_closed(message.heard_at):
            return self._post(message, template) if template else Failed(WINDOW_CLOSED, permanent=True)
        outcome = self._post(message, {"type": "text", "text": {"body": message.text, "preview_url": False}})
        if isinstance(outcome, Failed) and outcome.code == WINDOW_CLOSED and template:
            # The service counts otherwise than we do, and it decides.
            return self._post(message, template)
        return outcome

    def _is_closed(self, heard_at: datetime | None) -> bool:
        return heard_at is None or self._clock() - heard_at.timestamp() > WINDOW_SECONDS

    def _template(self, message: Outbound) -> dict[str, Any] | None:
        """Give the template of the person's language, or of the site's first one that has one."""
        templates = _templates(self._options().whatsapp_templates)
        wanted = (message.language, *self._options().languages)
        found = next((templates[code] for code in wanted if code in templates), None)
        if found is None:
            return None
        name, language = found
        # A parameter may hold neither line breaks nor runs of spaces.
        text = " ".join(message.text.split())[:_PARAMETER_LIMIT]
        body = {"type": "body", "parameters": [{"type": "text", "text": text}]}
        return {
            "type": "template",
            "template": {"name": name, "language": {"code": language}, "components": [body]},
        }

    def _post(self, message: Outbound, content: dict[str, Any]) -> Sent | Failed:
        options = self._options()
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": message.recipient.lstrip("+"),
            # It comes back with each status, so that one finds its message whose sending was never answered.
            "biz_opaque_callback_data": message.idempotency_key,
            **content,
        }
        try:
            response = self._client.post(
                f"{options.whatsapp_api_url.rstrip('/')}/{options.whatsapp_phone_id}/messages",
                json=body,
                headers={"Authorization": f"Bearer {options.whatsapp_token}"},
            )
        except httpx.HTTPError as error:
            return Failed(type(error).__name__, permanent=False)
        return outcome_of(response)

    @cached_property
    def _client(self) -> Clients:
        return Clients(15.0)


def _templates(listed: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Read "sq=lajme" and "en=news/en_US": a language of the site, a template, and its language at the service."""
    found: dict[str, tuple[str, str]] = {}
    for entry in listed:
        language, _, rest = entry.partition("=")
        name, _, code = rest.partition("/")
        if language and name:
            found[language.strip()] = (name.strip(), code.strip() or language.strip())
    return found


def _is_same(expected: str, given: str) -> bool:
    # Bytes: compare_digest refuses text that is not ASCII.
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))


channel = WhatsApp(site_options)
