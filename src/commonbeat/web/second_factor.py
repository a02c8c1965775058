"""Second factors at rest: a stolen database alone must not give a thief the codes."""

from __future__ import annotations

import base64

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from commonbeat.foundation.crypto import derive, seal, unseal


class SecondFactorAdapter(DefaultMFAAdapter):
    """Seal TOTP keys and recovery codes under the site key."""

    def encrypt(self, text: str) -> str:
        """Seal a secret before it is stored."""
        return base64.b64encode(seal(_key(), text.encode())).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Open a stored secret; SealError when the site key is another."""
        return unseal(_key(), base64.b64decode(encrypted_text)).decode()


def _key() -> bytes:
    return derive(settings.COMMONBEAT.secret, "second-factor")
