"""USSD through Africa's Talking: see docs/channels/africastalking_ussd.md for its configuration."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from urllib.parse import parse_qs

from commonbeat.channels.calls import site_options
from commonbeat.config.options import Options
from commonbeat.messaging.channel import Failed, Inbound, Limits, Outbound, Receipt, Refused, Request, Setup
from commonbeat.messaging.dialling import Dialled

LEAST_SECRET = 16
_PLAIN = "text/plain; charset=utf-8"
_FIELDS = 20
_LONGEST = 4_000


class AfricasTalkingUssd:
    """Answer people who dial; nobody can be written to over USSD."""

    code = "africastalking_ussd"
    limits = Limits(address_kind="phone", per_second=1.0, body_bytes=16_384, writes_first=False)
    # What it calls is no webhook: see docs/channels/africastalking_ussd.md for the address.
    setup = Setup(
        title="Africa's Talking, USSD",
        to_receive=("africastalking_ussd_secret",),
        optional=("ussd_networks",),
        purpose="Reports dialled on any telephone, screen by screen (USSD).",
        manual="africastalking_ussd.md",
    )

    def __init__(self, options: Callable[[], Options]) -> None:
        self._options = options

    def verify(self, request: Request) -> None:
        """Compare the secret at the end of the address; the provider cannot sign."""
        expected = self._options().africastalking_ussd_secret.encode()
        given = request.tail.strip("/").encode("utf-8", "surrogateescape")
        if request.method != "POST" or len(expected) < LEAST_SECRET or not hmac.compare_digest(expected, given):
            raise Refused(403, "This address is not known.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Refuse: what is dialled is answered in the call, at another address."""
        raise Refused(404, "USSD is answered at /ussd/africastalking_ussd/ and the secret.")

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Give an empty answer."""
        return _PLAIN, b""

    def send(self, message: Outbound) -> Failed:
        """Refuse: nothing can be sent over USSD."""
        return Failed("no way to write first", permanent=True)

    def dialled(self, request: Request) -> Dialled:
        """Read the form of one step."""
        try:
            fields = parse_qs(request.body.decode(), keep_blank_values=True, max_num_fields=_FIELDS)
        except ValueError:
            raise Refused(400, "This is no form of a USSD session.") from None
        session, sender, entered = (fields.get(name, [""])[-1] for name in ("sessionId", "phoneNumber", "text"))
        if not session or not sender:
            raise Refused(400, "A step needs “sessionId” and “phoneNumber”.")
        if len(session) > 200 or len(sender) > 60 or len(entered) > _LONGEST:
            raise Refused(413, "This is too long for a USSD session.")
        return Dialled(session=session, sender=sender, entered=entered)

    def screen(self, text: str, *, goes_on: bool) -> tuple[str, bytes]:
        """Begin with CON while the session goes on, with END when it is over."""
        return _PLAIN, f"{'CON' if goes_on else 'END'} {text}".encode("utf-8", "replace")


channel = AfricasTalkingUssd(site_options)
