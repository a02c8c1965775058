"""Beats with their polygons, and the gazetteer of the deployment."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from commonbeat.people.models import Unit


class Beat(models.Model):
    """The area of a local officer."""

    RETENTION: ClassVar = "kept while the site exists"

    name = models.CharField(max_length=120, unique=True)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="beats")
    officers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="beats")
    # GeoJSON Polygon or MultiPolygon, longitude first.
    area = models.JSONField()
    south = models.FloatField()
    west = models.FloatField()
    north = models.FloatField()
    east = models.FloatField()

    def __str__(self) -> str:
        return self.name


class Place(models.Model):
    """A place that people name."""

    RETENTION: ClassVar = "kept while the site exists"

    # Its id in the file that it came from, behind the name of the source; NULL where it was added by hand.
    key = models.CharField(max_length=120, null=True, blank=True, unique=True)
    # language code → name
    names = models.JSONField(default=dict)
    kind = models.CharField(max_length=20, blank=True)
    latitude = models.FloatField()
    longitude = models.FloatField()

    def __str__(self) -> str:
        return str(next(iter(self.names.values()), self.pk))

    def name_in(self, language: str) -> str:
        """Give the name in the language, or in the first language that has one."""
        return str(self.names.get(language) or next(iter(self.names.values()), ""))


class NameSource(models.TextChoices):
    """Tell how a name came to be known."""

    FILE = "file"
    # Written by an administrator, or learned and found right.
    PAGE = "page"
    # Several people wrote it before they confirmed the place.
    LEARNED = "learned"


class PlaceName(models.Model):
    """One spelling of a place, folded for matching across scripts; rows are made and deleted, never changed."""

    RETENTION: ClassVar = "kept while the place exists"

    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="spellings")
    folded = models.CharField(max_length=120, db_index=True)
    # As it was written, in its own script; empty for what was learned.
    written = models.CharField(max_length=120, blank=True)
    source = models.CharField(max_length=8, choices=NameSource, default=NameSource.FILE, db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["place", "folded"], name="one_spelling_per_place")]


class HeardSpelling(models.Model):
    """One person wrote these words and then confirmed this place; nobody can tell from it who that was."""

    RETENTION: ClassVar = "deleted after 180 days, or once the words are a name of the place or are judged wrong"

    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="+")
    folded = models.CharField(max_length=60)
    # A keyed hash of contact, place and words: the same person counts once, and two rows of one person differ.
    witness = models.BinaryField(max_length=32)
    heard_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["place", "folded", "witness"], name="heard_once_per_person")
        ]


class RefusedSpelling(models.Model):
    """Words that an administrator judged to be no name of the place; they are not learned again."""

    RETENTION: ClassVar = "kept while the place exists"

    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="+")
    folded = models.CharField(max_length=120)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["place", "folded"], name="refused_once_per_place")]
