"""The parts of an e-mail: its text, and the pictures attached. Archives are never opened, nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser

from commonbeat.channels.email.html_text import text_of_html

# More parts inside one another than any program makes; the parser takes time for each, with every line.
NESTED_LIMIT = 60
PARTS_LIMIT = 200
TEXT_BYTES = 1_000_000
PICTURES_LIMIT = 3
# As large as the web form takes one.
PICTURE_BYTES = 12_000_000
_PICTURES = frozenset(
    {"image/jpeg", "image/jpg", "image/pjpeg", "image/png", "image/webp", "image/gif", "image/heic", "image/heif"}
)
_FILES = {"image": "photo", "video": "video", "audio": "voice"}


@dataclass(slots=True)
class Contents:
    """What is in an e-mail."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    # The kinds of what is left out: "photo", "video", "voice", "file".
    left_out: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Give the plain text, or that of the HTML where there is none."""
        plain = "\n".join(self.plain).strip()
        return plain or "\n".join(text_of_html(html) for html in self.html).strip()


def parse(data: bytes) -> Message:
    """Part an e-mail; where its nesting is an attack, its head with the rest as one text."""
    policy_ = policy.compat32
    if data.lower().count(b"boundary=") <= NESTED_LIMIT:
        try:
            return message_from_bytes(data, policy=policy_)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            # What the library does not expect of a head is still a letter.
            pass
    head, _, body = data.replace(b"\r\n", b"\n").partition(b"\n\n")
    try:
        message = BytesHeaderParser(policy=policy_).parsebytes(head + b"\n\n")
    except (ValueError, TypeError, LookupError, AttributeError):
        message = Message(policy=policy_)
    for name in ("content-type", "content-transfer-encoding"):
        del message[name]
    message.set_payload(body[:TEXT_BYTES].decode("ascii", "surrogateescape"))
    return message


def header(message: Message, name: str, limit: int = 2_000) -> str:
    """Read a header as one line, whatever it was encoded in; empty when there is none."""
    return _decoded(message.get(name, ""), limit)


def headers(message: Message, name: str, limit: int = 20) -> list[str]:
    """Read all headers of a name."""
    return [_decoded(value, 20_000) for value in (message.get_all(name) or [])[:limit]]


def contents(message: Message) -> Contents:
    """Collect the texts and the pictures of an e-mail."""
    found = Contents()
    for part in _leaves(message):
        kind = part.get_content_type()
        is_attached = "attachment" in str(part.get("content-disposition", ""))[:40].lower()
        if kind in ("text/plain", "text/html") and not is_attached:
            text = _text_of(part)
            if text.strip():
                (found.plain if kind == "text/plain" else found.html).append(text)
        elif kind in _PICTURES:
            _take_picture(part, found)
        elif kind != "text/plain" or is_attached:
            found.left_out.append(_FILES.get(part.get_content_maintype(), "file"))
    return found


def _leaves(message: Message) -> Iterator[Message]:
    # Not walk(), which calls itself for each level, and goes into forwarded messages.
    waiting: list[Message] = [message]
    seen = 0
    while waiting and seen < PARTS_LIMIT:
        part = waiting.pop()
        seen += 1
        # Of a part that is no list, the library would decode the content, and some charsets fail.
        payload = part.get_payload() if part.is_multipart() else None
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting += [each for each in reversed(payload) if isinstance(each, Message)]
        else:
            yield part


def _take_picture(part: Message, found: Contents) -> None:
    data = payload_of(part, PICTURE_BYTES + 1)
    is_small_ornament = len(data) < 2_048 and "inline" in str(part.get("content-disposition", "inline")).lower()
    if is_small_ornament:
        # The logo of a signature.
        return
    if len(found.pictures) < PICTURES_LIMIT and 0 < len(data) <= PICTURE_BYTES:
        found.pictures.append(data)
    else:
        found.left_out.append("photo")


def _text_of(part: Message) -> str:
    data = payload_of(part, TEXT_BYTES)
    text = decoded_text(data, _charset(part))
    if str(part.get_param("format", "")).lower() == "flowed":
        text = _unflowed(text, joins_words=str(part.get_param("delsp", "")).lower() == "yes")
    return text


def payload_of(part: Message, limit: int) -> bytes:
    """Decode the content of a part, as far as it can be decoded; cut at a limit."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AttributeError):
        return b""
    return payload[:limit] if isinstance(payload, bytes) else b""


def decoded_text(data: bytes, charset: str) -> str:
    """Decode text in the charset that it names, or the likeliest one; nothing is refused."""
    for name in (charset, "utf-8"):
        try:
            # Escapes and UTF-7 can name half an emoji, which neither a seal nor a database takes.
            return data.decode(name).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        except (LookupError, ValueError):
            # An unknown name, one that is no charset of text, or a wrong one.
            continue
    try:
        # Mostly right, with a wrong byte or a character that the limit has cut.
        text = data.decode("utf-8", "replace")
        return text if text.count("�") * 20 < len(text) + 20 else data.decode("windows-1252", "replace")
    except ValueError:
        return data.decode("latin-1")


def _charset(part: Message) -> str:
    try:
        return str(part.get_content_charset() or "utf-8")[:40]
    except (ValueError, LookupError, TypeError, AttributeError):
        return "utf-8"


def _decoded(value: object, limit: int) -> str:
    raw = str(value)[:limit]
    try:
        pieces = decode_header(raw)
    except (ValueError, LookupError, MessageError):
        # A word that is encoded wrongly is shown as it came.
        pieces = [(raw, None)]
    text = ""
    for piece, charset in pieces:
        data = piece if isinstance(piece, bytes) else piece.encode("utf-8", "surrogateescape")
        text += decoded_text(data, charset or "utf-8")
    # One line without control characters: nothing of a head may begin another line elsewhere.
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _unflowed(text: str, *, joins_words: bool) -> str:
    lines: list[str] = []
    is_open = False
    for raw in text.split("\n"):
        line = raw.rstrip("\r")
        flows = line.endswith(" ") and line != "-- " and not line.startswith(">")
        own = line[:-1] if flows and joins_words else line
        if is_open and line != "-- " and not line.startswith(">"):
            lines[-1] += own
        else:
            lines.append(own)
        is_open = flows
    return "\n".join(lines)
