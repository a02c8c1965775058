"""E-mail: in by LMTP or IMAP, out by SMTP submission; see docs/channels/email.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from commonbeat.channels.calls import site_options
from commonbeat.channels.email.addresses import HALF, read_recipient
from commonbeat.channels.email.reading import read_mail
from commonbeat.channels.email.sending import send
from commonbeat.config.options import Options
from commonbeat.foundation.crypto import derive, keyed_hash
from commonbeat.messaging.channel import Failed, Inbound, Limits, Outbound, Receipt, Refused, Request, Sent, Setup
from commonbeat.messaging.mail import Correspondent, Mail
from commonbeat.messaging.sealing import address_hash


class Email:
    """Talk to mail servers; nothing comes by webhook."""

    code = "email"
    limits = Limits(address_kind="email", per_second=5.0, in_parts=False)
    setup = Setup(
        title="E-mail",
        to_receive=("mail_address",),
        to_send=("mail_address", "mail_smtp_host"),
        optional=(
            "mail_smtp_port",
            "mail_smtp_security",
            "mail_smtp_username",
            "mail_smtp_password",
            "mail_imap_host",
            "mail_imap_port",
            "mail_imap_username",
            "mail_imap_password",
            "mail_imap_folder",
        ),
        goes_to=("mail_smtp_host", "mail_smtp_port", "mail_smtp_security", "mail_imap_host", "mail_imap_port"),
        purpose="E-mail, read from a mailbox and sent through a mail server.",
        manual="email.md",
    )

    def __init__(self, options: Callable[[], Options]) -> None:
        self._options = options
        self.correspondent: Callable[[str], Correspondent] = lambda address: Correspondent()

    def verify(self, request: Request) -> None:
        """Refuse: mail does not come this way."""
        raise Refused(404, "E-mail does not come by webhook.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Read nothing."""
        return []

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Answer with nothing."""
        return "text/plain; charset=utf-8", b""

    def is_ours(self, address: str) -> bool:
        """Tell whether an address is one that we take mail for."""
        return read_recipient(self._options(), address) is not None

    def read(self, data: bytes, recipients: Sequence[str], envelope_sender: str | None = None) -> Mail:
        """Read one mail; whatever is wrong with it, something is read."""
        return read_mail(self._options(), data, recipients=recipients, envelope_sender=envelope_sender)

    def send(self, message: Outbound) -> Sent | Failed:
        """Hand one mail to the server that sends ours."""
        options = self._options()
        return send(
            options,
            message,
            payload=keyed_hash(derive(options.secret, "mail ids"), message.idempotency_key)[:HALF],
            conversation=address_hash(options.secret, "email", message.recipient)[:HALF],
            correspondent=self.correspondent(message.recipient),
        )


channel = Email(site_options)
