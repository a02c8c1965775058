"""The state of each person's dialogue."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from commonbeat.messaging.models import Contact


class Session(models.Model):
    """Where a conversation stands; ids and step names, never what was said."""

    RETENTION: ClassVar = (
        "until the dialogue ends, at most two days after the last message; how the language is known, with the contact"
    )

    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="session")
    state = models.JSONField(default=dict)
    updated_at = models.DateTimeField()
    # The same for who only claims to be the contact, apart, so that they change nothing of what its owner was asked.
    claimed = models.JSONField(default=dict)
    claimed_at = models.DateTimeField(null=True)
