"""Contacts, inbox and outbox."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ContactKind(models.TextChoices):
    PHONE = "phone"
    EMAIL = "email"


class Contact(models.Model):
    """A channel address behind a handle: encrypted, found by a keyed hash."""

    RETENTION: ClassVar = "until the person asks for erasure, or two years after the last message"

    kind = models.CharField(max_length=10, choices=ContactKind.choices)
    address_sealed = models.BinaryField()
    address_hash = models.BinaryField(max_length=32, unique=True)
    # What staff see instead of the address, such as "Heron 4K7".
    handle = models.CharField(max_length=40, unique=True)
    language = models.CharField(max_length=8, blank=True)
    # Channel that the person last wrote on; answers go there.
    channel = models.CharField(max_length=20, blank=True)
    stopped_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.handle


class InboundState(models.TextChoices):
    NEW = "new"
    UNDERSTOOD = "understood"
    FAILED = "failed"


class Inbound(models.Model):
    """A raw message or receipt of a gateway; live/hooks writes it, the worker understands it."""

    RETENTION: ClassVar = "the sealed body for 30 days (a setting), the row for two years"

    channel = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=120)
    # The sealed msgspec JSON of channel.Inbound or channel.Receipt; emptied after the retention.
    body_sealed = models.BinaryField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=InboundState.choices, default=InboundState.NEW)
    attempts = models.PositiveSmallIntegerField(default=0)
    # When to try again, after a failure; empty means at once. The live writer leaves it empty.
    due_at = models.DateTimeField(null=True)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="inbound")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "provider_id"], name="inbound_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="inbound_new", condition=models.Q(state="new")),
        ]


class OutboundState(models.TextChoices):
    QUEUED = "queued"
    LEASED = "leased"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"


class Outbound(models.Model):
    """One message to one recipient."""

    RETENTION: ClassVar = "the sealed body for 30 days after sending (a setting), the row for two years"

    idempotency_key = models.CharField(max_length=80, unique=True)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="outbound")
    channel = models.CharField(max_length=20)
    body_sealed = models.BinaryField()
    # 0 for replies, 10 for bulk: replies go first.
    priority = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=OutboundState.choices, default=OutboundState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    segments = models.PositiveSmallIntegerField(default=1)
    encoding = models.CharField(max_length=8, default="GSM-7")
    provider_id = models.CharField(max_length=120, blank=True, db_index=True)
    # What the gateway said, as a code; never its text, which may hold the number.
    error = models.CharField(max_length=60, blank=True)
    # The report that this is about, when there is one; an id and no foreign key, for messaging knows no feature.
    about_id = models.BigIntegerField(null=True, db_index=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["priority", "due_at", "id"],
                name="outbound_waiting",
                condition=models.Q(state__in=["queued", "leased"]),
            ),
        ]
