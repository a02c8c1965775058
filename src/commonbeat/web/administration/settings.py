"""The settings of the site, to read: changed in the file or the environment, those of channels also on their pages."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commonbeat.config.option_words import SECRETS, option_meanings
from commonbeat.messaging.in_force import options_in_force
from commonbeat.people.permissions import Permission
from commonbeat.web.accounts import needs


class Setting(NamedTuple):
    """One setting as the page shows it."""

    name: str
    value: str
    description: str
    is_default: bool


@require_safe
@needs(Permission.ADMINISTER)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Show every setting, secrets masked."""
    return render(request, "administration/settings.html", {"settings": shown_settings(options_in_force())})


def shown_settings(options: Any) -> list[Setting]:
    """Put the options into words; a secret tells only whether it is set."""
    told = option_meanings()
    rows = []
    own = set(type(options).__annotations__)
    for field in sorted(dataclasses.fields(options), key=lambda one: one.name not in own):
        value = getattr(options, field.name)
        name = f"COMMONBEAT_{field.name.upper()}"
        rows.append(Setting(name, _shown(field.name, value), told.get(field.name, ""), value == field.default))
    return rows


def _shown(name: str, value: Any) -> str:
    # Of the database's address only its password is left out, below.
    if name in SECRETS and name != "database_url":
        return _("set, not shown") if value else _("not set")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, tuple):
        return ", ".join(value)
    text = str(value)
    if "://" in text and urlsplit(text).password:
        # A database address carries its password.
        parts = urlsplit(text)
        text = parts._replace(netloc=f"{parts.username}:…@{parts.hostname}").geturl()
    return text
