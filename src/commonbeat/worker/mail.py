"""Take e-mail in: what a mail server hands over or a mailbox holds is stored before it is acknowledged."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import msgspec
from django.db import close_old_connections, connection

from commonbeat.config.options import Options
from commonbeat.foundation import clock
from commonbeat.media.actions import keep_photo
from commonbeat.media.images import NotAPicture, PictureTooLarge
from commonbeat.messaging.actions import receive
from commonbeat.messaging.channel import Inbound
from commonbeat.messaging.in_force import options_in_force
from commonbeat.messaging.mail import Correspondent, Mail, MailBox, mail_box
from commonbeat.messaging.models import ContactKind
from commonbeat.messaging.queries import address_of, find_contact, find_contact_by_hash, is_stored, latest_thread

# With base64 around them, three photos of a telephone. Larger mail is refused for good.
MAIL_BYTES = 26_214_400
# Tokens that we did not make; beyond these the server is asked to come again later.
WRONG_TOKENS, WRONG_SECONDS = 20, 3_600.0


class TooManyWrongTokens(Exception):
    """Somebody seems to guess; the mail may come again later."""


class Intake:
    """Store mail, from any thread."""

    def __init__(self, box: MailBox, *, on_stored: Callable[[], None], moment: Callable[[], float] = time.monotonic):
        self._box = box
        self._on_stored = on_stored
        self._moment = moment
        self._wrong: deque[float] = deque(maxlen=WRONG_TOKENS)
        self._lock = threading.Lock()

    def take(self, data: bytes, recipients: Sequence[str] = (), envelope_sender: str | None = None) -> bool:
        """Store one mail; False when it was there already. What a database raises is raised on."""
        close_old_connections()
        try:
            is_new = self._store(self._box.read(data, recipients, envelope_sender))
        except TooManyWrongTokens:
            raise
        except Exception:
            connection.close()
            raise
        if is_new:
            self._on_stored()
        return is_new

    def _store(self, mail: Mail) -> bool:
        if mail.has_wrong_token:
            self._count_wrong()
        message = mail.message
        if is_stored(channel=self._box.code, provider_id=message.provider_id):
            return False
        if isinstance(message, Inbound):
            message = _with_pictures(_proven(message, mail.conversation), mail.pictures)
        return receive(channel=self._box.code, message=message, now=clock.now())

    def _count_wrong(self) -> None:
        now = self._moment()
        with self._lock:
            if len(self._wrong) == WRONG_TOKENS and now - self._wrong[0] < WRONG_SECONDS:
                raise TooManyWrongTokens
            self._wrong.append(now)


def _proven(message: Inbound, conversation: bytes) -> Inbound:
    """Put a message to whoever was given its token: the From line is only a claim."""
    contact = find_contact_by_hash(conversation)
    if contact is None or contact.kind != ContactKind.EMAIL:
        return message
    return msgspec.structs.replace(message, sender=address_of(contact), is_proven=True)


def _with_pictures(message: Inbound, pictures: Sequence[bytes]) -> Inbound:
    kept: list[str] = []
    left_out: list[str] = []
    for data in pictures:
        try:
            kept.append(keep_photo(data=data, now=clock.now()).draft_key)
        except (NotAPicture, PictureTooLarge):
            left_out.append("photo")
    if not (kept or left_out):
        return message
    return msgspec.structs.replace(message, photos=tuple(kept), attachments=(*message.attachments, *left_out))


def correspondent(address: str) -> Correspondent:
    """Tell the channel what an e-mail to an address needs to know."""
    contact = find_contact(kind=ContactKind.EMAIL, address=address.strip().lower())
    if contact is None:
        return Correspondent()
    return Correspondent(language=contact.language, thread=latest_thread(contact))


def mail_intake(options: Options, *, on_stored: Callable[[], None]) -> Intake | None:
    """Give the intake of a site that has an address for mail."""
    return later_mail_intake(on_stored=on_stored) if options.mail_address else None


def later_mail_intake(*, on_stored: Callable[[], None]) -> Intake | None:
    """Give the intake of a site that may be given an address for mail at any time."""
    box = mail_box()
    if box is None:
        return None
    box.correspondent = correspondent
    return Intake(box, on_stored=on_stored)


def is_ours(address: str) -> bool:
    """Tell whether the site takes mail for an address."""
    box = mail_box()
    return box is not None and bool(options_in_force().mail_address) and box.is_ours(address)
