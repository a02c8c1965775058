"""Pictures: the original and its clean copies."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Photo(models.Model):
    """A picture that somebody sent."""

    RETENTION: ClassVar = "as long as the report that holds it; unattached ones for one day"

    # Names of files under media/originals and media/copies; random, never derived from content.
    original_token = models.CharField(max_length=64, unique=True)
    public_token = models.CharField(max_length=64, unique=True)
    sha256 = models.BinaryField(max_length=32)
    phash = models.BigIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    # True when an officer has put it into the public copy of a report.
    is_public = models.BooleanField(default=False)
    # Known only to whoever uploaded it, until a report takes it up.
    draft_key = models.CharField(max_length=64, blank=True, db_index=True)
