"""Keys of the cache: hashed, because the cache is a table and its keys may name a network address or an account."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from commonbeat.foundation.crypto import derive, keyed_hash


def hashed_key(key: object, key_prefix: str, version: int) -> str:
    """Hash a key of the cache under the site key; Django's KEY_FUNCTION."""
    return keyed_hash(_key(settings.COMMONBEAT.secret), f"{key_prefix}:{version}:{key}").hex()


@lru_cache(maxsize=4)
def _key(secret: bytes) -> bytes:
    return derive(secret, "cache")
