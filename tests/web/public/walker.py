"""A reader without JavaScript: follows forms as a browser does, hidden fields and all."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client

VOID = {"input", "br", "img", "link", "meta", "hr"}


class FormReader(HTMLParser):
    """Collect the form with `data-report-form`, or the first that posts to an address."""

    def __init__(self, wanted: str) -> None:
        super().__init__()
        self.wanted = wanted
        self.inside = False
        self.action = ""
        self.fields: list[tuple[str, str]] = []
        self.buttons: list[dict[str, str]] = []
        self._area: str | None = None
        self._select: str | None = None
        self._words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = (self.wanted in a) or (a.get("action") == self.wanted)
            if self.inside:
                self.action = a.get("action", "")
        if not self.inside:
            return
        kind = a.get("type", "text")
        if (
            tag == "input"
            and a.get("name")
            and (kind not in {"radio", "checkbox"} or "checked" in a)
            and kind != "file"
        ):
            self.fields.append((a["name"], a.get("value", "")))
        elif tag == "textarea":
            self._area, self._words = a["name"], ""
        elif tag == "select":
            self._select = a["name"]
        elif tag == "option" and self._select and "selected" in a:
            self.fields.append((self._select, a.get("value", "")))
        elif tag == "button":
            self.buttons.append(a)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        if tag == "textarea" and self._area:
            self.fields.append((self._area, self._words.removeprefix("\n")))
            self._area = None
        if tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area:
            self._words += data


class Walker:
    """Walk through the report form."""

    def __init__(self, client: Client, address: str, wanted: str = "data-report-form") -> None:
        self.client = client
        self.wanted = wanted
        self.response: Any = client.get(address)

    @property
    def form(self) -> FormReader:
        """Read the form of the page that is shown."""
        reader = FormReader(self.wanted)
        reader.feed(self.response.content.decode())
        return reader

    @property
    def step(self) -> str:
        """Name the step that is shown."""
        return dict(self.form.fields).get("step", "")

    @property
    def text(self) -> str:
        """Give the page."""
        return str(self.response.content.decode())

    def send(self, *, go: str = "next", address: str = "", **typed: Any) -> HttpResponse:
        """Fill in fields and press a button."""
        form = self.form
        data: dict[str, Any] = {}
        for name, value in form.fields:
            data.setdefault(name, []).append(value)
        if go:
            data["go"] = [go]
        for name, value in typed.items():
            data[name] = value if isinstance(value, list) else [value]
        response: HttpResponse = self.client.post(address or form.action, data)  # type: ignore[assignment]  # the client's own kind of it
        self.response = response
        return response
