"""Alerts as CAP 1.2 has them, who wants to hear of them, and how far each has gone out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q

from commonbeat.messaging.models import Broadcast, Contact
from commonbeat.people.models import Unit, User
from commonbeat.people.permissions import Permission, may
from commonbeat.places.models import Beat

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class MsgType(models.TextChoices):
    """CAP's msgType; each message is a row of its own, tied to the first of its chain by `root`."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


class Status(models.TextChoices):
    """CAP's status: what is not Actual is marked as such wherever it is shown."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    TEST = "Test"


class Urgency(models.TextChoices):
    IMMEDIATE = "Immediate"
    EXPECTED = "Expected"
    FUTURE = "Future"
    PAST = "Past"
    UNKNOWN = "Unknown"


class Severity(models.TextChoices):
    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


class Certainty(models.TextChoices):
    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"
    UNKNOWN = "Unknown"


class AlertState(models.TextChoices):
    DRAFT = "draft", "Draft"
    # Asked for a second person.
    WAITING = "waiting", "Waits for a second person"
    RELEASED = "released", "Released"
    DISCARDED = "discarded", "Discarded"


class Source(models.Model):
    """A feed of CAP messages of others: the weather service, a neighbour."""

    RETENTION: ClassVar = "kept while the site exists"

    name = models.CharField(max_length=120, unique=True)
    url = models.URLField(max_length=500)
    # CAP senders that this feed may speak for; empty: any.
    senders = models.JSONField(default=list)
    is_enabled = models.BooleanField(default=True)
    # Its messages go out to subscribers as ours do; else they are only shown.
    forwards = models.BooleanField(default=False)
    # Its messages must be signed with this certificate (PEM); empty: signatures are not looked at.
    certificate = models.TextField(blank=True)
    etag = models.CharField(max_length=200, blank=True)
    # Last-Modified, as the server wrote it.
    modified = models.CharField(max_length=60, blank=True)
    polled_at = models.DateTimeField(null=True)
    # When it last gave a message that was new.
    taken_at = models.DateTimeField(null=True)
    # A code, never what the feed said.
    error = models.CharField(max_length=60, blank=True)


class AlertQuerySet(models.QuerySet["Alert"]):
    def released(self) -> AlertQuerySet:
        """Keep what has gone out: anybody may read it."""
        return self.filter(state=AlertState.RELEASED)

    def visible_to(self, viewer: User | AnonymousUser | None) -> AlertQuerySet:
        """Keep what the viewer may see: everybody what is released, staff also the drafts of their own unit."""
        if may(viewer, Permission.SEE_ALL_DESKS):
            return self
        if may(viewer, Permission.SEE_DESK) and isinstance(viewer, User) and viewer.unit_id:
            return self.filter(Q(state=AlertState.RELEASED) | Q(unit_id=viewer.unit_id))
        return self.released()

    def workable_by(self, actor: User) -> AlertQuerySet:
        """Keep this site's own alerts of the actor's unit, or of any for who sees all desks."""
        found = self.visible_to(actor).filter(source=None)
        return found if may(actor, Permission.SEE_ALL_DESKS) else found.filter(unit_id=actor.unit_id or 0)


class Alert(models.Model):
    """One CAP message: a warning, its correction or its end."""

    RETENTION: ClassVar = "released ones for good: they were public; drafts and what was discarded for two years"

    # CAP identifier: no spaces, commas, < or &.
    identifier = models.CharField(max_length=120, unique=True)
    # CAP sender; empty is this site.
    sender = models.CharField(max_length=200, blank=True)
    source = models.ForeignKey(Source, null=True, on_delete=models.SET_NULL, related_name="alerts")
    msg_type = models.CharField(max_length=6, choices=MsgType.choices, default=MsgType.ALERT)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ACTUAL)
    # The first message of the chain (NULL: this is it), and the one before this.
    root = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="chain")
    previous = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")

    # A key of alerts.kinds: what it is about ("missing_child", "water").
    kind = models.CharField(max_length=40)
    urgency = models.CharField(max_length=9, choices=Urgency.choices)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    certainty = models.CharField(max_length=8, choices=Certainty.choices)
    onset = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    # GeoJSON Polygon or MultiPolygon, longitude first, and what it was made of:
    # {"polygons": [...], "circles": [[lat, lon, metres]], "beats": [id]}.
    area = models.JSONField()
    area_parts = models.JSONField(default=dict)
    south = models.FloatField()
    west = models.FloatField()
    north = models.FloatField()
    east = models.FloatField()
    # Of a message of others: the page that it names for more.
    web = models.URLField(max_length=500, blank=True)
    # Schools, taxis and shops that asked for look-outs get it too.
    to_partners = models.BooleanField(default=False)

    state = models.CharField(max_length=10, choices=AlertState.choices, default=AlertState.DRAFT)
    unit = models.ForeignKey(Unit, null=True, on_delete=models.PROTECT, related_name="alerts")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    # CAP sent.
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    # Why one person released it alone; empty where two did, or where one may.
    alone_reason = models.CharField(max_length=300, blank=True)
    # Why a second person sent it back; empty once it is changed or asked for again.
    returned_note = models.CharField(max_length=300, blank=True)
    # Of the first message: when and how the chain ended ("found_safe", "over", "mistake", "expired").
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["state", "expires_at"], name="alert_active"),
            models.Index(fields=["unit", "-id"], name="alert_unit"),
        ]

    @property
    def root_id_or_own(self) -> int:
        """Give the id of the first message of its chain."""
        return self.root_id or self.pk

    def is_active(self, now: datetime) -> bool:
        """Tell whether it is out and neither ended nor expired."""
        return (
            self.state == AlertState.RELEASED
            and self.msg_type != MsgType.CANCEL
            and self.ended_at is None
            and self.expires_at > now
        )

    @property
    def needs_second(self) -> bool:
        """Tell whether two people release it: immediate and severe or worse."""
        return self.urgency == Urgency.IMMEDIATE and self.severity in (Severity.EXTREME, Severity.SEVERE)


class AlertText(models.Model):
    """What an alert says in one language: one CAP info block."""

    RETENTION: ClassVar = "as long as its alert"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(max_length=8)
    headline = models.CharField(max_length=160)
    description = models.TextField()
    instruction = models.TextField(blank=True)
    area_desc = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["alert", "language"], name="alert_text_once")]


class SubscriptionShape(models.TextChoices):
    POINT = "point"
    AREA = "area"
    BEAT = "beat"
    # The whole site.
    ALL = "all"


class Subscription(models.Model):
    """What one contact wants to hear of, and where; a person may have several."""

    RETENTION: ClassVar = "until the person ends it, or with the contact; unconfirmed ones seven days"

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="subscriptions")
    # As the person calls it ("home"); theirs alone, shown to nobody else.
    label = models.CharField(max_length=40, blank=True)
    shape = models.CharField(max_length=5, choices=SubscriptionShape.choices)
    # Rounded to three decimals (100 m): no more is needed, so no more is kept.
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    radius = models.PositiveIntegerField(null=True, help_text="metres")
    # GeoJSON Polygon or MultiPolygon as the person drew it, its corners rounded alike (drawn_areas.py).
    area = models.JSONField(null=True)
    beat = models.ForeignKey(Beat, null=True, on_delete=models.CASCADE, related_name="+")
    # Keys of alerts.kinds; empty: all.
    kinds = models.JSONField(default=list)
    # 0 all, 1 Moderate and worse, 2 Severe and worse, 3 Extreme.
    least_severity = models.PositiveSmallIntegerField(default=0)
    language = models.CharField(max_length=8)
    # Minutes after midnight, the site's time; NULL: the site's quiet hours.
    quiet_from = models.PositiveSmallIntegerField(null=True)
    quiet_to = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    # Of what waits: that of the question which was sent about it. Who asks for the same address meanwhile has another
    # one, and neither can change what the other asked for. Empty once it is confirmed.
    asked_key = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["contact"], name="subscription_contact")]


class Cast(models.Model):
    """The broadcast of one alert on one channel in one language."""

    RETENTION: ClassVar = "as long as its broadcast"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="casts")
    broadcast = models.OneToOneField(Broadcast, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=20)
    language = models.CharField(max_length=8)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alert", "channel", "language"], name="cast_once"),
        ]


class FanOut(models.Model):
    """How far the queueing of one alert has come; a worker that takes over goes on from here."""

    RETENTION: ClassVar = "as long as its alert: it holds numbers only"

    alert = models.OneToOneField(Alert, on_delete=models.CASCADE, related_name="fan_out")
    started_at = models.DateTimeField()
    # The last contact that was queued; recipients go in the order of their ids.
    cursor = models.BigIntegerField(default=0)
    matched = models.PositiveIntegerField(default=0)
    # Of those who were matched, how many have been dealt with: each is in one of the five numbers below.
    passed = models.PositiveIntegerField(default=0)
    queued = models.PositiveIntegerField(default=0)
    # Not queued because of the person's cap for the day.
    capped = models.PositiveIntegerField(default=0)
    # Not queued because it is over before the person's quiet hours are.
    asleep = models.PositiveIntegerField(default=0)
    # Not queued because the person said STOP, or is gone.
    silent = models.PositiveIntegerField(default=0)
    # Of a cancel: nothing to tell, for the message before it was still waiting and was taken back.
    recalled = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    # A cancel came first: what was not queued never will be.
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # Looked at whenever anything has changed.
            models.Index(fields=["id"], name="fan_out_open", condition=Q(done_at=None, stopped_at=None)),
        ]


class Sighting(models.Model):
    """A report that answers an alert; an id and no foreign key, for alerts do not know reports."""

    RETENTION: ClassVar = "as long as its report"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="sightings")
    report_id = models.BigIntegerField(unique=True)
    created_at = models.DateTimeField()


class Partner(models.Model):
    """A school, taxi service or shop that gets look-outs by a signed webhook."""

    RETENTION: ClassVar = "until an administrator ends it"

    name = models.CharField(max_length=120, unique=True)
    url_sealed = models.BinaryField()
    secret_sealed = models.BinaryField()
    # Keys of alerts.kinds; empty: all that go to partners.
    kinds = models.JSONField(default=list)
    is_enabled = models.BooleanField(default=True)
    # Its server said 410: nothing more is posted until an administrator enables it again.
    gone_at = models.DateTimeField(null=True)
    # The last test from the page, and what came of it, as a code; empty: it was taken.
    tested_at = models.DateTimeField(null=True)
    test_error = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()


class PartnerCall(models.Model):
    """One alert on its way to one partner."""

    RETENTION: ClassVar = "two years: it names a partner and an alert, and no person"

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="calls")
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="partner_calls")
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    # Given up: the alert is over, something newer takes its place, or the partner is no more.
    closed_at = models.DateTimeField(null=True)
    # A code, never what the partner's server said.
    error = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["partner", "alert"], name="partner_call_once")]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="partner_call_due", condition=Q(sent_at=None, closed_at=None)),
        ]
