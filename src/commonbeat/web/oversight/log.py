"""The transparency log for the oversight body: how far it is, taking it away, countersigning it."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from commonbeat.foundation import clock
from commonbeat.foundation.text import ascii_digits
from commonbeat.journal.actions import log as actions
from commonbeat.journal.log_file import write_log
from commonbeat.journal.log_queries import (
    countersigners,
    inclusion_of,
    latest_checkpoint,
    latest_countersigned,
    logged_entries,
    logged_tiles,
    note_of,
    stands_still,
    tree_size,
)
from commonbeat.journal.models import Countersigner
from commonbeat.journal.notes import MOST_BYTES, NoteError, read_note, read_verifier, signature_of
from commonbeat.journal.site_key import blinding_key
from commonbeat.people.permissions import Permission
from commonbeat.web.accounts import needs, signed_in
from commonbeat.web.administration.numbers import whole_number


@require_safe
@needs(Permission.SEE_JOURNAL)
def page(request: HttpRequest) -> HttpResponseBase:
    """Show how far the log is, and who has countersigned it."""
    return _page(request, {})


@require_safe
@needs(Permission.SEE_JOURNAL)
def export(request: HttpRequest) -> HttpResponseBase:
    """Give the whole log up to its newest checkpoint as one file, written as it is read; that is journalled too."""
    checkpoint = latest_checkpoint()
    if checkpoint is None:
        return _page(request, {"log": "There is no checkpoint yet. The worker makes one within a minute."})
    now = clock.now()
    actions.note_export(kind=actions.EXPORTED, subject_id=checkpoint.size, now=now, actor_id=signed_in(request).pk)
    size = checkpoint.size
    entries = logged_entries(size, blinding=_blinding())
    body = write_log(entries, logged_tiles(size), note_of(checkpoint))
    return _file(StreamingHttpResponse(body), f"log-{timezone.localdate(now)}-{size}.txt")


@require_safe
@needs(Permission.SEE_JOURNAL)
def proof(request: HttpRequest) -> HttpResponseBase:
    """Give the proof that one entry of the journal is in the log; that is journalled too."""
    text = ascii_digits(request.GET.get("entry", "").strip())
    number = whole_number(text)
    if not number:
        return _page(request, {"entry": "Write the number of an entry, as the journal shows it."}, entry=text)
    found = inclusion_of(number, blinding=_blinding())
    if found is None:
        problem = "There is no such entry, or it is not in the newest checkpoint yet. Try again in a minute."
        return _page(request, {"entry": problem}, entry=text)
    actions.note_export(kind=actions.PROVED, subject_id=number, now=clock.now(), actor_id=signed_in(request).pk)
    return _file(HttpResponse(str(found)), f"entry-{number}.tlog-proof")


@needs(Permission.SEE_JOURNAL)
@require_http_methods(["POST"])
def add_key(request: HttpRequest) -> HttpResponseBase:
    """Register a public key of the oversight body."""
    text = request.POST.get("key", "")[:1000]
    try:
        actions.add_countersigner(text=text, now=clock.now(), actor_id=signed_in(request).pk)
    except actions.LogError as error:
        # What was typed is not shown again: somebody may have pasted the private key.
        return _page(request, {"key": str(error)})
    return redirect("oversight:log")


@needs(Permission.SEE_JOURNAL)
@require_http_methods(["POST"])
def retire_key(request: HttpRequest) -> HttpResponseBase:
    """Accept no more signatures of a key."""
    number = whole_number(request.POST.get("countersigner", ""))
    if number is not None:
        actions.retire_countersigner(countersigner_id=number, now=clock.now(), actor_id=signed_in(request).pk)
    return redirect("oversight:log")


@needs(Permission.SEE_JOURNAL)
@require_http_methods(["POST"])
def countersign(request: HttpRequest) -> HttpResponseBase:
    """Keep a countersignature that was made elsewhere."""
    upload = request.FILES.get("file")
    # One byte more than is taken, so that a longer one is refused and not cut.
    text = upload.read(MOST_BYTES + 1).decode("utf-8", "replace") if upload else request.POST.get("note", "")
    # Forms send CRLF, and may lose the last end of a line.
    text = text.replace("\r\n", "\n").strip("\n") + "\n"
    try:
        actions.add_countersignature(text=text, now=clock.now(), actor_id=signed_in(request).pk)
    except actions.LogError as error:
        return _page(request, {"note": str(error)}, note=text[:MOST_BYTES])
    return redirect("oversight:log")


def _page(request: HttpRequest, problems: dict[str, str], *, note: str = "", entry: str = "") -> HttpResponse:
    checkpoint, countersigned = latest_checkpoint(), latest_countersigned()
    keys = countersigners()
    signed_at = _signed_at(countersigned.note + countersigned.countersignatures, keys) if countersigned else []
    context = {
        "size": tree_size(),
        "checkpoint": checkpoint,
        "text": note_of(checkpoint) if checkpoint is not None else "",
        "stands_still": stands_still(clock.now()),
        "countersigned": countersigned,
        "signed_at": signed_at,
        "keys": [(row, read_verifier(row.key).name) for row in keys],
        "address": settings.COMMONBEAT.site_url.rstrip("/") + "/log",
        "note": note,
        "entry": entry,
        "problems": problems,
        "all_errors": list(problems.items()),
    }
    return render(request, "oversight/log.html", context, status=400 if problems else 200)


def _signed_at(text: str, keys: list[Countersigner]) -> list[tuple[str, datetime]]:
    """Tell who countersigned a note, and when they said that they did."""
    try:
        note = read_note(text)
        found = []
        for key in keys:
            verifier = read_verifier(key.key)
            signed = signature_of(note, verifier)
            if signed is not None:
                found.append((verifier.name, datetime.fromtimestamp(signed[1], tz=timezone.get_current_timezone())))
    except (NoteError, ValueError, OverflowError, OSError):
        return []
    return found


def _blinding() -> bytes:
    return blinding_key(settings.COMMONBEAT.secret)


def _file(response: HttpResponse | StreamingHttpResponse, name: str) -> HttpResponse | StreamingHttpResponse:
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
