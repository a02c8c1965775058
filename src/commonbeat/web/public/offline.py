"""The service worker's script: which files it keeps, and under which version."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_GET

SCRIPTS = Path(__file__).resolve().parent.parent / "static" / "commonbeat"
# Everything that the offline page needs, and the files of the form.
KEPT = (
    "commonbeat.css",
    "mark.svg",
    "js/exit.js",
    "js/draft.js",
    "js/outbox.js",
    "js/queue.js",
    "js/sealed.js",
    "js/done.js",
)


@require_GET
def service_worker(request: HttpRequest) -> HttpResponse:
    """Give the service worker, whose version changes with every file that it keeps."""
    response = HttpResponse(script(), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    return response


@cache
def script() -> str:
    """Put the script together: the list of files, the queue without its exports, the warnings, and the worker."""
    digest = hashlib.sha256()
    for name in (*KEPT, "js/push.js", "js/sw.js"):
        digest.update((SCRIPTS / name).read_bytes())
    shell = [reverse("public:offline"), *(static(f"commonbeat/{name}") for name in KEPT)]
    queue = (SCRIPTS / "js/queue.js").read_text("utf-8").replace("export ", "")
    push, worker = ((SCRIPTS / name).read_text("utf-8") for name in ("js/push.js", "js/sw.js"))
    told = {
        "VERSION": digest.hexdigest()[:12],
        "SHELL": shell,
        "ICON": static("commonbeat/mark-192.png"),
        # What a notification without words is called.
        "SITE_NAME": settings.COMMONBEAT.site_name,
    }
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in told.items())
    return f"{constants}{queue}\n{push}\n{worker}"
