"""The same durable insert as an ordinary Django view, served as WSGI: what live/ is measured against."""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonbeat.config.settings")

import django

django.setup()

import uvicorn  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

from commonbeat.config.bridge import Bridge  # noqa: E402
from commonbeat.foundation import clock  # noqa: E402
from commonbeat.messaging.actions import receive  # noqa: E402
from commonbeat.messaging.channel import Request, channels  # noqa: E402


def hook(request: HttpRequest, code: str) -> HttpResponse:
    """Authenticate, store and answer."""
    channel = channels()[code]
    headers = {name.lower(): value for name, value in request.headers.items()}
    call = Request(request.method or "", "", request.GET.dict(), headers, request.body)
    channel.verify(call)
    for message in channel.parse(call):
        receive(channel=code, message=message, now=clock.now())
    kind, body = channel.answer(call)
    return HttpResponse(body, content_type=kind)


def _http(bridge: Bridge) -> Any:
    # A coroutine function, so that uvicorn takes it for ASGI 3.
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await bridge(scope, receive, send)

    return application


urlpatterns = [path("hooks/<code>", hook), path("healthz", lambda request: HttpResponse("ok"))]

if __name__ == "__main__":
    # The plainest Django: no sessions, no messages, nothing but the view.
    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = "bench.load.django_view"
    handler: Any = WSGIHandler()
    uvicorn.run(
        _http(Bridge(handler, threads=settings.COMMONBEAT.threads, folder=None)),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
