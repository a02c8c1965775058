"""What a machine sent: returned mail, out-of-office notices, lists. None of it is ever answered."""

from __future__ import annotations

import re
from email.message import Message

from commonbeat.channels.email.parts import header, payload_of

_MACHINES = re.compile(
    r"^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?|listserv|majordomo)(?:[+._-].*)?@"
)
_LISTS = ("list-id", "list-unsubscribe", "list-post", "list-help", "feedback-id", "x-autoreply", "x-autorespond")
_QUIET = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_ACTION = re.compile(r"^action:\s*([a-z]+)", re.IGNORECASE | re.MULTILINE)
_STATUS = re.compile(r"^status:\s*([245]\.\d{1,3}\.\d{1,3})", re.IGNORECASE | re.MULTILINE)
_REPORT_BYTES = 50_000
# Those that say it nowhere else. With the colon, for people write "Out of office chairs dumped at the river", too.
_AWAY = re.compile(
    r"^(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response)|out of (?:the )?office(?: auto-?reply)?"
    r"|përgjigje automatike|رد تلقائي)\s*:",
    re.IGNORECASE,
)


def is_automatic(message: Message, *, sender: str, envelope_sender: str | None) -> bool:
    """Tell whether a machine wrote this; envelope_sender is None where it is not known."""
    automatic = header(message, "auto-submitted").lower()
    if automatic and automatic.partition(";")[0].strip() != "no":
        return True
    if envelope_sender is not None and envelope_sender.strip("<> ") == "":
        return True
    if header(message, "return-path").replace(" ", "") == "<>":
        return True
    if header(message, "precedence").lower().strip() in _QUIET or any(message.get(name) for name in _LISTS):
        return True
    if "all" in re.split(r"[\s,]+", header(message, "x-auto-response-suppress").lower()):
        return True
    if _AWAY.match(header(message, "subject")):
        return True
    return message.get_content_type() == "multipart/report" or bool(_MACHINES.match(sender.lower()))


def returned(message: Message, *, sender: str) -> tuple[str, str] | None:
    """Tell what became of our mail, as its outcome and a code; None when this says nothing final of it."""
    report = next(iter(_delivery_statuses(message)), "")
    if report:
        actions = {action.lower() for action in _ACTION.findall(report)}
        status = _STATUS.search(report)
        code = f"bounce {status.group(1)}" if status else "bounce"
        if "failed" in actions:
            return "failed", code
        if actions and actions <= {"delivered"}:
            return "delivered", ""
        return None
    # Older servers return a letter in prose; an out-of-office notice also comes to this address, and is none.
    is_notice = bool(header(message, "auto-submitted").lower().startswith("auto-replied"))
    return ("failed", "bounce") if _MACHINES.match(sender.lower()) and not is_notice else None


def _delivery_statuses(message: Message) -> list[str]:
    payload = message.get_payload() if message.is_multipart() else None
    if not isinstance(payload, list):
        return []
    found = []
    for part in payload[:20]:
        if isinstance(part, Message) and part.get_content_type() in (
            "message/delivery-status",
            "message/global-delivery-status",
        ):
            blocks = part.get_payload() if part.is_multipart() else None
            if isinstance(blocks, list):
                heads = [
                    f"{name}: {value}"
                    for block in blocks[:50]
                    if isinstance(block, Message)
                    for name, value in block.items()
                ]
                found.append("\n".join(heads)[:_REPORT_BYTES])
            else:
                found.append(payload_of(part, _REPORT_BYTES).decode("utf-8", "replace"))
    return found
