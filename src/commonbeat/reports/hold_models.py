"""Reports that the law wants kept, whoever asks for them to be erased."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from commonbeat.people.models import User


class LegalHold(models.Model):
    """That a report is not deleted before a day: the only reason for which a wish to be erased waits."""

    RETENTION: ClassVar = "until its day, or until it is lifted; at most as long as the report"

    report = models.OneToOneField("reports.Report", on_delete=models.CASCADE, related_name="hold")
    # Such as the number of the investigation; no name of a person.
    reason = models.CharField(max_length=200)
    # The last day on which it counts.
    until = models.DateField(db_index=True)
    placed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    placed_at = models.DateTimeField()
    # Its sender wants it erased: that is done as soon as the hold ends.
    erase_then = models.BooleanField(default=False)
