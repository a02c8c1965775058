"""The transparency log for anybody: checkpoints, the key, and hashes as C2SP tlog-tiles; never an entry.

What was done, when and how often is for the oversight body. A hash tells nothing of its entry, for each entry has bytes
in it that nobody can guess (journal/leaves.py).
"""

from __future__ import annotations

import hashlib
import re

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from commonbeat.journal.log_queries import latest_checkpoint, latest_countersigned, note_of, read_tile
from commonbeat.journal.merkle import HASH_BYTES, WIDTH, width_of

_TEXT = "text/plain; charset=utf-8"
_NOW = "public, max-age=5"
_KEY = "public, max-age=3600"
# What a tile says never changes.
_FOR_EVER = "public, max-age=31536000, immutable"
_TILE = re.compile(r"(0|[1-9]\d?)/((?:x\d{3}/){0,5}\d{3})(?:\.p/([1-9]\d{0,2}))?", re.ASCII)


@require_safe
def checkpoint(request: HttpRequest) -> HttpResponseBase:
    """Give the newest checkpoint."""
    found = latest_checkpoint()
    if found is None:
        raise Http404
    return _answer(request, note_of(found).encode(), _TEXT, _NOW)


@require_safe
def countersigned(request: HttpRequest) -> HttpResponseBase:
    """Give the newest checkpoint that the oversight body has countersigned."""
    found = latest_countersigned()
    if found is None:
        raise Http404
    return _answer(request, note_of(found).encode(), _TEXT, _NOW)


@require_safe
def key(request: HttpRequest) -> HttpResponseBase:
    """Give the public key of the log as one line (vkey)."""
    found = latest_checkpoint()
    if found is None:
        raise Http404
    return _answer(request, found.key.encode() + b"\n", _TEXT, _KEY)


@require_safe
def tile(request: HttpRequest, path: str) -> HttpResponseBase:
    """Give hashes of the signed tree: <level>/<number>, or <level>/<number>.p/<width> of a tile that is not full."""
    match = _TILE.fullmatch(path)
    found = latest_checkpoint()
    if match is None or found is None:
        raise Http404
    level, number = int(match[1]), int(match[2].replace("x", "").replace("/", ""))
    width = int(match[3] or WIDTH)
    # x000/ in front would be a second address of the same tile.
    is_named_so = not match[2].startswith("x000")
    if not is_named_so or level > 63 or (match[3] and width >= WIDTH) or width > width_of(level, number, found.size):
        raise Http404
    data = read_tile(level, number)[: width * HASH_BYTES]
    if len(data) != width * HASH_BYTES:
        raise Http404
    return _answer(request, data, "application/octet-stream", _FOR_EVER)


def _answer(request: HttpRequest, body: bytes, kind: str, cache: str) -> HttpResponse:
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    response = HttpResponse(body, content_type=kind)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = cache
    response.headers["Access-Control-Allow-Origin"] = "*"
    found = get_conditional_response(request, etag=etag, response=response)
    assert isinstance(found, HttpResponse)
    return found
