"""Topics: what can be reported, with form, categories, privacy and workflow."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from django.db import models

from commonbeat.topics.definition import Definition, Publishes, decode, text_in


class Topic(models.Model):
    """Something that can be reported."""

    RETENTION: ClassVar = "kept while the site exists"

    code = models.SlugField(max_length=40, unique=True)
    enabled = models.BooleanField(default=True)
    position = models.PositiveIntegerField(default=0)
    current = models.ForeignKey("TopicVersion", null=True, on_delete=models.PROTECT, related_name="+")
    # As the current version says, where public queries can ask it without reading definitions.
    counts_only = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering: ClassVar = ["position", "id"]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **options: Any) -> None:
        """Store the topic, with what its current version says of publishing."""
        self.counts_only = self.current is not None and self.current.definition.publishes == Publishes.COUNTS
        if options.get("update_fields") is not None:
            options["update_fields"] = {*options["update_fields"], "counts_only"}
        super().save(*args, **options)

    @property
    def definition(self) -> Definition:
        """Give the current version's definition."""
        assert self.current is not None, "a topic has a current version from its making on"
        return self.current.definition

    def name_in(self, language: str) -> str:
        """Give the name in a language."""
        return text_in(self.definition.name, language)


class TopicVersion(models.Model):
    """A topic's definition as it stood: an old report keeps the form that it was made with."""

    RETENTION: ClassVar = "kept while the topic exists"

    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    data = models.JSONField()
    created_at = models.DateTimeField()
    created_by_id = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["topic", "number"], name="one_topic_version")]

    @cached_property
    def definition(self) -> Definition:
        """Decode the stored definition."""
        return decode(self.data)
