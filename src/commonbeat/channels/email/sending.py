"""Send one e-mail: plain text, nothing that follows the reader, and nothing of the report in its subject."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formataddr, formatdate

from django.utils import translation
from django.utils.translation import gettext as _

from commonbeat.channels.email.addresses import HALF, Purpose, address_with, is_plain_address, token
from commonbeat.channels.email.quotes import MARK
from commonbeat.config.options import Options
from commonbeat.foundation.crypto import derive, keyed_hash
from commonbeat.foundation.text import excerpt
from commonbeat.messaging.channel import Failed, Outbound, Sent
from commonbeat.messaging.mail import Correspondent

_PATIENCE_SECONDS = 20.0
_SITE_LIMIT, _SUBJECT_LIMIT = 60, 120


def compose(
    options: Options, message: Outbound, *, payload: bytes, conversation: bytes, correspondent: Correspondent
) -> EmailMessage:
    """Make the mail; payload names the message and conversation the contact, ten bytes each."""
    host = options.mail_address.rpartition("@")[2]
    language = correspondent.language or message.language or options.languages[0]
    mail = EmailMessage(policy=SMTP_POLICY)
    site = _site(options)
    with translation.override(language):
        subject = _subject(site)
        mark = _("Write your answer above this line.")
    # What has a topic is the same for many, and no secret: its first line says what it is about.
    mail["Subject"] = _first_line(message.text) or subject if message.topic else subject
    mail["From"] = formataddr((site, options.mail_address))
    mail["To"] = message.recipient
    mail["Date"] = formatdate(usegmt=True)
    # The same message sent again has the same id, so that a mail program shows it once.
    mail["Message-ID"] = f"<{token(options, Purpose.THREAD, payload)}@{host}>"
    mail["Reply-To"] = address_with(options, Purpose.REPLY, conversation)
    # The thread of this person's conversation, also where we do not know what they wrote first; a topic has its own, so
    # that what they answer to it stands by itself, and what follows it stands behind it.
    about, thread = conversation, correspondent.thread
    if message.topic:
        about = keyed_hash(derive(options.secret, "mail topics"), f"{conversation.hex()}:{message.topic}")[:HALF]
        thread = ""
    root = f"<{token(options, Purpose.THREAD, about)}@{host}>"
    mail["References"] = f"{root} {thread}".strip()
    if thread:
        mail["In-Reply-To"] = thread
    mail["Auto-Submitted"] = "auto-replied" if message.idempotency_key.startswith("in:") else "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    mail["List-Unsubscribe"] = f"<mailto:{address_with(options, Purpose.STOP, conversation)}?subject=STOP>"
    text = message.text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    mail.set_content(f"{MARK} {mark} {MARK}\n\n{text}\n", charset="utf-8", cte="quoted-printable")
    mail["Content-Language"] = language
    return mail


def usual_subjects(options: Options) -> list[str]:
    """Give the subject of our mail that says nothing, in each language of the site."""
    found = []
    for language in options.languages:
        with translation.override(language):
            found.append(_subject(_site(options)))
    return found


def _subject(site: str) -> str:
    return _("Your message to %(site)s") % {"site": site}


def _site(options: Options) -> str:
    return " ".join(options.site_name.split())[:_SITE_LIMIT]


def _first_line(text: str) -> str:
    return excerpt(" ".join(text.strip().partition("\n")[0].split()), _SUBJECT_LIMIT)


def send(
    options: Options, message: Outbound, *, payload: bytes, conversation: bytes, correspondent: Correspondent
) -> Sent | Failed:
    """Hand one mail to the server; what the server says for good about the recipient is for good."""
    if not options.mail_smtp_host or not options.mail_address:
        return Failed("not configured", permanent=False)
    if not is_plain_address(message.recipient) or not message.recipient.isascii():
        return Failed("address", permanent=True)
    try:
        mail = compose(options, message, payload=payload, conversation=conversation, correspondent=correspondent)
        content = mail.as_bytes()
    except (ValueError, LookupError, TypeError):
        return Failed("address", permanent=True)
    returns_to = address_with(options, Purpose.BOUNCE, payload)
    try:
        with _connected(options) as server:
            server.sendmail(returns_to, [message.recipient], content)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return _failure(error)
    return Sent(provider_id=payload.hex())


def _connected(options: Options) -> smtplib.SMTP:
    host, port = options.mail_smtp_host, options.mail_smtp_port
    # What we call ourselves, for the name of a private computer says more than it should.
    own = options.mail_address.rpartition("@")[2]
    server: smtplib.SMTP
    if options.mail_smtp_security == "tls":
        server = smtplib.SMTP_SSL(
            host, port, local_hostname=own, timeout=_PATIENCE_SECONDS, context=ssl.create_default_context()
        )
    else:
        server = smtplib.SMTP(host, port, local_hostname=own, timeout=_PATIENCE_SECONDS)
    try:
        if options.mail_smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if options.mail_smtp_username:
            server.login(options.mail_smtp_username, options.mail_smtp_password)
    except BaseException:
        server.close()
        raise
    return server


def _failure(error: Exception) -> Failed:
    """Give the code only: what the server says may repeat the address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _text in error.recipients.values()]
        code = codes[0] if codes else 0
        return Failed(f"smtp {code}", permanent=500 <= code < 600)
    if isinstance(error, smtplib.SMTPAuthenticationError):
        # A wrong password is mended by the operator, and the mail then still goes.
        return Failed("authorization", permanent=False)
    if isinstance(error, smtplib.SMTPDataError):
        return Failed(f"smtp {error.smtp_code}", permanent=500 <= error.smtp_code < 600)
    if isinstance(error, smtplib.SMTPResponseException):
        # Greeting or our own address refused: a matter between the servers, not of this recipient.
        return Failed(f"smtp {error.smtp_code}", permanent=False)
    return Failed(type(error).__name__, permanent=False)
