"""How a desk page is drawn: whole, or one block of it for htmx."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2_fragments
from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template import engines
from django.template.backends.utils import csrf_input_lazy
from django.urls import reverse

from commonbeat.web.jinja import page_context


def draw(request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """Draw a whole page, with the messages that wait for this person."""
    return render(request, template, {"messages": get_messages(request), **context}, status=status)


def draw_block(
    request: HttpRequest, template: str, block: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Draw one block of a page."""
    environment = engines["jinja2"].env  # type: ignore[attr-defined]  # Django's Jinja2 backend
    everything = {
        **page_context(request),
        "request": request,
        "csrf_input": csrf_input_lazy(request),
        "csrf_token": get_token(request),
        **context,
    }
    return HttpResponse(jinja2_fragments.render_block(environment, template, block, **everything), status=status)


def town_map() -> str:
    """Give the address of the town's map file, or nothing: the world map then has to do."""
    folder = settings.COMMONBEAT.data_dir / "maps"
    names = sorted(path.stem for path in folder.glob("*.pmtiles")) if folder.is_dir() else []
    name = "town" if "town" in names else next(iter(names), "")
    return f"/map/{name}.pmtiles" if name else ""


def report_address(report_id: int, query: str = "", anchor: str = "") -> str:
    """Give the address of a report's page, in the list it was opened from."""
    address = reverse("desk:report", kwargs={"report_id": report_id})
    return f"{address}{'?' + query if query else ''}{'#' + anchor if anchor else ''}"
