"""Walk the pages of tips as a person without JavaScript does."""

from __future__ import annotations

import itertools
import re
from datetime import datetime, timedelta
from typing import Any, NoReturn

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client

from commonbeat.tips.models import TipDesk
from commonbeat.web.public import tip_pages

SAID = "The blue lorry comes on Thursdays, behind the mill."
_WORD = re.compile(r"<li data-word>([a-z]{4})</li>")


def hidden(page: str, name: str) -> str:
    """Give the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def words_in(page: str) -> list[str]:
    """Give the words of the receipt that a page shows."""
    return _WORD.findall(page)


def shows(page: str, words: list[str]) -> bool:
    """Tell whether two words of a receipt stand beside each other; a single one may be part of any word."""
    pairs = list(itertools.pairwise(words))
    return any(f"{first}{between}{second}" in page for first, second in pairs for between in ("", " ", "-"))


def ticket(now: datetime, *, age: int = 60) -> str:
    """Give the hidden field of a form that was given out some seconds ago."""
    return tip_pages.new_ticket(now - timedelta(seconds=age))


def post(client: Client, desk: TipDesk, now: datetime, **more: Any) -> Any:
    """Send the form of a desk."""
    return client.post(f"/tip/{desk.pk}/", {"ticket": ticket(now), "text": SAID, "website": "", **more})


def receipt_of(client: Client, desk: TipDesk, now: datetime, **more: Any) -> str:
    """Send a tip and give its receipt."""
    page = post(client, desk, now, **more)
    assert page.status_code == 200, page.content.decode()
    return "-".join(words_in(page.content.decode()))


def picture(data: bytes = b"\x89PNG behind the mill" * 9_000, name: str = "lorry.png") -> SimpleUploadedFile:
    """Give a file to send."""
    return SimpleUploadedFile(name, data, "image/png")


def locked(**given: object) -> NoReturn:
    """Fail as an action does while another process holds the database."""
    raise OperationalError("database is locked")
