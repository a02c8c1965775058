"""Make e-mails as mail programs write them."""

from __future__ import annotations

import dataclasses
from email.message import EmailMessage
from email.policy import SMTP

from commonbeat.channels.email.addresses import Purpose, address_with
from commonbeat.config.options import Options
from commonbeat.messaging.sealing import address_hash

ADDRESS = "report@town.example"
PERSON = "arta@people.example"


def with_mail(options: Options, **more: object) -> Options:
    """Give the settings of a site that has an address for mail."""
    return dataclasses.replace(options, mail_address=ADDRESS, **more)  # type: ignore[arg-type]  # of the caller


def mail(text: str = "The lamp at the bridge is dark.", **heads: str) -> bytes:
    """Make a mail; heads are its fields, with _ for -; an empty one is left out."""
    message = EmailMessage(policy=SMTP)
    fields = {"From": f"Arta <{PERSON}>", "To": ADDRESS, "Subject": "Lamp", "Message-ID": "<1@people.example>"}
    fields |= {name.replace("_", "-"): value for name, value in heads.items()}
    for name, value in fields.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message.as_bytes()


def reply_address(options: Options, person: str = PERSON) -> str:
    """Give the address that our mail to a person asks to be answered at."""
    return address_with(options, Purpose.REPLY, address_hash(options.secret, "email", person)[:10])
