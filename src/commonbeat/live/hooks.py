"""Webhooks of gateways: authenticate, store raw, answer; understanding comes later, in the worker."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import Executor
from urllib.parse import parse_qsl

from django.db import close_old_connections

from commonbeat.config.options import Options
from commonbeat.foundation import clock
from commonbeat.live.http import Gone, Receive, Scope, Send, TooLarge, headers_of, read_body, refuse, respond
from commonbeat.live.store import Row
from commonbeat.live.writer import NotStored, QueueFull, Writer
from commonbeat.messaging.actions import answer_asked
from commonbeat.messaging.channel import Asked, Channel, IsAsked, Outbound, Refused, Request, channels
from commonbeat.messaging.sealing import seal_inbound, stored_provider_id

logger = logging.getLogger(__name__)

_QUERY_FIELDS = 40
_AGAIN = ((b"retry-after", b"5"),)
_NOTHING: Mapping[str, str] = {}


async def hook(
    site: Options, writer: Writer, threads: Executor, path: str, scope: Scope, receive: Receive, send: Send
) -> None:
    """Take one call of a gateway; 2xx means that what it brought is on the disk. path is what follows /hooks/."""
    code, _, tail = path.partition("/")
    channel = channels().get(code)
    if channel is None:
        await refuse(send, 404, "There is no such channel.")
        return
    method = scope["method"]
    if method not in ("POST", "GET"):
        await refuse(send, 405, "A gateway calls with POST or GET.", ((b"allow", b"GET, POST"),))
        return
    headers = headers_of(scope)
    try:
        body = b"" if method == "GET" else await read_body(receive, headers, channel.limits.body_bytes)
        request = Request(method=method, tail=tail, query=_query(scope), headers=headers, body=body)
        rows = _rows(site, channel, request)
        if rows:
            await writer.store(rows)
        asked = channel.asked(request) if isinstance(channel, IsAsked) else None
        if asked is not None and isinstance(channel, IsAsked):
            found = await asyncio.get_running_loop().run_in_executor(threads, _found, code, asked)
            kind, answer = channel.answer_asked(asked, found)
        else:
            kind, answer = channel.answer(request)
    except TooLarge:
        await refuse(send, 413, "The message is too large.", ((b"connection", b"close"),))
    except Gone:
        return
    except Refused as refusal:
        await refuse(send, refusal.status, refusal.sentence)
    except QueueFull:
        await refuse(send, 503, "Too much arrives at once. Please send it again.", _AGAIN)
    except NotStored:
        await refuse(send, 503, "It could not be stored. Please send it again.", _AGAIN)
    except Exception as error:  # a provider's code met what it did not expect
        # The type only: bodies, query strings and what exceptions quote of them are never logged.
        logger.error("A call to channel %s failed: %s.", code, type(error).__name__)
        await refuse(send, 500, "Something went wrong here. Please send it again.")
    else:
        await respond(send, 200, answer, kind.encode())


def _rows(site: Options, channel: Channel, request: Request) -> list[Row]:
    channel.verify(request)
    secret = site.secret
    return [
        (channel.code, stored_provider_id(secret, message.provider_id), seal_inbound(secret, message))
        for message in channel.parse(request)
    ]


def _found(code: str, asked: Asked) -> list[Outbound | str]:
    # The outbox is Django's, and so belongs into a thread.
    close_old_connections()
    try:
        return answer_asked(channel=code, asked=asked, now=clock.now())
    finally:
        close_old_connections()


def _query(scope: Scope) -> Mapping[str, str]:
    raw: bytes = scope["query_string"]
    if not raw:
        return _NOTHING
    try:
        # Bytes that are not UTF-8 stay as surrogates, so that a channel can read them in their own charset.
        return dict(
            parse_qsl(
                raw.decode("utf-8", "surrogateescape"),
                keep_blank_values=True,
                errors="surrogateescape",
                max_num_fields=_QUERY_FIELDS,
            )
        )
    except ValueError:
        raise Refused(400, "The address has too many parts.") from None
