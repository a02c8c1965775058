"""Reports that waited sealed on a phone: the key to seal to, and the door through which they come in."""

from __future__ import annotations

import base64
import contextlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from commonbeat.foundation import clock
from commonbeat.foundation.crypto import SealError, keep_key, new_outbox_keypair, open_outbox, outbox_public
from commonbeat.foundation.ids import format_reference
from commonbeat.media.actions import keep_photo
from commonbeat.media.images import NotAPicture, PictureTooLarge
from commonbeat.reports.actions.submit import PHOTO_LIMIT, TEXT_LIMIT
from commonbeat.reports.models import Report
from commonbeat.topics.answers import check_answers
from commonbeat.topics.models import Topic
from commonbeat.topics.queries import offered_topics, topic_by_code
from commonbeat.web import throttle
from commonbeat.web.public import steps
from commonbeat.web.public.draft import KEY, Draft, raw_answers
from commonbeat.web.public.limits import body_size
from commonbeat.web.public.where import settle
from commonbeat.web.public.wizard import client_key_of, needs_account, send

# Phones shrink photos before sealing; three of them and the words fit many times over.
BLOB_LIMIT = 20_000_000
# A phone's clock is believed about as long as a report can sensibly have waited.
LONGEST_WAIT = timedelta(days=60)


class Envelope(msgspec.Struct, frozen=True):
    """What a phone wrote down: the form's fields in order, and the sizes of the photos behind it."""

    fields: list[tuple[str, str]]
    language: str = ""
    written_at: str = ""
    photos: list[int] = []


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened envelope."""

    envelope: Envelope
    photos: list[bytes]


def offline_page(request: HttpRequest) -> HttpResponse:
    """Show the whole form on one page; the service worker keeps it for when there is no network."""
    topics = [topic for topic in offered_topics() if topic.definition.who_may_report != "account"]
    return render(
        request,
        "public/report/offline.html",
        {"topics": topics, "draft_key": Draft.new().key, "consents": steps.consents()[:-1]},
    )


@require_GET
def outbox_key(request: HttpRequest) -> HttpResponse:
    """Give the public point to which phones seal."""
    return JsonResponse({"key": base64.b64encode(outbox_public(site_key())).decode()})


# Anybody may post here, with or without this site's pages: there is no session that a forged request could use.
@csrf_exempt
@require_http_methods(["POST"])
def outbox(request: HttpRequest) -> HttpResponse:
    """Open a sealed report and take it in; the same report again gives the same reference."""
    if body_size(request) > BLOB_LIMIT:
        return _refuse(413, _("This report is too large. Send it without photos."))
    try:
        # read() keeps to the stated length and, unlike `body`, is not held to the limit of ordinary forms.
        opened = unpack(open_outbox(site_key(), request.read(body_size(request))))
    except SealError:
        return _refuse(400, _("We could not open this report. Please write it again."))
    except ValueError:
        return _refuse(400, _("This report was damaged on the way. Please write it again."))
    language = opened.envelope.language
    with translation.override(language if language in dict(settings.LANGUAGES) else translation.get_language()):
        return _take(request, opened)


def unpack(plain: bytes) -> Opened:
    """Part an opened envelope into fields and photos; ValueError when it is not made as phones make it."""
    if len(plain) < 4:
        raise ValueError("too short")
    (length,) = struct.unpack(">I", plain[:4])
    if length > min(len(plain) - 4, 1_000_000):
        raise ValueError("the length is wrong")
    try:
        envelope = msgspec.json.decode(plain[4 : 4 + length], type=Envelope)
    except msgspec.MsgspecError as error:
        raise ValueError("not the JSON of a report") from error
    if len(envelope.fields) > settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
        raise ValueError("too many fields")
    photos, at = [], 4 + length
    for size in envelope.photos[:PHOTO_LIMIT]:
        # A photo that was cut off is seen to be damaged later; the words still count.
        photos.append(plain[at : at + max(0, size)])
        at += max(0, size)
    return Opened(envelope, photos)


def site_key() -> bytes:
    """Give the private key of the outbox as PEM, made on first use and kept in the data folder."""
    file = settings.COMMONBEAT.data_dir / "keys" / "outbox.pem"
    try:
        return bytes(file.read_bytes())
    except FileNotFoundError:
        return keep_key(file, new_outbox_keypair()[0])


def _take(request: HttpRequest, opened: Opened) -> HttpResponse:
    now = clock.now()
    fields = QueryDict(mutable=True)
    for name, value in opened.envelope.fields:
        fields.appendlist(name, value)
    if not KEY.fullmatch(fields.get("key", "")):
        return _refuse(400, _("This report was damaged on the way. Please write it again."))
    draft = Draft.from_post(fields)
    existing = Report.objects.filter(client_key=client_key_of(draft.key)).first()
    if existing is not None:
        return _accept(existing)
    if throttle.is_over(request, throttle.REPORTS):
        return _refuse(429, _("Very many reports came from your network within the hour. It is sent later."))
    topic = _topic(fields.get("topic", ""), request)
    if topic is None:
        return _refuse(503, _("Nothing can be reported here yet. Your report stays on this phone."))
    written_at = _written_at(opened.envelope.written_at, now)
    mend(draft, topic, written_at=written_at, match=fields.get("match", ""))
    if not (draft.text or draft.answers or draft.photos or opened.photos):
        return _refuse(422, _("This report is empty. Write what happened."))
    _keep_photos(draft, opened.photos, now=now)
    report, is_new = send(draft, topic, request=request, now=now, written_at=written_at)
    if is_new:
        throttle.count(request, throttle.REPORTS)
    return _accept(report)


def mend(draft: Draft, topic: Topic, *, written_at: datetime, match: str) -> None:
    """Make a report acceptable without losing what was said: nobody is there who could be asked."""
    definition = topic.definition
    today = timezone.localtime(written_at).date()
    if draft.place_source not in {"none", "map", "device"}:
        settled = settle(draft, match=match, typed_for="", language=translation.get_language() or "")
        if not settled.is_settled and len(settled.choices) == 1:
            settle(draft, match=settled.choices[0].value, typed_for="", language=translation.get_language() or "")
    if steps.problems_in(steps.CONTACT, draft, definition, now=written_at):
        # A number that is none reaches nobody, and must not stand in words that staff read.
        draft.phone = ""
    if "day" in steps.problems_in(steps.WHAT, draft, definition, now=written_at):
        draft.when = ""
    _answers, errors = check_answers(definition, raw_answers(draft, definition, today), today=today)
    said = [f"{code}: {', '.join(draft.answers[code])}" for code in errors if any(draft.answers.get(code, ()))]
    if said:
        draft.text = "\n".join([draft.text[: TEXT_LIMIT - 500], *said])[:TEXT_LIMIT].strip()


def _keep_photos(draft: Draft, photos: Sequence[bytes], *, now: datetime) -> None:
    for data in photos:
        if len(draft.photos) < PHOTO_LIMIT and data:
            with contextlib.suppress(NotAPicture, PictureTooLarge):
                draft.photos.append(keep_photo(data=data, now=now).draft_key)


def _topic(code: str, request: HttpRequest) -> Topic | None:
    topic = topic_by_code(code)
    if topic is not None and topic.enabled and not needs_account(topic, request):
        return topic
    # The topic has gone since the phone was last online: somebody still reads what was written.
    open_topics = [each for each in offered_topics() if not needs_account(each, request)]
    return next((each for each in open_topics if each.code == "other"), open_topics[-1] if open_topics else None)


def _written_at(text: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return now
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment if now - LONGEST_WAIT <= moment <= now else now


def _accept(report: Report) -> JsonResponse:
    return JsonResponse({"reference": format_reference(report.reference)})


def _refuse(status: int, sentence: str) -> JsonResponse:
    body: dict[str, Any] = {"error": sentence}
    return JsonResponse(body, status=status)
