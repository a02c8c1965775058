"""Telegram, through a bot: see docs/channels/telegram.md for its configuration."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import httpx
import msgspec

from commonbeat.channels.calls import answered_object, fingerprint, moment, object_of, site_options
from commonbeat.channels.clients import Clients
from commonbeat.config.options import Options
from commonbeat.messaging.channel import (
    OPTED_OUT,
    Failed,
    Inbound,
    Limits,
    Outbound,
    Receipt,
    Refused,
    Request,
    Sent,
    Setup,
)

SERVICE = "telegram"
# What a bot's secret may be made of, says the service.
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
_COMMAND = re.compile(r"/([A-Za-z_]{1,32})(?:@\w+)?(?=\s|\Z)")
# Of what is no text, these are told of; the rest (stickers, polls, games) says nothing.
_ATTACHMENTS = {
    "photo": "photo",
    "video": "video",
    "video_note": "video",
    "voice": "voice",
    "audio": "voice",
    "document": "file",
}
# Longer than this no message waits for the service's leave within one attempt; the outbox tries again anyway.
_LONGEST_PAUSE = 3600.0
_ANSWER = ("application/json", b"{}")


class _Chat(msgspec.Struct):
    id: int
    type: str = ""


class _Location(msgspec.Struct):
    latitude: float
    longitude: float


class _Message(msgspec.Struct):
    chat: _Chat
    message_id: int = 0
    date: int = 0
    text: str = ""
    caption: str = ""
    location: _Location | None = None
    photo: Any = None
    video: Any = None
    video_note: Any = None
    voice: Any = None
    audio: Any = None
    document: Any = None


class _Update(msgspec.Struct):
    update_id: int
    message: _Message | None = None


class Telegram:
    """Talk to the Bot API."""

    code = "telegram"
    # The service allows about 30 a second to all, and one a second to one person.
    limits = Limits(address_kind="chat", per_second=20.0, in_parts=False)
    setup = Setup(
        title="Telegram",
        to_receive=("telegram_hook_secret",),
        to_send=("telegram_token",),
        hooks=(("Webhook (told by “commonbeat channels telegram connect”)", ""),),
        optional=("telegram_api_url",),
        goes_to=("telegram_api_url",),
        purpose="Chat through a bot of Telegram.",
        manual="telegram.md",
    )

    def __init__(self, options: Callable[[], Options], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._clock = clock
        # The service has said "retry after": until then nothing is sent.
        self._silent_until = 0.0

    def verify(self, request: Request) -> None:
        """Compare the secret that the service repeats in each call."""
        expected = self._options().telegram_hook_secret.encode()
        given = request.headers.get("x-telegram-bot-api-secret-token", "").encode("utf-8", "surrogateescape")
        if request.method != "POST" or not expected or not hmac.compare_digest(expected, given):
            raise Refused(403, "The secret is missing or wrong.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read one update: a message of one person; groups, edits and everything else give nothing."""
        update = _update(request.body)
        message = update.message
        if message is None or message.chat.type != "private":
            return []
        text, attachments = _text_of(message), _attachments_of(message)
        if not text and not attachments:
            return []
        sender = f"{SERVICE}:{message.chat.id}"
        return [
            Inbound(
                provider_id=fingerprint(str(update.update_id), str(message.message_id), sender, text),
                sender=sender,
                text=text,
                sent_at=moment(message.date),
                attachments=attachments,
            )
        ]

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Give an empty object; a method in it would be carried out."""
        return _ANSWER

    def send(self, message: Outbound) -> Sent | Failed:
        """Hand one message to the Bot API, which knows no key: what was sent twice arrives twice."""
        service, _, chat = message.recipient.partition(":")
        if service != SERVICE or not chat.lstrip("-").isdecimal():
            return Failed("no account here", permanent=True)
        if not self._options().telegram_token:
            return Failed("not configured", permanent=False)
        if self._clock() < self._silent_until:
            return Failed("http 429", permanent=False)
        body = {"chat_id": int(chat), "text": message.text, "link_preview_options": {"is_disabled": True}}
        try:
            response = self.call("sendMessage", body)
        except httpx.HTTPError as error:
            return Failed(type(error).__name__, permanent=False)
        return self._outcome(response)

    def call(self, method: str, body: dict[str, Any]) -> httpx.Response:
        """Call a method of the Bot API; raise httpx.HTTPError where it cannot be reached."""
        options = self._options()
        return self._client.post(
            f"{options.telegram_api_url.rstrip('/')}/bot{options.telegram_token}/{method}", json=body
        )

    def connect(self) -> str:
        """Tell the service where to call, and give a sentence for the operator; raise ValueError with one otherwise."""
        options = self._options()
        if not options.telegram_token:
            raise ValueError("COMMONBEAT_TELEGRAM_TOKEN is not set. Ask @BotFather for a bot, which has one.")
        if not _SECRET.fullmatch(options.telegram_hook_secret):
            raise ValueError("COMMONBEAT_TELEGRAM_HOOK_SECRET must be 16 to 256 letters, digits, _ or -.")
        if not options.site_url.startswith("https://"):
            raise ValueError(f"Telegram calls only https:// addresses, and this site is {options.site_url}.")
        body = {
            "url": f"{options.site_url.rstrip('/')}/hooks/{self.code}",
            "secret_token": options.telegram_hook_secret,
            "allowed_updates": ["message"],
        }
        try:
            response = self.call("setWebhook", body)
        except httpx.HTTPError as error:
            raise ValueError(f"{options.telegram_api_url} cannot be reached ({type(error).__name__}).") from None
        said = answered_object(response.content)
        if response.status_code != 200 or said.get("ok") is not True:
            # What the service says of itself names no person.
            raise ValueError(f"Telegram refused: {str(said.get('description', response.status_code))[:200]}.")
        return f"Telegram now calls {body['url']}."

    def _outcome(self, response: httpx.Response) -> Sent | Failed:
        status, said = response.status_code, answered_object(response.content)
        if status == 200 and said.get("ok") is True:
            result = said.get("result")
            return Sent(provider_id=str(result.get("message_id", "")) if isinstance(result, dict) else "")
        description = str(said.get("description", "")).lower()
        if status == 429:
            self._pause(said)
            return Failed("http 429", permanent=False)
        if status == 403 and description:
            # Blocked, deactivated, or never begun: nobody is there for us.
            return Failed(OPTED_OUT, permanent=True)
        if status in (401, 403, 404):
            # A wrong token is mended by the operator, and the message then still goes.
            return Failed("authorization", permanent=False)
        if status == 400 and "chat not found" in description:
            return Failed("unknown chat", permanent=True)
        return Failed(f"http {status}", permanent=400 <= status < 500 and status not in (408, 409, 425))

    def _pause(self, said: dict[str, Any]) -> None:
        parameters = said.get("parameters")
        after = parameters.get("retry_after") if isinstance(parameters, dict) else None
        if isinstance(after, int | float) and not isinstance(after, bool) and after > 0:
            self._silent_until = self._clock() + min(float(after), _LONGEST_PAUSE)

    @cached_property
    def _client(self) -> Clients:
        return Clients(10.0)


_decoder = msgspec.json.Decoder(_Update)


def _update(body: bytes) -> _Update:
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    # Half an emoji is not valid JSON text: keep the rest.
    try:
        return msgspec.convert(object_of(body), _Update)
    except msgspec.ValidationError:
        raise Refused(400, "This is no update of the Bot API.") from None


def _text_of(message: _Message) -> str:
    if message.location is not None:
        return f"{message.location.latitude:.6f}, {message.location.longitude:.6f}"
    text = message.text or message.caption
    command = _COMMAND.match(text)
    if command is None:
        return text
    if command[1].lower() == "start":
        # What follows comes from the link that led here, not from the person.
        return "START"
    # The app offers "/status"; the dialogue's word is STATUS.
    return f"{command[1].upper()}{text[command.end() :]}"


def _attachments_of(message: _Message) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for field, name in _ATTACHMENTS.items() if getattr(message, field)))


channel = Telegram(site_options)
