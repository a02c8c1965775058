"""Read one e-mail: who claims to write, to which conversation it belongs, what they say."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from commonbeat.channels.email.addresses import Purpose, Recipient, is_plain_address, read_recipient, read_token
from commonbeat.channels.email.automatic import is_automatic, returned
from commonbeat.channels.email.parts import Contents, contents, header, headers, parse
from commonbeat.channels.email.quotes import without_history
from commonbeat.channels.email.sending import usual_subjects
from commonbeat.config.options import Options
from commonbeat.messaging.channel import Inbound, Receipt
from commonbeat.messaging.mail import Mail

# Twice of what a report holds.
TEXT_LIMIT = 20_000
_SUBJECT_LIMIT = 200
_TO = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{3,250}>")
_ANSWERED = re.compile(r"^(?:(?:re|aw|sv|vs|fw|fwd|pergj|përgj|رد)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)


def read_mail(options: Options, data: bytes, *, recipients: Sequence[str], envelope_sender: str | None = None) -> Mail:
    """Read one e-mail; whatever is wrong with it, something is read."""
    message = parse(data)
    to = _recipient(options, message, recipients)
    sender = _sender(message, envelope_sender)
    message_id = _message_id(message)
    fingerprint = _fingerprint(message_id, to, sender, data)
    automatic = is_automatic(message, sender=sender, envelope_sender=envelope_sender)
    if to.purpose is Purpose.BOUNCE:
        outcome = returned(message, sender=sender)
        if outcome is not None:
            about = to.payload.hex()
            receipt = Receipt(provider_id=f"{about}:{outcome[0]}", about=about, outcome=outcome[0], error=outcome[1])
            return Mail(receipt)
        automatic = True
    elif to.purpose is Purpose.STOP:
        # Mail programs send this by themselves when somebody presses "unsubscribe".
        stop = Inbound(provider_id=fingerprint, sender=_known(options, sender), text="STOP", is_proven=False)
        return Mail(stop, conversation=to.payload)
    if _is_ours(options, message_id, sender):
        automatic = True
    found = contents(message)
    inbound = Inbound(
        provider_id=fingerprint,
        sender=_known(options, sender),
        text=_text(options, message, found, is_answer=to.purpose is Purpose.REPLY),
        sent_at=_date(message),
        is_proven=False,
        is_automatic=automatic,
        attachments=tuple(found.left_out[:20]),
        thread=message_id,
        answers=_answered_mail(options, message),
    )
    conversation = to.payload if to.purpose is Purpose.REPLY else b""
    pictures = () if automatic else tuple(found.pictures)
    return Mail(inbound, conversation=conversation, has_wrong_token=to.has_wrong_token, pictures=pictures)


def _recipient(options: Options, message: Message, recipients: Sequence[str]) -> Recipient:
    """Give the one of our addresses that says most; the head counts too, for one mail may come twice."""
    addresses = list(recipients)
    for name in _TO:
        addresses += [address for _, address in getaddresses(headers(message, name)[:20])][:200]
    ours = [found for address in addresses if (found := read_recipient(options, address)) is not None]
    with_token = [found for found in ours if found.purpose is not None]
    if with_token:
        return with_token[0]
    return next((found for found in ours if found.has_wrong_token), Recipient())


def _sender(message: Message, envelope_sender: str | None) -> str:
    """Give the address that claims to write; empty when there is none that could be written to."""
    named = getaddresses([str(value)[:2_000] for value in (message.get_all("from") or [])[:3]])
    candidates = [address for _, address in named] + [(envelope_sender or "").strip("<> ")]
    return next((address for address in candidates if is_plain_address(address)), "")


def _known(options: Options, sender: str) -> str:
    # A returned mail has no sender; such mail is kept under our own address, and nobody writes there.
    return sender or options.mail_address


def _message_id(message: Message) -> str:
    match = _MESSAGE_ID.search(str(message.get("message-id", ""))[:1_000])
    return match.group() if match else ""


def _fingerprint(message_id: str, to: Recipient, sender: str, data: bytes) -> str:
    # Without a Message-ID the content tells; lines that servers add on the way stand in the head.
    content = message_id or data.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    parts = (message_id.encode() or b"", to.payload, sender.lower().encode("utf-8", "surrogateescape"))
    digest = hashlib.sha256(b"\x00".join(parts))
    digest.update(content.encode() if isinstance(content, str) else content)
    return digest.hexdigest()


def _is_ours(options: Options, message_id: str, sender: str) -> bool:
    """Tell whether our own mail came back to us."""
    if read_recipient(options, sender) is not None:
        return True
    name, _, host = message_id.strip("<>").rpartition("@")
    return host.lower() == options.mail_address.rpartition("@")[2].lower() and read_token(options, name) is not None


def _answered_mail(options: Options, message: Message) -> str:
    """Give the id, as we keep it, of the mail of ours that this one answers; empty when it answers another, or none."""
    for name in ("in-reply-to", "references"):
        found = _MESSAGE_ID.findall(" ".join(str(value) for value in message.get_all(name) or [])[-2_000:])
        if found:
            # What stands further up was answered by others.
            local, _, host = found[-1].strip("<>").rpartition("@")
            is_here = host.lower() == options.mail_address.rpartition("@")[2].lower()
            read = read_token(options, local) if is_here else None
            return read.payload.hex() if read is not None and read.purpose is Purpose.THREAD else ""
    return ""


def _text(options: Options, message: Message, found: Contents, *, is_answer: bool) -> str:
    own = without_history(found.text[: 10 * TEXT_LIMIT]) if found.text else ""
    subject = header(message, "subject")[:_SUBJECT_LIMIT]
    is_reply = bool(_ANSWERED.match(subject)) or is_answer
    if is_reply and found.text and not own and _is_our_subject(options, subject, found.text):
        # Nothing but what we wrote.
        text = ""
    elif own and (is_reply or not subject or subject.lower() in own[:400].lower()):
        text = own
    else:
        # A first letter: people put into the subject what they do not say again.
        text = f"{_ANSWERED.sub('', subject)}\n{own}".strip() if not is_answer or not own else own
    return text.replace("\x00", "")[:TEXT_LIMIT]


def _is_our_subject(options: Options, subject: str, quoted: str) -> bool:
    plain = " ".join(_ANSWERED.sub("", subject).split())
    # That of an alert is its first line.
    return plain in usual_subjects(options) or plain.rstrip("…") in " ".join(quoted.replace(">", " ").split())


def _date(message: Message) -> datetime | None:
    try:
        at = parsedate_to_datetime(str(message.get("date", ""))[:100])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
