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
