"""Browsers that subscribed to push messages: their keys, and what they read."""

from __future__ import annotations

import json
import os
from typing import Any

import http_ece  # type: ignore[import-untyped]
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from commonbeat.messaging.push import base64url


class Browser:
    """Hold the keys of one subscription."""

    def __init__(self, endpoint: str = "https://push.example.com/send/abc") -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)
        self.endpoint = endpoint

    @property
    def point(self) -> bytes:
        """Give the public point."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    def subscription(self, **changes: Any) -> str:
        """Give what PushSubscription.toJSON() gives."""
        keys = {"p256dh": base64url(self.point), "auth": base64url(self.auth)}
        return json.dumps({"endpoint": self.endpoint, "expirationTime": None, "keys": keys, **changes})

    def read(self, body: bytes) -> str:
        """Decrypt a message."""
        plain: bytes = http_ece.decrypt(body, private_key=self.private, auth_secret=self.auth, version="aes128gcm")
        return plain.decode()
