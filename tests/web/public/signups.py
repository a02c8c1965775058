"""Ask for alerts as somebody without a script does, and read what they are sent."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from django.test import Client

from commonbeat.messaging.models import Outbound
from commonbeat.messaging.queries import text_of
from tests import make
from tests.web.public.walker import Walker

NOW = make.NOW
START, MANAGE = "/alerts/subscribe/", "/alerts/subscribe/manage/"
NUMBER, MAIL = "+383 44 555 666", "someone@example.org"


def with_mail(options: Any) -> Any:
    """Give the settings of a site that has a mailbox and a name."""
    return replace(options, mail_address="report@example.org", mail_smtp_host="127.0.0.1", site_name="Lumbardh")


def walked(client: Client | None = None, **changes: Any) -> Walker:
    """Walk to the last step by text message for the whole town; `changes` replace what is said."""
    said = {"go": "all", "how": "phone", "phone": NUMBER, "least": "2", **changes}
    walker = Walker(client or Client(), START, wanted='id="subscribe-form"')
    walker.wanted = "novalidate"
    press(walker, go=said["go"], place_text=said.get("place_text", ""))
    press(walker, least=said["least"], kind=said.get("kind", []))
    if walker.step == "how":
        press(walker, how=said["how"], phone=said.get("phone", ""), email=said.get("email", ""))
    press(walker, **{name: said[name] for name in ("quiet", "quiet_from", "quiet_to", "speaks") if name in said})
    assert walker.step == "check", walker.text
    return walker


def press(walker: Walker, go: str = "next", **answers: Any) -> Walker:
    """Fill in the page that is shown and press a button."""
    form = walker.form
    fields: dict[str, list[str]] = {}
    for name, value in form.fields:
        fields.setdefault(name, []).append(value)
    for name, value in answers.items():
        fields[name] = value if isinstance(value, list) else [value]
    walker.response = walker.client.post(form.action or START, {**fields, "go": go})
    return walker


def send(walker: Walker, **more: str) -> Walker:
    """Send the last page."""
    form = walker.form
    fields: dict[str, list[str]] = {}
    for name, value in form.fields:
        fields.setdefault(name, []).append(value)
    walker.response = walker.client.post(form.action, {**fields, **{name: [value] for name, value in more.items()}})
    return walker


def sent_texts() -> list[str]:
    return [text_of(row) for row in Outbound.objects.order_by("pk")]


def code_sent() -> str:
    found = re.search(r"\b\d{6}\b", sent_texts()[-1])
    assert found is not None, sent_texts()
    return found[0]


def link_sent() -> str:
    found = re.search(r"http://[^/]+(/alerts/subscribe/link/\S+)", sent_texts()[-1])
    assert found is not None, sent_texts()
    return found[1]


def type_code(walker: Walker, code: str) -> Any:
    walker.response = walker.client.post(
        "/alerts/subscribe/code/", {"token": dict(walker.form.fields)["token"], "code": code}, follow=True
    )
    return walker.response
