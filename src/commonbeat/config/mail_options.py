"""The settings of e-mail; options.py puts them into the table of a site."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commonbeat.config.options import Options

# With a token behind it the name must stay within the 64 letters that a mail server takes.
_ADDRESS = re.compile(r"[A-Za-z0-9._-]{1,24}@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+")
_HERE = ("", "127.0.0.1", "::1", "localhost")


@dataclasses.dataclass(frozen=True, slots=True)
class MailOptions:
    """Hold the settings of e-mail."""

    mail_address: str = ""
    """Address to which people write, such as report@example.org; empty means that there is no e-mail."""
    mail_lmtp_host: str = "127.0.0.1"
    """Address on which the worker takes mail from your mail server by LMTP."""
    mail_lmtp_port: int = 0
    """Port on which the worker takes mail by LMTP, such as 8024; 0 means none."""
    mail_imap_host: str = ""
    """Server whose mailbox the worker reads by IMAP, always with TLS; empty means none."""
    mail_imap_port: int = 993
    """Port of the IMAP server."""
    mail_imap_username: str = ""
    """User of the mailbox."""
    mail_imap_password: str = ""
    """Password of the mailbox."""
    mail_imap_folder: str = "INBOX"
    """Folder of the mailbox that is read."""
    mail_smtp_host: str = ""
    """Server that sends our mail."""
    mail_smtp_port: int = 587
    """Port of the server that sends our mail."""
    mail_smtp_security: str = "starttls"
    """How mail goes to that server: starttls, tls, or none (on this computer only)."""
    mail_smtp_username: str = ""
    """User of the server that sends our mail; empty where it asks for none."""
    mail_smtp_password: str = ""
    """Password of the server that sends our mail."""


def mail_problems(options: Options) -> list[str]:
    """Say what is wrong with the settings of e-mail, one sentence each."""
    problems = []
    if options.mail_address and not _ADDRESS.fullmatch(options.mail_address):
        problems.append(
            f"COMMONBEAT_MAIL_ADDRESS is “{options.mail_address}”; write an address such as report@example.org,"
            " with at most 24 letters, digits, dots or dashes before the @."
        )
    if not options.mail_address and (options.mail_lmtp_port or options.mail_imap_host or options.mail_smtp_host):
        problems.append("E-mail is set up, but nobody knows where to write. Set COMMONBEAT_MAIL_ADDRESS.")
    if options.mail_smtp_security not in ("starttls", "tls", "none"):
        problems.append(
            f"COMMONBEAT_MAIL_SMTP_SECURITY is “{options.mail_smtp_security}”; write starttls, tls or none."
        )
    elif options.mail_smtp_security == "none" and options.mail_smtp_host not in _HERE:
        problems.append("COMMONBEAT_MAIL_SMTP_SECURITY may be none only for a server on this computer.")
    for name in ("mail_lmtp_port", "mail_imap_port", "mail_smtp_port"):
        if not 0 <= getattr(options, name) < 65536:
            problems.append(f"COMMONBEAT_{name.upper()} must be a number from 0 to 65535.")
    return problems
