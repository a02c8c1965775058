"""Who listens: the same permission check as on the pages, by Django's session cookie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import cast

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest

from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose hints somebody may have; unit_id None means every unit's."""

    unit_id: int | None

    def may_see(self, unit_ids: frozenset[int]) -> bool:
        """Tell whether something on the desks of these units concerns the viewer."""
        return self.unit_id is None or self.unit_id in unit_ids


def viewer_of(headers: Mapping[str, str]) -> Viewer | None:
    """Find who sent these headers and what they may hear of; None for whoever has no desk. Reads the database."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if cookie is None or not cookie.value:
        return None
    close_old_connections()
    try:
        request = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore(cookie.value)
        user = get_user(request)
        if not may(cast(User, user), Permission.SEE_DESK):
            return None
        user = cast(User, user)
        if settings.COMMONBEAT.require_mfa and not is_mfa_enabled(user):
            return None
        if may(user, Permission.SEE_ALL_DESKS):
            return Viewer(unit_id=None)
        return Viewer(unit_id=user.unit_id) if user.unit_id else None
    finally:
        close_old_connections()
