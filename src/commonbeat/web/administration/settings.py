"""The settings of the site, to read: they are changed in the file or the environment, never on a page."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commonbeat.people.permissions import Permission
from commonbeat.web.accounts import needs

SECRETS = ("secret", "password", "key", "token")


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
    return render(request, "administration/settings.html", {"settings": shown_settings(settings.COMMONBEAT)})


def shown_settings(options: Any) -> list[Setting]:
    """Put the options into words; a secret tells only whether it is set."""
    told = {name: text for table in type(options).__mro__[:-1] for name, text in _descriptions(table).items()}
    rows = []
    own = set(type(options).__annotations__)
    for field in sorted(dataclasses.fields(options), key=lambda one: one.name not in own):
        value = getattr(options, field.name)
        name = f"COMMONBEAT_{field.name.upper()}"
        rows.append(Setting(name, _shown(field.name, value), told.get(field.name, ""), value == field.default))
    return rows


def _shown(name: str, value: Any) -> str:
    if any(word in name.split("_") for word in SECRETS):
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


def _descriptions(kind: type) -> dict[str, str]:
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            found[statement.target.id] = str(following.value.value)
    return found
