"""Translations made by people: those of the desk, and those asked of volunteers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q

from commonbeat.people.models import User
from commonbeat.people.permissions import Permission, may

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class TranslationState(models.TextChoices):
    ASKED = "asked"
    # A volunteer has handed it in; the desk has not looked yet.
    OFFERED = "offered"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Withdrawal(models.TextChoices):
    """Why nobody translates it any more."""

    DESK = "desk"
    # The desk has typed one meanwhile.
    MADE = "made"
    # A volunteer says that volunteers should not read it.
    UNFIT = "unfit"
    # The topic publishes only counts by now.
    SENSITIVE = "sensitive"
    # The report was sent again and says something else.
    CHANGED = "changed"


class TranslationQuerySet(models.QuerySet["Translation"]):
    def visible_to(self, viewer: User | AnonymousUser | None) -> TranslationQuerySet:
        """Keep what belongs to reports that the viewer may see; what a volunteer may see, queries/translations says."""
        if may(viewer, Permission.SEE_ALL_DESKS):
            return self
        if may(viewer, Permission.SEE_DESK) and isinstance(viewer, User) and viewer.unit_id:
            return self.filter(report__unit_id=viewer.unit_id)
        return self.none()


class Translation(models.Model):
    """One text of a report in another language, or the request for it."""

    RETENTION: ClassVar = "as long as the report"

    report = models.ForeignKey("reports.Report", on_delete=models.CASCADE, related_name="translations")
    # The message of the dialogue that it translates; none for what the report itself says.
    message = models.ForeignKey("reports.Message", null=True, on_delete=models.CASCADE, related_name="translations")
    from_language = models.CharField(max_length=8)
    language = models.CharField(max_length=8)
    state = models.CharField(max_length=10, choices=TranslationState.choices)
    # What a volunteer reads, and where in the original the marks stand: [start, end, "[name 1]"]. The words behind the
    # marks are not stored twice. Both are empty for what the desk has typed.
    source = models.TextField(blank=True)
    marks = models.JSONField(default=list)
    text = models.TextField(blank=True)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    asked_at = models.DateTimeField(null=True)
    claimed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    claimed_until = models.DateTimeField(null=True)
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    # The role at that time: a colleague's word and a volunteer's are to be told apart for ever.
    made_role = models.CharField(max_length=16, blank=True)
    made_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    withdrawn_for = models.CharField(max_length=10, choices=Withdrawal.choices, blank=True)

    objects = TranslationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # Two clicks, or two officers at once, ask once.
            models.UniqueConstraint(
                fields=["report", "language"], name="report_asked_once", condition=Q(state="asked", message=None)
            ),
            models.UniqueConstraint(
                fields=["message", "language"],
                name="message_asked_once",
                condition=Q(state="asked", message__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["from_language", "language", "id"], name="translation_queue", condition=Q(state="asked")
            ),
            models.Index(fields=["id"], name="translation_offered", condition=Q(state="offered")),
            models.Index(fields=["claimed_by"], name="translation_claims", condition=Q(claimed_by__isnull=False)),
        ]

    def is_held(self, now: datetime) -> bool:
        """Tell whether a volunteer works on it right now."""
        return self.claimed_by_id is not None and self.claimed_until is not None and self.claimed_until > now


class Outcome(models.TextChoices):
    """What a volunteer did with a text."""

    TAKEN = "taken"
    SKIPPED = "skipped"
    # The volunteer knows somebody in it: nothing of this report is shown to them again.
    KNOWS = "knows"
    # Nobody outside should read it.
    UNFIT = "unfit"
    OFFERED = "offered"
    # Handed in after somebody else had finished; kept as a second text.
    LATE = "late"


class TranslationTurn(models.Model):
    """That one volunteer had one text, and what came of it."""

    RETENTION: ClassVar = "as long as the report"

    translation = models.ForeignKey(Translation, on_delete=models.CASCADE, related_name="turns")
    volunteer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, default=Outcome.TAKEN)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["translation", "volunteer"], name="translation_turn_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["volunteer", "outcome", "at"], name="translation_turns")]
