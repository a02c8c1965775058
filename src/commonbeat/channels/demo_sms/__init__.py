"""The telephone on a page of the demo town: nothing leaves the house."""

from __future__ import annotations

from collections.abc import Sequence

from commonbeat.messaging.channel import Inbound, Limits, Outbound, Receipt, Refused, Request, Sent, Setup


class DemoSms:
    """Take every message and send none; the demo's page reads the outbox and writes the inbox through actions."""

    code = "demo_sms"
    limits = Limits(address_kind="phone", per_second=100.0, knows_keys=True)
    setup = Setup(
        title="The demo town's telephone",
        to_receive=("demo",),
        to_send=("demo",),
        purpose="A telephone on a page of the demo town; it reaches nobody.",
    )

    def verify(self, request: Request) -> None:
        """Refuse: no gateway calls here."""
        raise Refused(403, "The demo telephone has no gateway.")

    def parse(self, request: Request) -> Sequence[Inbound | Receipt]:
        """Refuse: no gateway calls here."""
        raise Refused(403, "The demo telephone has no gateway.")

    def answer(self, request: Request) -> tuple[str, bytes]:
        """Give an empty answer."""
        return "text/plain; charset=utf-8", b""

    def send(self, message: Outbound) -> Sent:
        """Do as if the message was sent; the page shows it from the outbox."""
        return Sent(provider_id=message.idempotency_key)


channel = DemoSms()
