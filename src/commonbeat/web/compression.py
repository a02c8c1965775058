"""Compress what people read; a slow line is why they wait."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

KINDS = (
    "text/",
    "application/json",
    "application/geo+json",
    "application/manifest+json",
    "application/rss+xml",
    "application/atom+xml",
    "application/cap+xml",
)


class Compression(GZipMiddleware):
    """Compress pages and data, never pictures or parts of files.

    Pages carry a token against forged requests. Django masks it anew in each answer, and this middleware adds up to 100
    random bytes, so that the length of an answer tells nothing about it (BREACH, https://breachattack.com/).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compress an answer that the browser can read compressed."""
        if response.streaming or response.status_code == 206:
            return response
        if not response.headers.get("Content-Type", "").startswith(KINDS):
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed
