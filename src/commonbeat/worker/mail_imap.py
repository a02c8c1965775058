"""Read a mailbox: what is unseen is stored, then marked as seen, and stays where it is."""

from __future__ import annotations

import imaplib
import logging
import ssl
import time
from collections.abc import Callable

from django.db import DatabaseError
from imap_tools import AND, BaseMailBox, MailBox, MailMessageFlags
from imap_tools.errors import ImapToolsError

from commonbeat.config.options import Options
from commonbeat.worker.mail import MAIL_BYTES, WRONG_SECONDS, Intake, TooManyWrongTokens

logger = logging.getLogger(__name__)

POLL_SECONDS = 30.0
_BATCH = 50
_PATIENCE_SECONDS = 30


class ImapReader:
    """Empty a mailbox, one connection a round; it asks for the settings each time, for they may change."""

    def __init__(
        self,
        options: Callable[[], Options],
        intake: Intake,
        *,
        connect: Callable[[Options], BaseMailBox] | None = None,
    ) -> None:
        self._options = options
        self._intake = intake
        self._connect = connect or _connected
        self._was_away = False
        # Mails with tokens that somebody seems to guess, and until when they must not hold up the others.
        self._put_off: dict[str, float] = {}

    def read_batch(self) -> int:
        """Store what is unseen, oldest first; give the number. A mailbox that is away is asked again next time."""
        options = self._options()
        if not (options.mail_address and options.mail_imap_host):
            return 0
        try:
            with self._connect(options).login(
                options.mail_imap_username, options.mail_imap_password, options.mail_imap_folder
            ) as mailbox:
                # Connected: say so again when it next fails.
                self._was_away = False
                return self._take_batch(mailbox)
        except (OSError, imaplib.IMAP4.error, ImapToolsError, ssl.SSLError) as error:
            if not self._was_away:
                # The type only: a server repeats the user's name.
                logger.warning("The mailbox cannot be read: %s.", type(error).__name__)
            self._was_away = True
            return 0

    def _take_batch(self, mailbox: BaseMailBox) -> int:
        now = time.monotonic()
        self._put_off = {uid: until for uid, until in self._put_off.items() if until > now}
        taken = 0
        for uid in mailbox.uids(AND(seen=False)):
            if taken == _BATCH:
                break
            if uid not in self._put_off:
                taken += self._take(mailbox, uid)
        return taken

    def _take(self, mailbox: BaseMailBox, uid: str) -> bool:
        client = mailbox.client
        if _size(client.uid("FETCH", uid, "(RFC822.SIZE)")) > MAIL_BYTES:
            logger.warning("A mail of more than %d MB is left unread in the mailbox.", MAIL_BYTES // 1_000_000)
            _mark_seen(mailbox, uid)
            return False
        data = _content(client.uid("FETCH", uid, "(BODY.PEEK[])"))
        if data is None:
            return False
        try:
            self._intake.take(data)
        except TooManyWrongTokens:
            self._put_off[uid] = time.monotonic() + WRONG_SECONDS
            return False
        except DatabaseError:
            # It is away for every mail.
            raise
        except Exception as error:  # one mail that we cannot read must not keep the others from being read
            logger.error("A mail was not stored, and is left unread for an hour: %s.", type(error).__name__)
            self._put_off[uid] = time.monotonic() + WRONG_SECONDS
            return False
        # After the commit: what is not marked is read again, and recognised.
        _mark_seen(mailbox, uid)
        return True


def _mark_seen(mailbox: BaseMailBox, uid: str) -> None:
    # Not the library's flag(), which also expunges what somebody else has marked for deletion.
    mailbox.client.uid("STORE", uid, "+FLAGS.SILENT", f"({MailMessageFlags.SEEN})")


def _connected(options: Options) -> BaseMailBox:
    return MailBox(
        options.mail_imap_host,
        options.mail_imap_port,
        timeout=_PATIENCE_SECONDS,
        ssl_context=ssl.create_default_context(),
    )


def _content(answer: tuple[str, list[object]]) -> bytes | None:
    for item in answer[1]:
        if isinstance(item, tuple) and len(item) > 1 and isinstance(item[1], bytes):
            return item[1]
    return None


def _size(answer: tuple[str, list[object]]) -> int:
    for item in answer[1]:
        text = item[0] if isinstance(item, tuple) else item
        if isinstance(text, bytes) and b"RFC822.SIZE" in text.upper():
            digits = text.upper().partition(b"RFC822.SIZE")[2].split()[0].strip(b"()")
            return int(digits) if digits.isdigit() else 0
    return 0
