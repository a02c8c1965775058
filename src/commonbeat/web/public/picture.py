"""GET /map/picture.png: the map as a picture, for posters and posts, and for pages without JavaScript.

?topic= &category= &since= &until= &measure= as on the map's page; &lat= &lon= in degrees and &zoom= 0 to 20, else the
site's own; &width= &height= in pixels; &legend=0 for the map alone; &language= else the reader's.

For pages that show one: picture_address() gives its address, alt_text() what it shows in words.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import blake2b
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.urls import reverse
from django.utils import translation
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commonbeat.maps import picture as drawing
from commonbeat.maps.basemap import Ground
from commonbeat.maps.queries import revision
from commonbeat.reports.queries.filters import FilterError
from commonbeat.web import throttle
from commonbeat.web.errors import error_page
from commonbeat.web.public import picture_words as words
from commonbeat.web.public.limits import too_often
from commonbeat.web.public.picture_asked import NAMES, Asked, NoSuchTopic, face, map_files, read_asked
from commonbeat.web.public.picture_scene import laid_for, scene_of

logger = logging.getLogger(__name__)

# Only what is drawn counts, and a picture takes a tenth of a second.
PICTURES = throttle.Limit("pictures", 1_200, 3_600)
# Whoever looks twice within a minute sees the same; what is new is asked for by its tag.
_CACHE = "public, max-age=60, stale-while-revalidate=600"
_KEPT_BYTES = 6_000_000
# One is drawn at a time, for it takes up to 55 MB. More than a few must not wait: they hold threads that answer pages.
_MOST_WAITING = 4
_PATIENCE_SECONDS = 8.0


class _Made(NamedTuple):
    """A picture, and the tag of all that it shows."""

    tag: str
    data: bytes


_ground = Ground()
_drawing = threading.Lock()
_waiting = threading.BoundedSemaphore(_MOST_WAITING)
_kept: OrderedDict[tuple[object, ...], _Made] = OrderedDict()
_keeping = threading.Lock()


@require_safe
def picture(request: HttpRequest) -> HttpResponse:
    """Give the map as a PNG."""
    try:
        asked = read_asked(request.GET.dict())
    except NoSuchTopic as error:
        raise Http404 from error
    except FilterError as error:
        return error_page(request, status=400, title=_("This picture cannot be drawn"), sentence=str(error))
    tag = _tag(asked)
    if f'"{tag}"' in parse_etags(request.headers.get("If-None-Match", "")):
        return _described(HttpResponseNotModified(), tag, asked)
    made = _kept_picture(asked)
    if made is None or made.tag != tag:
        if throttle.is_over(request, PICTURES):
            return too_often(request)
        throttle.count(request, PICTURES)
        # A crowd had better see what was drawn a moment ago than nothing.
        made = _drawn(asked, tag) or made
    if made is None:
        response = error_page(
            request,
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            title=_("Please wait a little"),
            sentence=_("Many pictures are being drawn at this moment. Please try again in a few seconds."),
        )
        response.headers["Retry-After"] = "5"
        return response
    return _described(HttpResponse(made.data, content_type="image/png"), made.tag, asked)


def picture_address(params: Mapping[str, str], **changes: str) -> str:
    """Give the address of the picture with the filters and the place of a map's page, and parts of it changed."""
    parts = {**params, **changes}
    query = urlencode({name: parts[name] for name in NAMES if parts.get(name)})
    return reverse("public:picture") + (f"?{query}" if query else "")


def alt_text(params: Mapping[str, str]) -> str:
    """Say in words what the picture of an address shows; FilterError and NoSuchTopic as for the picture."""
    asked = read_asked(params)
    with translation.override(asked.language):
        return words.alt_text(asked, laid_for(asked)[2])


def _tag(asked: Asked) -> str:
    """Name all that a picture depends on; one query."""
    files = [(path.name, path.stat().st_mtime_ns) for path in map_files()]
    parts = (asked.key(), revision(), files, face(), settings.COMMONBEAT.site_name)
    return blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def _drawn(asked: Asked, tag: str) -> _Made | None:
    """Draw a picture, and keep it; None when too many wait for theirs."""
    if not _waiting.acquire(blocking=False):
        return None
    try:
        if not _drawing.acquire(timeout=_PATIENCE_SECONDS):
            return None
        try:
            # Somebody else may have asked for the same, and waited less.
            made = _kept_picture(asked)
            if made is None or made.tag != tag:
                with translation.override(asked.language):
                    made = _Made(tag, drawing.draw(scene_of(asked), _ground, map_files(), face()))
                _keep(asked, made)
            return made
        finally:
            _drawing.release()
    finally:
        _waiting.release()


def _kept_picture(asked: Asked) -> _Made | None:
    with _keeping:
        made = _kept.get(asked.key())
        if made is not None:
            _kept.move_to_end(asked.key())
        return made


def _keep(asked: Asked, made: _Made) -> None:
    with _keeping:
        _kept[asked.key()] = made
        while sum(len(each.data) for each in _kept.values()) > _KEPT_BYTES:
            _kept.popitem(last=False)


def _described(response: HttpResponse, tag: str, asked: Asked) -> HttpResponse:
    response.headers["ETag"] = f'"{tag}"'
    response.headers["Cache-Control"] = _CACHE
    response.headers["Content-Language"] = asked.language
    if not asked.names_language:
        response.headers["Vary"] = "Accept-Language, Cookie"
    return response
