"""Reports, incidents, and the public copy that alone public pages may touch."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from commonbeat.media.models import Photo
from commonbeat.messaging.models import Contact
from commonbeat.people.models import Unit, User
from commonbeat.people.permissions import Permission, may
from commonbeat.places.models import Beat

# Django looks for tables in this module.
from commonbeat.reports.expected_models import ExpectedReporter as ExpectedReporter
from commonbeat.reports.hold_models import LegalHold as LegalHold
from commonbeat.reports.proxy_models import OnBehalf as OnBehalf
from commonbeat.reports.proxy_models import Proxy as Proxy
from commonbeat.reports.translation_models import Translation as Translation
from commonbeat.reports.translation_models import TranslationTurn as TranslationTurn
from commonbeat.topics.definition import Privacy, strictest
from commonbeat.topics.models import Topic, TopicVersion

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class State(models.TextChoices):
    NEW = "new", _("New")
    TRIAGED = "triaged", _("Accepted")
    PUBLISHED = "published", _("Published")
    RESOLVED = "resolved", _("Resolved")
    REJECTED = "rejected", _("Not taken up")
    DUPLICATE = "duplicate", _("Already known")
    EXPIRED = "expired", _("Closed by time")


class PlaceSource(models.TextChoices):
    """How the exact place came to be known."""

    NONE = "none", _("no place given")
    MAP = "map", _("chosen on the map")
    DEVICE = "device", _("from the device")
    COORDINATES = "coordinates", _("coordinates typed")
    NAMED = "named", _("found by its name")
    DESK = "desk", _("set by the desk")
    FILE = "file", _("from an imported file")


class Incident(models.Model):
    """What happened, with one or more reports."""

    RETENTION: ClassVar = "as long as its reports"

    title = models.CharField(max_length=200)
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="incidents")
    created_at = models.DateTimeField()
    created_by_id = models.BigIntegerField(null=True)


class ReportQuerySet(models.QuerySet["Report"]):
    def visible_to(self, viewer: User | AnonymousUser | None) -> ReportQuerySet:
        """Keep what the viewer may see in full: the one privacy gate of reports."""
        if may(viewer, Permission.SEE_ALL_DESKS):
            return self
        if may(viewer, Permission.SEE_DESK) and isinstance(viewer, User) and viewer.unit_id:
            return self.filter(unit_id=viewer.unit_id)
        return self.none()


class Report(models.Model):
    """What one person said."""

    RETENTION: ClassVar = "two years after its last change, once closed or published (a setting, and one of the topic)"

    # The resident's way back without an account; 44 random bits, slowed down when guessed.
    reference = models.CharField(max_length=10, unique=True)
    # Chosen by the sender's form, gateway or file, so that a repeat is recognised.
    client_key = models.CharField(max_length=80, unique=True)
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="reports", db_index=False)
    topic_version = models.ForeignKey(TopicVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    categories = models.JSONField(default=list)
    answers = models.JSONField(default=dict)
    title = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    # Of its accepted translations, each word once: for the search, and shown nowhere; see actions/translated_words.py.
    translated_words = models.TextField(blank=True, default="")
    language = models.CharField(max_length=8)
    channel = models.CharField(max_length=20)
    contact = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="reports")
    # It came as a code word and answers in order; sent again, it is corrected.
    is_structured = models.BooleanField(default=False)
    # False until the owner of a number that was left on the web form has texted YES: a stranger may have typed it.
    contact_confirmed = models.BooleanField(default=False)
    reporter = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    occurred_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    # The exact place: for the desk only. Public pages read Publication and nothing else.
    place_source = models.CharField(max_length=12, choices=PlaceSource.choices, default=PlaceSource.NONE)
    place_name = models.CharField(max_length=200, blank=True)
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    # H3 cell at cells.STORED_RESOLUTION.
    cell = models.BigIntegerField(null=True)

    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    state_reason = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField()
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="reports", db_index=False)
    beat = models.ForeignKey(Beat, null=True, on_delete=models.SET_NULL, related_name="reports", db_index=False)
    claimed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="claimed_reports")
    claimed_until = models.DateTimeField(null=True)
    incident = models.ForeignKey(Incident, null=True, on_delete=models.SET_NULL, related_name="reports")
    # Verified is a mark of its own, beside the state: see docs/decisions/0003.
    verified_at = models.DateTimeField(null=True)
    independent_sources = models.PositiveSmallIntegerField(default=0)
    # An unread answer of the reporter waits.
    answer_waiting = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True)
    # Since then nothing is left of it but its public copy, and what a count needs; see actions/retention.py.
    emptied_at = models.DateTimeField(null=True)
    photos: models.ManyToManyField[Photo, ReportPhoto] = models.ManyToManyField(
        Photo, through="ReportPhoto", related_name="+"
    )

    objects = ReportQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["unit", "state", "-id"], name="report_desk"),
            models.Index(fields=["unit", "-id"], name="report_unit"),
            models.Index(fields=["state", "-id"], name="report_state"),
            models.Index(fields=["beat", "-id"], name="report_beat"),
            models.Index(fields=["topic", "-id"], name="report_topic"),
            # Every report in a cell of resolution 8 and a span of time, as one range; see queries/duplicates.py.
            models.Index(F("cell").bitrightshift(21), "created_at", name="report_near_in_time"),
            # All that the desk's map counts and filters by, so that it reads no row: a town is a range of latitudes, a
            # report without a place has none; see queries/desk_map.py.
            models.Index(
                fields=[
                    "unit",
                    "state",
                    "latitude",
                    "longitude",
                    "cell",
                    "topic",
                    "beat",
                    "channel",
                    "verified_at",
                ],
                name="report_desk_map",
            ),
            models.Index(fields=["created_at"], name="report_time"),
            models.Index(fields=["id"], name="report_answer", condition=Q(answer_waiting=True)),
            models.Index(fields=["expires_at"], name="report_expiry", condition=Q(expires_at__isnull=False)),
            models.Index(fields=["topic", "changed_at"], name="report_kept", condition=Q(emptied_at__isnull=True)),
            models.Index(fields=["emptied_at"], name="report_emptied", condition=Q(emptied_at__isnull=False)),
        ]

    def is_claimed_by_other(self, user: User, now: datetime) -> bool:
        """Tell whether somebody else holds an unexpired claim."""
        return (
            self.claimed_by_id is not None
            and self.claimed_by_id != user.pk
            and self.claimed_until is not None
            and self.claimed_until > now
        )

    @property
    def privacy(self) -> Privacy:
        """Give the stricter of what held when it was made and what its topic says now."""
        return strictest(self.topic_version.definition, self.topic.definition)

    @property
    def has_place(self) -> bool:
        """Tell whether an exact place is known."""
        return self.latitude is not None


class ReportPhoto(models.Model):
    """A picture of a report."""

    RETENTION: ClassVar = "as long as the report"

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="report_photos")
    photo = models.OneToOneField(Photo, on_delete=models.CASCADE, related_name="+")


class MessageKind(models.TextChoices):
    QUESTION = "question", _("Question to the reporter")
    ANSWER = "answer", _("Answer of the reporter")
    UPDATE = "update", _("Message to the reporter")
    NOTE = "note", _("Internal note")


class Message(models.Model):
    """One message in a report's thread."""

    RETENTION: ClassVar = "as long as the report"

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=10, choices=MessageKind.choices)
    text = models.TextField()
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # Of an answer: the contact that surely wrote it. Empty where somebody had the reference and nothing else, as on the
    # web: whoever has it may add to the report, and is not therefore its reporter.
    sender = models.ForeignKey(Contact, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    client_key = models.CharField(max_length=80, unique=True, null=True)


class Verification(models.Model):
    """Who verified a report, on what evidence, from how many independent sources."""

    RETENTION: ClassVar = "as long as the report"

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="verifications")
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    evidence = models.TextField()
    independent_sources = models.PositiveSmallIntegerField()
    withdrawn_at = models.DateTimeField(null=True)


class ImportBatch(models.Model):
    """One file that was brought in, however often the command was interrupted."""

    RETENTION: ClassVar = "as long as its reports; a withdrawn one is kept as its record"

    # Name of the file's origin: the same name and row is the same report.
    source = models.CharField(max_length=80)
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="+", db_index=False)
    # Whose the data are and what may be done with them; public, on each of its reports' pages.
    credit = models.CharField(max_length=200, blank=True)
    licence = models.CharField(max_length=120, blank=True)
    started_at = models.DateTimeField()
    # None while it runs, or until an interrupted run is taken up again.
    finished_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source"], name="one_open_import", condition=Q(finished_at=None, withdrawn_at=None)
            )
        ]


class PublicationState(models.TextChoices):
    HELD = "held", _("Held for a moderator")
    PUBLIC = "public", _("Public")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class PublicationQuerySet(models.QuerySet["Publication"]):
    def public(self, now: datetime) -> PublicationQuerySet:
        """Keep what anybody may see: the one gate of public pages, feeds and maps."""
        # A topic that turned to counts hides its single reports in the same moment, before any of them is rewritten.
        # Read with the rows, not from memory: another process may have changed it just now.
        counted = Topic.objects.filter(counts_only=True).order_by().values("pk")
        shown = self.filter(state=PublicationState.PUBLIC, lists_each=True, public_at__lte=now)
        return shown.exclude(topic_id__in=counted)


class Publication(models.Model):
    """The public copy of a report: screened text, public place, coarse time. Public pages read only this table."""

    RETENTION: ClassVar = "while published; withdrawn ones as long as the report"

    report = models.OneToOneField(Report, on_delete=models.CASCADE, related_name="publication")
    # What public addresses carry: neither the reference nor the report's number.
    code = models.CharField(max_length=12, unique=True)
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="+", db_index=False)
    categories = models.JSONField(default=list)
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    language = models.CharField(max_length=8)
    place_name = models.CharField(max_length=200, blank=True)
    # Centre of the H3 cell at the topic's public resolution, computed once.
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    cell = models.BigIntegerField(null=True)
    beat = models.ForeignKey(Beat, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    occurred_on = models.DateField(null=True)
    # When it becomes public: after the topic's delay.
    public_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=PublicationState.choices)
    # False for topics that publish only counts: such rows feed counts and are never shown singly.
    lists_each = models.BooleanField()
    is_verified = models.BooleanField(default=False)
    independent_sources = models.PositiveSmallIntegerField(default=0)
    # It was public elsewhere before this site had it; no desk here has read it.
    is_imported = models.BooleanField(default=False)
    import_batch = models.ForeignKey(
        ImportBatch, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    is_resolved = models.BooleanField(default=False)
    photos = models.ManyToManyField(Photo, related_name="+")
    # Who sent it as counts name a sender, once the report names nobody any more: a number that leads nowhere.
    counted_sender = models.BigIntegerField(null=True)
    # Kinds of what screening found, for the moderator; never the found text itself.
    held_for = models.JSONField(default=list)
    proposed_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    released_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    released_at = models.DateTimeField(null=True)

    objects = PublicationQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["-public_at", "-id"], name="publication_list", condition=Q(state="public", lists_each=True)
            ),
            models.Index(
                fields=["topic", "-public_at", "-id"],
                name="publication_topic",
                condition=Q(state="public", lists_each=True),
            ),
            models.Index(
                fields=["beat", "-public_at", "-id"],
                name="publication_beat",
                condition=Q(state="public", lists_each=True),
            ),
            models.Index(
                fields=["latitude", "longitude"],
                name="publication_place",
                condition=Q(state="public", lists_each=True),
            ),
            models.Index(fields=["id"], name="publication_held", condition=Q(state="held")),
        ]

    def settle_photos(self) -> None:
        """Let its pictures be seen exactly while it may be: not while it is held, nor after it was withdrawn."""
        self.report.photos.update(is_public=False)
        if self.state == PublicationState.PUBLIC and self.lists_each:
            self.photos.update(is_public=True)


class ImportRow(models.Model):
    """What became of one row of an imported file."""

    RETENTION: ClassVar = "as long as the report; rows that were not taken, one year"

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rows", db_index=False)
    # The row's id in the file, or a hash of what it says.
    row_key = models.CharField(max_length=80)
    # 60 bits of a hash of what it says: tells a repeat from a changed row, and from two rows with one id.
    fingerprint = models.BigIntegerField(default=0)
    report = models.ForeignKey(Report, null=True, on_delete=models.CASCADE, related_name="+")
    problem = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["batch", "row_key"], name="import_row_once")]


class Correction(models.Model):
    """What a structured report said before its reporter sent it again; no address, no name beyond the report's own."""

    RETENTION: ClassVar = "as long as the report"

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="corrections")
    client_key = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField()
    # What stood there until then.
    title = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    answers = models.JSONField(default=dict)
    categories = models.JSONField(default=list)
    place_name = models.CharField(max_length=200, blank=True)
