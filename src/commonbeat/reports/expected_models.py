"""Who is expected to report: trained reporters, their places and their schedules."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, ClassVar

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from commonbeat.messaging.models import Contact
from commonbeat.people.models import Unit, User
from commonbeat.people.permissions import Permission, may
from commonbeat.reports.schedule import Schedule
from commonbeat.topics.models import Topic

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class Rhythm(models.TextChoices):
    """How often a report is expected."""

    DAILY = "daily", _("every day")
    WEEKLY = "weekly", _("every week")
    NONE = "none", _("when something happens")


class ExpectedReporterQuerySet(models.QuerySet["ExpectedReporter"]):
    def visible_to(self, viewer: User | AnonymousUser | None) -> ExpectedReporterQuerySet:
        """Keep what the viewer may see: those of the own unit, or all."""
        if may(viewer, Permission.SEE_ALL_DESKS):
            return self
        if may(viewer, Permission.SEE_DESK) and isinstance(viewer, User) and viewer.unit_id:
            return self.filter(unit_id=viewer.unit_id)
        return self.none()


class ExpectedReporter(models.Model):
    """A contact that may use a topic's code word, for one place, and when a report is expected from it."""

    RETENTION: ClassVar = "until the reporter is taken off the list, or as long as the contact"

    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="expected")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="expected", db_index=False)
    # The clinic or polling station; no name of a person.
    site = models.CharField(max_length=120)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    # Whose desk the place belongs to.
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="expected_reporters")
    rhythm = models.CharField(max_length=6, choices=Rhythm.choices, default=Rhythm.DAILY)
    # Monday is 0; of a weekly report only.
    weekday = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(6)])
    # When it is due, in the site's time.
    due_at = models.TimeField(default=time(12, 0))
    created_at = models.DateTimeField()
    # The first day of the day or week for which a reminder was queued last.
    reminded_for = models.DateField(null=True)
    reminded_at = models.DateTimeField(null=True)

    objects = ExpectedReporterQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["contact", "topic", "site"], name="expected_reporter_once"),
        ]

    @property
    def schedule(self) -> Schedule:
        """Give when a report is due."""
        return Schedule(self.rhythm, self.weekday, self.due_at)
