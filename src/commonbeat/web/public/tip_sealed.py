"""What a browser that seals sends and asks for: boxes, pieces of files, and never a word that can be read.

Nothing stands in an address: look-ups, numbers of files and their secrets are in bodies and headers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar

import msgspec
from django.conf import settings
from django.http import FileResponse, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from commonbeat.foundation import clock
from commonbeat.tips import queries, store
from commonbeat.tips.actions import uploading
from commonbeat.tips.actions.dialogue import answer_as_source, source_has_looked
from commonbeat.tips.actions.ending import delete_tip
from commonbeat.tips.actions.submitting import NOTHING, submit_sealed
from commonbeat.tips.actions.trying import count_wrong
from commonbeat.tips.dialogue_queries import dialogue_for_source
from commonbeat.tips.errors import TipError, Unopenable, WrongNumber, WrongOffset
from commonbeat.tips.models import FileState, Tip, TipFile
from commonbeat.tips.rules import MOST_PIECE_BYTES
from commonbeat.tips.sealing import SealedTip
from commonbeat.web.jinja import local_date
from commonbeat.web.public import tip_pages as pages
from commonbeat.web.public.limits import body_size
from commonbeat.web.public.pages import forgotten
from commonbeat.web.public.tip_about import subject_of
from commonbeat.web.public.tip_dialogue import standing, unknown
from commonbeat.web.public.tip_form import desk_or_404, refuse_ticket

# A text of the largest size class in base64, and a box for each of some thousand members.
_BODY_LIMIT = 1_500_000
_KEY = 32

P = ParamSpec("P")
Asked = TypeVar("Asked", bound=msgspec.Struct)


class NewTip(msgspec.Struct, frozen=True):
    """A tip that a browser has sealed; bytes come in base64, the ids of members in hexadecimal digits."""

    ticket: str
    trap: str
    about: str
    uid: bytes
    public: bytes
    source_public: bytes
    look_up: bytes
    members: dict[str, bytes]
    for_source: bytes
    for_escrow: bytes | None
    text: bytes


class OfDialogue(msgspec.Struct, frozen=True):
    """Something in a dialogue: an answer, the beginning of a file, a file to be given, or just to look."""

    look_up: bytes
    text: bytes = b""
    number: int = 0
    key_box: bytes = b""
    file: int = 0


class Broken(Exception):
    """The body is not what the page's script sends."""


class Unknown(Exception):
    """No dialogue, or no file of it, is meant."""


def told(view: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
    """Answer what goes wrong with a sentence."""

    @wraps(view)
    def telling(*args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(*args, **kwargs)
        except Broken:
            return pages.refused(_("What arrived here was damaged. Nothing was stored. Please try again."), 400)
        except (Unknown, Unopenable):
            return pages.refused(unknown(), 404)
        except WrongOffset as error:
            return pages.refused(pages.sentence_of(error), 409, expected=error.expected)
        except TipError as error:
            return pages.refused(pages.sentence_of(error), pages.status_of(error))

    return telling


@pages.set_apart(_BODY_LIMIT)
@require_POST
@told
def tip_sealed(request: HttpRequest, desk: int) -> HttpResponseBase:
    """Take in a tip that a browser has sealed."""
    found, now = desk_or_404(desk), clock.now()
    new = _read(request, NewTip)
    try:
        members = {bytes.fromhex(uid): box for uid, box in new.members.items()}
    except ValueError:
        raise Broken from None
    ticket, sentence = refuse_ticket(new.ticket, trap=new.trap, desk=found, now=now)
    if ticket is None:
        return pages.refused(sentence, 422, ticket=pages.new_ticket(now) if not _holds(new.ticket, now) else None)
    subject = subject_of(new.about, now)
    sealed = SealedTip(
        uid=new.uid,
        public=new.public,
        source_public=new.source_public,
        look_up=new.look_up,
        for_members=members,
        for_source=new.for_source,
        for_escrow=new.for_escrow,
        text=new.text,
    )
    # The same tip again is the same tip, for an answer may have been lost.
    with pages.sent_once(ticket, now, by=new.uid.hex()) as is_good:
        if not is_good:
            return pages.refused(_("Your tip has arrived once, and it is not stored twice."), 409)
        submit_sealed(desk_id=found.pk, sealed=sealed, now=now, about=subject.stored if subject else NOTHING)
    return JsonResponse({"stored": True})


@pages.set_apart(_BODY_LIMIT)
@require_POST
@told
def tip_boxes(request: HttpRequest) -> HttpResponseBase:
    """Give the boxes of a dialogue to the browser that opens them."""
    now = clock.now()
    asked, tip = _of_dialogue(request)
    dialogue = dialogue_for_source(asked.look_up)
    if dialogue is None:
        raise Unknown
    source_has_looked(tip_id=tip.pk)
    answer = {
        "uid": bytes(tip.uid),
        "public": bytes(tip.public),
        "key_box": dialogue.key_box,
        "texts": [
            {"direction": text.direction, "number": text.number, "day": local_date(text.day), "box": bytes(text.box)}
            for text in dialogue.texts
        ],
        "files": [
            {
                "id": file.pk,
                "number": file.number,
                "day": local_date(file.day),
                "key_box": bytes(file.key_box),
                "is_whole": file.state == FileState.WHOLE,
            }
            for file in dialogue.files
        ],
        "news": tip.news_for_source,
        "standing": standing(tip),
        "over": tip.is_over,
        "ends": _ends(tip),
        "soon": queries.is_ending_soon(tip, now),
        "next_text": tip.texts_to_desk,
        "next_file": tip.files,
        "by_server": tip.sealed_where == "server",
    }
    return _json(answer)


@pages.set_apart(_BODY_LIMIT)
@require_POST
@told
def tip_answer(request: HttpRequest) -> HttpResponseBase:
    """Take an answer that a browser has sealed; the wrong number is told, for the box must be sealed anew."""
    asked, tip = _of_dialogue(request)
    try:
        answer_as_source(tip_id=tip.pk, box=asked.text, number=asked.number, now=clock.now())
    except WrongNumber as error:
        return pages.refused(_("This dialogue has changed. Open it again."), 409, expected=error.expected)
    return JsonResponse({"stored": True})


@pages.set_apart(_BODY_LIMIT)
@require_POST
@told
def tip_delete(request: HttpRequest) -> HttpResponseBase:
    """Delete a dialogue for its source."""
    _asked, tip = _of_dialogue(request)
    delete_tip(tip_id=tip.pk, now=clock.now())
    return forgotten(JsonResponse({"deleted": True}))


@pages.set_apart(_BODY_LIMIT)
@require_POST
@told
def tip_sealed_file(request: HttpRequest) -> HttpResponseBase:
    """Give a file of a dialogue as it lies there, sealed."""
    asked, tip = _of_dialogue(request)
    file = TipFile.objects.filter(tip=tip, pk=asked.file, state=FileState.WHOLE).first()
    if file is None:
        raise Unknown
    try:
        handle = store.path_of(file.token, data_dir=settings.COMMONBEAT.data_dir).open("rb")
    except FileNotFoundError:
        raise Unknown from None
    response = FileResponse(handle, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = "attachment"
    return response


@pages.set_apart(_BODY_LIMIT)
@require_POST
@told
def tip_upload_begin(request: HttpRequest) -> HttpResponseBase:
    """Begin a file; what belongs to it goes on with the number and the secret that this gives."""
    asked, tip = _of_dialogue(request)
    if asked.number != tip.files and not tip.is_over:
        return pages.refused(_("This dialogue has changed. Open it again."), 409, expected=tip.files)
    upload = uploading.begin_sealed(tip_id=tip.pk, number=asked.number, key_box=asked.key_box, now=clock.now())
    return JsonResponse({"file": upload.file_id, "secret": upload.secret})


@pages.set_apart(MOST_PIECE_BYTES)
@require_POST
@told
def tip_upload(request: HttpRequest) -> HttpResponseBase:
    """Take a piece of a file, tell how much has arrived, or take the word that it is whole.

    The headers say which file it is (Tip-File, Tip-Secret) and where the piece begins (Tip-Offset). Without an offset
    nothing is taken; with Tip-Length the file is whole.
    """
    secret, length = request.headers.get("Tip-Secret", "")[:100], _number(request, "Tip-Length")
    file_id, offset = _number(request, "Tip-File"), _number(request, "Tip-Offset")
    if file_id is None:
        raise Broken
    if length is not None:
        file = uploading.finish(file_id=file_id, secret=secret, length=length, now=clock.now())
        return JsonResponse({"offset": file.received})
    if offset is None:
        return JsonResponse({"offset": uploading.offset_of(file_id=file_id, secret=secret)})
    data = request.read(body_size(request))
    return JsonResponse({"offset": uploading.append(file_id=file_id, secret=secret, offset=offset, data=data)})


def _of_dialogue(request: HttpRequest) -> tuple[OfDialogue, Tip]:
    asked = _read(request, OfDialogue)
    if len(asked.look_up) != _KEY:
        raise Broken
    tip = queries.find_by_look_up(asked.look_up)
    if tip is None:
        count_wrong(looked_up=asked.look_up)
        raise Unknown
    return asked, tip


def _ends(tip: Tip) -> str:
    day = {"day": local_date(queries.ends_on(tip))}
    if tip.is_over:
        return _("It will be deleted on %(day)s.") % day
    return _("This dialogue ends on %(day)s, unless somebody writes before.") % day


def _holds(ticket: str, now: datetime) -> bool:
    return pages.open_ticket(ticket, now) is not None


def _read(request: HttpRequest, kind: type[Asked]) -> Asked:
    try:
        # Not `body`, which is held to the limit of ordinary forms.
        return msgspec.json.decode(request.read(body_size(request)), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Broken from None


def _number(request: HttpRequest, header: str) -> int | None:
    said = request.headers.get(header, "")
    return int(said) if said.isdecimal() and said.isascii() and len(said) < 16 else None


def _json(answer: dict[str, object]) -> JsonResponse:
    response = JsonResponse({})
    response.content = msgspec.json.encode(answer)
    return response
