"""Append-only: who did what to which id; the clock of reactions, live pages and the audit."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Entry(models.Model):
    """One thing that was done; ids only, never personal data."""

    RETENTION: ClassVar = "kept for ever: it holds ids only"

    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    # No foreign key: an entry outlives the account.
    actor_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["kind", "subject_id", "id"], name="journal_subject")]


class Cursor(models.Model):
    """How far one reader of the journal has come."""

    RETENTION: ClassVar = "kept while the site exists"

    name = models.CharField(max_length=40, primary_key=True)
    position = models.BigIntegerField(default=0)


class Lease(models.Model):
    """Which worker runs a loop that may run only once."""

    RETENTION: ClassVar = "overwritten by the next holder"

    name = models.CharField(max_length=40, primary_key=True)
    holder = models.CharField(max_length=40)
    until = models.DateTimeField()


class Tile(models.Model):
    """Up to 256 hashes of the journal's Merkle tree, side by side; the lowest with their entries' numbers."""

    RETENTION: ClassVar = "kept for ever: hashes and numbers of entries only"

    level = models.SmallIntegerField()
    number = models.BigIntegerField()
    hashes = models.BinaryField()
    # Eight bytes each, big-endian; empty above the lowest level.
    entries = models.BinaryField(default=b"")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["level", "number"], name="journal_tile_place")]


class Checkpoint(models.Model):
    """How long the log was at a time, and its root, signed with the site's key; and who has countersigned that."""

    RETENTION: ClassVar = "countersigned ones and the last of each day for ever, others for seven days"

    size = models.BigIntegerField()
    root = models.BinaryField()
    at = models.DateTimeField()
    # The signed note without countersignatures, and the public key that verifies it.
    note = models.TextField()
    key = models.CharField(max_length=300)
    countersignatures = models.TextField(default="")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["size"], name="journal_checkpoint_size")]


class Countersigner(models.Model):
    """A public key of the oversight body; the private one is never on the site."""

    RETENTION: ClassVar = "kept for ever: signatures in the log are verified with it"

    key = models.CharField(max_length=300, unique=True)
    added_at = models.DateTimeField()
    # No foreign keys, as in the journal.
    added_by = models.BigIntegerField(null=True)
    retired_at = models.DateTimeField(null=True)


class Commitment(models.Model):
    """What stands in the log for a person: 32 bytes, and the salt by which they can be tested."""

    RETENTION: ClassVar = "the salt as long as the person is known, the commitment for ever"

    holder = models.CharField(max_length=10)
    number = models.BigIntegerField()
    digest = models.BinaryField()
    # None once the person is erased: then the digest is 32 bytes that nobody can test.
    salt = models.BinaryField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["holder", "number"], name="journal_commitment_person")]
