"""Sessions at rest: the database holds a keyed hash of each cookie, so a stolen copy signs nobody in."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

from commonbeat.foundation.crypto import derive, keyed_hash


class SessionStore(db.SessionStore):
    """Django's sessions in the database, found by a hash; keeps the name, for Django derives a signing key from it."""

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        if self.session_key is None:
            return None
        found: AbstractBaseSession | None = self.model.objects.filter(
            session_key=stored_key(self.session_key), expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        """Tell whether a cookie's session is stored."""
        return super().exists(stored_key(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """Make the row to store, under the hash of the cookie."""
        row = super().create_model_instance(data)
        row.session_key = stored_key(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """Delete a cookie's session, by default this one."""
        key = session_key or self.session_key
        if key is not None:
            super().delete(stored_key(key))


def stored_key(cookie: str) -> str:
    """Give the key under which the session of a cookie is stored: 40 hex digits, which is what the column holds."""
    # 160 bits of a keyed BLAKE2b; who reads the database has neither the cookie nor the site key.
    return keyed_hash(_key(settings.COMMONBEAT.secret), cookie).hex()[:40]


@lru_cache(maxsize=4)
def _key(secret: bytes) -> bytes:
    return derive(secret, "session")
