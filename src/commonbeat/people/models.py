"""Accounts, roles and units."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    RESIDENT = "resident", _("Resident")
    OFFICER = "officer", _("Officer")
    SUPERVISOR = "supervisor", _("Supervisor")
    MODERATOR = "moderator", _("Moderator")
    OVERSEER = "overseer", _("Overseer")
    ADMINISTRATOR = "administrator", _("Administrator")
    TRANSLATOR = "translator", _("Translator")


class Unit(models.Model):
    """A team with a desk: the shared work list of its members."""

    RETENTION: ClassVar = "kept while the site exists"

    name = models.CharField(max_length=120, unique=True)
    # Reports that no beat contains, or that name no place, land on the fallback desk.
    is_fallback = models.BooleanField(default=False)
    # The oversight body says that it really has one person, who then releases urgent alerts alone. It counts only
    # while that is so (people.queries.works_alone).
    releases_alone = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """Anyone who signs in; residents need no account."""

    RETENTION: ClassVar = "kept while the site exists: a closed account still names who did what"

    role = models.CharField(max_length=16, choices=Role.choices, default=Role.RESIDENT)
    unit = models.ForeignKey(Unit, null=True, blank=True, on_delete=models.PROTECT, related_name="members")
    display_name = models.CharField(max_length=80, blank=True)
    language = models.CharField(max_length=8, blank=True)
    # Codes of the languages that a volunteer translates between.
    languages_read = models.JSONField(default=list, blank=True)
    # What residents read of their officer; empty means that the officer is not shown in public.
    public_intro = models.TextField(blank=True)
    public_hours = models.CharField(max_length=200, blank=True)
    public_phone = models.CharField(max_length=40, blank=True)

    @property
    def shown_name(self) -> str:
        """Give the name that colleagues see."""
        return self.display_name or self.username

    @property
    def is_desk_staff(self) -> bool:
        """Tell whether this account signs in to any page that residents do not see."""
        return self.role != Role.RESIDENT


class Invitation(models.Model):
    """A link with which one person chooses the own password, once."""

    RETENTION: ClassVar = "until it is used or replaced; it holds a hash only"

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="invitation")
    # Hashed under the site key: who can only read, or only write, the database can make no link of it.
    token_hash = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
