"""Desks for sealed dialogues, who can open them, and the boxes: nothing here can be read without a member or a receipt.

There is no foreign key to people, reports or alerts: their numbers stand here as numbers. Of sources only days are
kept, never a time of day, so that nobody who watches the network can compare; the journal has it when the day is over.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class DeskKind(models.TextChoices):
    TIPS = "tips", "Tips"
    # About the police: only the oversight body makes such desks and is a member of them.
    COMPLAINTS = "complaints", "Complaints about police"


class TipState(models.TextChoices):
    OPEN = "open", "Waits for an answer"
    ANSWERED = "answered", "Answered"
    CLOSED = "closed", "Closed"
    EXPIRED = "expired", "Ended by time"


class SealedWhere(models.TextChoices):
    BROWSER = "browser", "In the browser"
    # The server has seen the text while it received it.
    SERVER = "server", "By the server"


class ByChannel(models.TextChoices):
    WEB = "web", "On the web"
    MESSAGE = "message", "By text message or telephone"


class Outcome(models.TextChoices):
    """How a dialogue ended; the last five are for complaints."""

    NONE = "", "None"
    USED = "used", "Useful"
    NOT_USED = "not_used", "Not useful"
    ELSEWHERE = "elsewhere", "Passed to another body"
    SPAM = "spam", "Nothing in it"
    UPHELD = "upheld", "Upheld"
    PARTLY_UPHELD = "partly_upheld", "Upheld in part"
    NOT_UPHELD = "not_upheld", "Not upheld"
    WITHDRAWN = "withdrawn", "Withdrawn"
    PRAISE = "praise", "Praise, passed on"


class Holder(models.TextChoices):
    """For whom a box with a tip's key is."""

    MEMBER = "member", "Member"
    SOURCE = "source", "Source"
    ESCROW = "escrow", "Escrow"


class Direction(models.TextChoices):
    TO_DESK = "to_desk", "To the desk"
    TO_SOURCE = "to_source", "To the source"


class FileState(models.TextChoices):
    UPLOADING = "uploading", "Being uploaded"
    WHOLE = "whole", "Whole"


class TipDesk(models.Model):
    """A team to which sealed dialogues go."""

    RETENTION: ClassVar = "kept while the site exists"

    # Language → name; "" is the plain one, shown where the language has none.
    names = models.JSONField(default=dict)
    kind = models.CharField(max_length=10, choices=DeskKind.choices, default=DeskKind.TIPS)
    unit_id = models.BigIntegerField(null=True)
    is_open = models.BooleanField(default=False)
    # New dialogues a day; more are refused honestly.
    intake_cap = models.PositiveIntegerField(default=500)
    # Without a new text for so long it ends, and so long after its end it is deleted.
    expires_after_days = models.PositiveIntegerField(default=180)
    deletes_after_days = models.PositiveIntegerField(default=90)
    # Of complaints: by when the law wants an outcome.
    answer_within_days = models.PositiveIntegerField(default=60)
    # The public key of the oversight body; its private half is never on the site.
    escrow_public = models.BinaryField(max_length=32, default=b"")

    def name_in(self, language: str) -> str:
        """Give the name in a language, or the plain one, or any."""
        return str(self.names.get(language) or self.names.get("") or next(iter(self.names.values()), ""))


class MemberQuerySet(models.QuerySet["Member"]):
    def present(self) -> MemberQuerySet:
        """Keep those who have not left, admitted or not."""
        return self.filter(left_day=None)

    def admitted(self) -> MemberQuerySet:
        """Keep those to whom new tips are sealed."""
        return self.filter(left_day=None, admitted_day__isnull=False)


class Member(models.Model):
    """One person's place in a desk: named by who manages it, enrolled with a key, admitted by another member."""

    RETENTION: ClassVar = "the keys as long as the membership, the row for ever: it names by number who could read"

    desk = models.ForeignKey(TipDesk, on_delete=models.PROTECT, related_name="members")
    # 16 random bytes: the recipient in the boxes.
    uid = models.BinaryField(max_length=16, unique=True)
    user_id = models.BigIntegerField()
    # Empty until the person has enrolled, and again after they have left.
    public = models.BinaryField(max_length=32, default=b"")
    by_passphrase = models.BinaryField(max_length=200, default=b"")
    by_recovery = models.BinaryField(max_length=200, default=b"")
    for_escrow = models.BinaryField(max_length=200, default=b"")
    # The person has typed the printed key back.
    recovery_confirmed = models.BooleanField(default=False)
    named_day = models.DateField()
    admitted_day = models.DateField(null=True)
    left_day = models.DateField(null=True)

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["desk", "user_id"], condition=Q(left_day=None), name="tips_one_place_each")
        ]
        indexes: ClassVar = [models.Index(fields=["user_id"], name="tips_member_user")]

    @property
    def is_enrolled(self) -> bool:
        """Tell whether the person has made a key."""
        return bool(self.public)

    @property
    def is_admitted(self) -> bool:
        """Tell whether new tips are sealed to this member."""
        return self.admitted_day is not None and self.left_day is None


class Tip(models.Model):
    """One sealed dialogue: what must be known to keep, list and end it, and nothing of what it says."""

    RETENTION: ClassVar = (
        "90 days after it was closed, or ended by itself 180 days after the last text (times of its desk)"
    )

    uid = models.BinaryField(max_length=16, unique=True)
    desk = models.ForeignKey(TipDesk, on_delete=models.PROTECT, related_name="tips")
    # "alert" or "report" and its number, or neither.
    about_kind = models.CharField(max_length=10, blank=True)
    about_id = models.BigIntegerField(null=True)
    # A keyed hash of what is derived from the receipt; the receipt itself is kept nowhere.
    look_up = models.BinaryField(max_length=32, unique=True)
    public = models.BinaryField(max_length=32)
    source_public = models.BinaryField(max_length=32)
    state = models.CharField(max_length=10, choices=TipState.choices, default=TipState.OPEN)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True)
    # Days, in UTC; the order of a day is that of the primary key.
    created_day = models.DateField()
    active_day = models.DateField()
    # When it ends without a new text; and once it has ended, when it is deleted.
    expires_day = models.DateField()
    deletes_day = models.DateField(null=True)
    # Both sides were shown that it ends soon.
    is_announced = models.BooleanField(default=False)
    sealed_where = models.CharField(max_length=10, choices=SealedWhere.choices)
    by_channel = models.CharField(max_length=10, choices=ByChannel.choices, default=ByChannel.WEB)
    # How many texts of each direction and files there are: the number of the next one.
    texts_to_desk = models.PositiveIntegerField(default=0)
    texts_to_source = models.PositiveIntegerField(default=0)
    files = models.PositiveIntegerField(default=0)
    # Something is new for this side; not what.
    news_for_desk = models.BooleanField(default=True)
    news_for_source = models.BooleanField(default=False)
    # The first of the dialogues of this day that began with the same words, where the server has seen them.
    same_as = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="copies")
    # A hash of those words under a key of the day, emptied when the day is over.
    sameness = models.BinaryField(max_length=32, default=b"")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["desk", "state", "-id"], name="tips_tip_waiting"),
            models.Index(fields=["desk", "created_day"], name="tips_tip_day"),
            models.Index(fields=["expires_day"], name="tips_tip_expires"),
            models.Index(fields=["deletes_day"], name="tips_tip_deletes"),
        ]

    @property
    def is_over(self) -> bool:
        """Tell whether nothing can be added."""
        return self.state in (TipState.CLOSED, TipState.EXPIRED)


class TipKey(models.Model):
    """The key of one tip in a box for one who may open it."""

    RETENTION: ClassVar = "as long as the tip, and a member's as long as the membership"

    tip = models.ForeignKey(Tip, on_delete=models.CASCADE, related_name="keys")
    holder = models.CharField(max_length=6, choices=Holder.choices)
    member = models.ForeignKey(Member, null=True, on_delete=models.CASCADE, related_name="keys")
    box = models.BinaryField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tip", "member"], condition=Q(holder="member"), name="tips_key_member"),
            models.UniqueConstraint(fields=["tip", "holder"], condition=~Q(holder="member"), name="tips_key_other"),
            models.CheckConstraint(
                condition=Q(holder="member", member__isnull=False) | (~Q(holder="member") & Q(member=None)),
                name="tips_key_whose",
            ),
        ]


class TipText(models.Model):
    """One text of a dialogue, sealed to the tip's key."""

    RETENTION: ClassVar = "as long as the tip"

    tip = models.ForeignKey(Tip, on_delete=models.CASCADE, related_name="texts")
    direction = models.CharField(max_length=10, choices=Direction.choices)
    number = models.PositiveIntegerField()
    box = models.BinaryField()
    day = models.DateField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tip", "direction", "number"], name="tips_text_number")
        ]


class TipFile(models.Model):
    """A sealed file in the data folder, and its key in a box to the tip's key."""

    RETENTION: ClassVar = "as long as the tip; what was never uploaded whole, two days"

    tip = models.ForeignKey(Tip, on_delete=models.CASCADE, related_name="sealed_files")
    number = models.PositiveIntegerField()
    # File's key and name, sealed.
    key_box = models.BinaryField()
    # 22 random characters: where under data/tips it lies.
    token = models.CharField(max_length=22, unique=True)
    state = models.CharField(max_length=10, choices=FileState.choices, default=FileState.UPLOADING)
    sealed_where = models.CharField(max_length=10, choices=SealedWhere.choices)
    # Bytes that the uploader has sent, and bytes on disk that count: behind them lies what a piece left that broke off.
    received = models.BigIntegerField(default=0)
    stored = models.BigIntegerField(default=0)
    # The hash of the secret that only the uploader has, and the sealer as it stands, sealed under that secret.
    secret_hash = models.BinaryField(max_length=32, default=b"")
    sealer = models.BinaryField(default=b"")
    day = models.DateField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["tip", "number"], name="tips_file_number")]

    @property
    def size_class(self) -> int:
        """Give the length of the sealed file in bytes, which is a step and not the file's own."""
        return self.stored


class Trace(models.Model):
    """That a tip came, was answered, was closed: a salted commitment that outlives the tip."""

    RETENTION: ClassVar = "the salt as long as the tip, the commitment for ever"

    # No foreign key: it outlives the tip.
    tip_number = models.BigIntegerField()
    fact = models.PositiveSmallIntegerField()
    day = models.DateField()
    commitment = models.BinaryField(max_length=32)
    # None once the tip is deleted: then the commitment is 32 bytes that nobody can test.
    salt = models.BinaryField(max_length=32, null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["tip_number", "fact"], name="tips_trace_fact")]


class Complaint(models.Model):
    """The clock that the law sets for a complaint, how it ended, and who of the desk must not read it."""

    RETENTION: ClassVar = "as long as the tip"

    tip = models.OneToOneField(Tip, primary_key=True, on_delete=models.CASCADE, related_name="complaint")
    received_day = models.DateField()
    due_day = models.DateField()
    # Numbers of members whom it concerns: no box is made for their accounts, in whichever place they come back.
    recused = models.JSONField(default=list)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["due_day"], name="tips_complaint_due")]


class Pending(models.Model):
    """One act of a source that is not in the journal yet: there its place would tell the time of day."""

    RETENTION: ClassVar = "until the day in UTC is over, and it stands in the journal"

    # The kind of the entry, and the number of the dialogue, which may be deleted by then.
    kind = models.CharField(max_length=30)
    number = models.BigIntegerField()
    day = models.DateField(db_index=True)


class ComplaintCount(models.Model):
    """How many complaints came or ended in a year, in numbers that outlive the complaints."""

    RETENTION: ClassVar = "for ever: numbers of a year"

    year = models.PositiveSmallIntegerField()
    # "received", "days", "expired" or an outcome.
    what = models.CharField(max_length=20)
    # Of "days": after how many days the complaint ended.
    days = models.PositiveIntegerField(default=0)
    number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["year", "what", "days"], name="tips_complaint_count")]
