"""What the Cloud API calls with: messages of people, and what became of ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from commonbeat.channels.calls import fingerprint, moment, object_of
from commonbeat.channels.whatsapp.outcomes import name_of
from commonbeat.messaging.channel import Inbound, Receipt, Refused

_OUTCOMES = {"delivered": "delivered", "read": "delivered", "failed": "failed"}
_ATTACHMENTS = {"image": "photo", "video": "video", "audio": "voice", "voice": "voice", "document": "file"}
# In one call; the service sends far fewer.
_MOST = 1000


class _Said(msgspec.Struct):
    """Any of the kinds of content; each has one or two of these."""

    body: str = ""
    text: str = ""
    caption: str = ""


class _Choice(msgspec.Struct):
    title: str = ""


class _Interactive(msgspec.Struct):
    button_reply: _Choice | None = None
    list_reply: _Choice | None = None


class _Location(msgspec.Struct):
    latitude: float
    longitude: float


class _Message(msgspec.Struct):
    id: str
    sender: str = msgspec.field(name="from", default="")
    timestamp: str = ""
    type: str = ""
    text: _Said | None = None
    button: _Said | None = None
    image: _Said | None = None
    video: _Said | None = None
    document: _Said | None = None
    interactive: _Interactive | None = None
    location: _Location | None = None


class _Error(msgspec.Struct):
    code: int = 0


class _Status(msgspec.Struct):
    id: str
    status: str
    errors: list[_Error] = []
    biz_opaque_callback_data: str = ""


class _Metadata(msgspec.Struct):
    phone_number_id: str = ""


class _Value(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    messages: list[_Message] = []
    statuses: list[_Status] = []


class _Change(msgspec.Struct):
    field: str = ""
    value: msgspec.Raw = msgspec.Raw(b"{}")


class _Entry(msgspec.Struct):
    changes: list[_Change] = []


class _Call(msgspec.Struct):
    entry: list[_Entry] = []


_call_decoder = msgspec.json.Decoder(_Call)
_value_decoder = msgspec.json.Decoder(_Value)


def read_call(body: bytes, phone_id: str) -> Sequence[Inbound | Receipt]:
    """Read one call; what is about another number than ours, or about no message, gives nothing."""
    try:
        values = _values(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Half an emoji is not valid JSON text: keep the rest.
        try:
            values = _values(msgspec.json.encode(object_of(body)))
        except msgspec.DecodeError:
            raise Refused(400, "This is no call of the Cloud API.") from None
    ours = [value for value in values if value.metadata.phone_number_id in ("", phone_id)]
    found: list[Inbound | Receipt] = []
    for value in ours:
        found += _messages(value)
        found += _receipts(value)
    if len(found) > _MOST:
        raise Refused(400, "This is too much for one call.")
    return found


def _values(body: bytes) -> list[_Value]:
    return [
        _value_decoder.decode(change.value)
        for entry in _call_decoder.decode(body).entry
        for change in entry.changes
        if change.field == "messages"
    ]


def _messages(value: _Value) -> Iterator[Inbound]:
    for message in value.messages:
        attachment = _ATTACHMENTS.get(message.type)
        text = _text_of(message)
        if not message.sender.isdecimal() or not (text or attachment):
            continue
        sender = f"+{message.sender}"[:60]
        yield Inbound(
            provider_id=fingerprint(message.id, sender, text),
            sender=sender,
            text=text,
            sent_at=moment(message.timestamp),
            attachments=(attachment,) if attachment else (),
        )


def _receipts(value: _Value) -> Iterator[Receipt]:
    for status in value.statuses:
        outcome = _OUTCOMES.get(status.status)
        if outcome is None or not status.id:
            continue
        error = name_of(status.errors[0].code) if outcome == "failed" and status.errors else ""
        yield Receipt(
            provider_id=f"r:{status.id}:{status.status}",
            about=status.biz_opaque_callback_data or status.id,
            outcome=outcome,
            error=error,
        )


def _text_of(message: _Message) -> str:
    if message.location is not None:
        return f"{message.location.latitude:.6f}, {message.location.longitude:.6f}"
    if message.interactive is not None:
        choice = message.interactive.button_reply or message.interactive.list_reply
        return choice.title if choice is not None else ""
    for said in (message.text, message.button, message.image, message.video, message.document):
        if said is not None:
            return said.body or said.text or said.caption
    return ""
