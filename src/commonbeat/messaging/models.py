"""Contacts, inbox and outbox."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from commonbeat.messaging.trust import Level, level_of


class ContactKind(models.TextChoices):
    PHONE = "phone"
    EMAIL = "email"
    # An account of a chat service: its user id there, behind the name of the service ("telegram:123456789").
    CHAT = "chat"
    # A browser that asked for push messages: its endpoint and keys.
    PUSH = "push"


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
    # The sum of its marks that stand, and the level that staff set instead; see trust.py. Never for public pages.
    trust_points = models.IntegerField(default=0)
    trust_set = models.CharField(max_length=10, blank=True, default="")
    trust_reason = models.CharField(max_length=300, blank=True, default="")
    blocked_at = models.DateTimeField(null=True)
    blocked_reason = models.CharField(max_length=300, blank=True, default="")

    def __str__(self) -> str:
        return self.handle

    @property
    def level(self) -> Level:
        """Give how far this contact is trusted."""
        return level_of(self.trust_points, self.trust_set)


class TrustMark(models.Model):
    """What one report has earned its sender, or cost: once per report and kind, and taken back when that is undone."""

    RETENTION: ClassVar = "as long as the contact"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="marks")
    # An id and no foreign key, for messaging knows no feature.
    report_id = models.BigIntegerField()
    # One of trust.Kind, with the weight that it had then.
    kind = models.CharField(max_length=10)
    points = models.SmallIntegerField()
    made_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["contact", "report_id", "kind"], name="trust_mark_once"),
        ]


class Silenced(models.Model):
    """An address that is not known any more, and still must not be written to, or let in."""

    RETENTION: ClassVar = "for good, or until its owner writes again: a keyed hash, of which no address can be made"

    address_hash = models.BinaryField(max_length=32, unique=True)
    stopped_at = models.DateTimeField(null=True)
    blocked_at = models.DateTimeField(null=True)


class Erasure(models.Model):
    """That a person has asked to be erased; carried out once the answer to that has gone out."""

    RETENTION: ClassVar = "until it is carried out, a day at most"

    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="erasure")
    asked_at = models.DateTimeField()
    # What they wrote goes too, and what was published of it.
    takes_texts = models.BooleanField(default=True)
    withdraws = models.BooleanField(default=True)


class InboundState(models.TextChoices):
    NEW = "new"
    UNDERSTOOD = "understood"
    FAILED = "failed"
    # Its sender is over the limit: a person lets it in or discards it.
    HELD = "held"
    DISCARDED = "discarded"
    # Its sender is blocked: kept until its retention, neither understood nor answered.
    BLOCKED = "blocked"


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
    # The index inbound_of_contact serves instead.
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="inbound", db_index=False)
    # True where the sender only claims to be the contact (the From line of an e-mail); such messages are counted apart.
    is_claim = models.BooleanField(null=True)
    # When a person let it in or discarded it; what a person let in is not held again.
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "provider_id"], name="inbound_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="inbound_new", condition=models.Q(state="new")),
            models.Index(fields=["contact", "id"], name="inbound_held", condition=models.Q(state="held")),
            models.Index(fields=["contact", "state", "received_at"], name="inbound_of_contact"),
            models.Index(fields=["received_at"], name="inbound_age"),
        ]


class OutboundState(models.TextChoices):
    QUEUED = "queued"
    LEASED = "leased"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"


class Broadcast(models.Model):
    """One text for many recipients: sealed and measured once, however many rows of the outbox carry it."""

    RETENTION: ClassVar = "the sealed body for 30 days after it expires (a setting), the row for two years"

    key = models.CharField(max_length=80, unique=True)
    body_sealed = models.BinaryField()
    segments = models.PositiveSmallIntegerField(default=1)
    encoding = models.CharField(max_length=8, default="GSM-7")
    # For channels that can replace what they showed before (push): the same topic takes its place.
    topic = models.CharField(max_length=32, blank=True)
    is_urgent = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class Outbound(models.Model):
    """One message to one recipient."""

    RETENTION: ClassVar = "the sealed body for 30 days after sending (a setting), the row for two years"

    idempotency_key = models.CharField(max_length=80, unique=True)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="outbound")
    channel = models.CharField(max_length=20)
    # Empty where a broadcast holds the text.
    body_sealed = models.BinaryField()
    broadcast = models.ForeignKey(Broadcast, null=True, on_delete=models.CASCADE, related_name="outbound")
    # 0 for replies, 10 for bulk: replies go first.
    priority = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=OutboundState.choices, default=OutboundState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    # How often a person has had it sent anew after a failure; each time is another key for the gateway.
    round = models.PositiveSmallIntegerField(default=0)
    # A gateway may have it although no answer told so: then no other gateway may be given it.
    maybe_taken = models.BooleanField(default=False)
    # Goes although the money is spent: the confirmation of STOP, the first answer in a day, danger.
    is_vital = models.BooleanField(default=False)
    # The channel that it was for, where another took over.
    moved_from = models.CharField(max_length=20, blank=True)
    segments = models.PositiveSmallIntegerField(default=1)
    encoding = models.CharField(max_length=8, default="GSM-7")
    provider_id = models.CharField(max_length=120, blank=True, db_index=True)
    # What the gateway said, as a code; never its text, which may hold the number.
    error = models.CharField(max_length=60, blank=True)
    # The report that this is about, when there is one; an id and no foreign key, for messaging knows no feature.
    about_id = models.BigIntegerField(null=True, db_index=True)
    created_at = models.DateTimeField()
    # Millionths of the site's currency, as the provider says or as the setting of the channel does; empty: unknown.
    cost_micros = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # A partial index would be smaller, but SQLite uses one only for constants, and Django binds parameters.
            models.Index(fields=["state", "channel", "priority", "due_at", "id"], name="outbound_waiting"),
            models.Index(fields=["created_at"], name="outbound_age"),
        ]


class Part(models.Model):
    """One part of a message, where the provider tells of each by itself."""

    RETENTION: ClassVar = "as long as the message"

    outbound = models.ForeignKey(Outbound, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveSmallIntegerField()
    provider_id = models.CharField(max_length=120, blank=True, db_index=True)
    state = models.CharField(max_length=10, choices=OutboundState.choices, default=OutboundState.SENT)
    error = models.CharField(max_length=60, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["outbound", "number"], name="part_once")]


class Spending(models.Model):
    """What a channel took and cost on one day of the site's time zone; numbers only."""

    RETENTION: ClassVar = "for good: it names nobody"

    day = models.DateField()
    channel = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    messages = models.PositiveIntegerField(default=0)
    parts = models.PositiveIntegerField(default=0)
    cost_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day", "channel", "currency"], name="spending_once"),
        ]


class ChannelSetting(models.Model):
    """What an administrator set on the page of a channel; the file and the environment win over it."""

    RETENTION: ClassVar = "the sealed value until it is cleared or replaced; who set it last, while the site exists"

    # The option's name, as in config/options.py.
    name = models.CharField(max_length=60, unique=True)
    # Emptied when it is cleared.
    value_sealed = models.BinaryField()
    changed_at = models.DateTimeField()
    # No foreign key, for messaging knows no accounts.
    changed_by_id = models.BigIntegerField()


class Health(models.Model):
    """How a channel's gateway answers; the worker writes it, the operator reads it."""

    RETENTION: ClassVar = "one row per channel"

    channel = models.CharField(max_length=20, unique=True)
    # Attempts in a row that failed for a reason of the gateway's.
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    # When the gateway is asked again; empty while it answers.
    ask_again_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=60, blank=True)
    last_taken_at = models.DateTimeField(null=True)
