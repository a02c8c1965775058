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


class PlaceName(models.Model):
    """One spelling of a place, folded for matching across scripts."""

    RETENTION: ClassVar = "kept while the place exists"

    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="spellings")
    folded = models.CharField(max_length=120, db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["place", "folded"], name="one_spelling_per_place")]
