"""One import: progress, resuming, and an account of every row."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
import msgspec
from django.conf import settings

from commonbeat.foundation import clock
from commonbeat.places.gazetteer import known_names
from commonbeat.reports.actions.imports import (
    PUBLISH,
    REJECT,
    ImportedRow,
    Outcome,
    close_batch,
    open_batch,
    take_rows,
)
from commonbeat.reports.gate import screen_public
from commonbeat.reports.models import ImportBatch
from commonbeat.topics.actions import TopicError, create_topic, revise_topic, set_enabled
from commonbeat.topics.definition import Definition, Option
from commonbeat.topics.models import Topic, TopicVersion

# Rows in one transaction: they are stored together, and people who report meanwhile wait a quarter of a second at most.
BATCH = 200
OUTCOMES = {
    "published": "published",
    "held": "held for a moderator, because the text names a number, a person, an exact place, a link or an accusation",
    "new": "new on the desk",
    "rejected": "stored as not taken up",
    "known": "already here, from an earlier run or twice in the file",
    "refused": "not taken",
}
# Lines in the terminal; the file of problems has all.
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """What is brought in, where from, and as what."""

    name: str
    topic_code: str
    source: str
    credit: str = ""
    licence: str = ""
    language: str = ""
    dry_run: bool = False
    problems: Path | None = None


@dataclass(slots=True)
class _Account:
    counts: Counter[str] = field(default_factory=Counter)
    mapped: int = 0
    lines: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, row: ImportedRow, outcome: Outcome) -> None:
        self.counts[outcome.kind] += 1
        if outcome.kind == "refused":
            self._tell(f"  Row {row.number} was not taken: it {outcome.problem}.")
            return
        assert row.report is not None, "what is not refused is a report"
        self.mapped += row.report.where.latitude is not None
        if row.report.remark:
            self._tell(f"  Row {row.number}: taken without its place. {row.report.remark}")

    def _tell(self, line: str) -> None:
        if len(self.lines) < MOST_SHOWN:
            self.lines.append(line)
        else:
            self.more += 1


def run_import(
    rows: Iterable[ImportedRow], *, total: int, options: dict[str, Option], places: frozenset[str], plan: Plan
) -> None:
    """Take in every row, and say what became of each; the topic gets the categories that it lacks."""
    is_new = not Topic.objects.filter(code=plan.topic_code).exists()
    version, batch = None, None
    if not plan.dry_run:
        try:
            version = _version(plan.topic_code, options)
        except TopicError as error:
            raise click.ClickException(f"The topic {plan.topic_code} cannot be made. {error}") from None
        batch = open_batch(
            source=plan.source, topic_id=version.topic_id, credit=plan.credit, licence=plan.licence, now=clock.now()
        )
    account = _Account()
    with (
        problems_file(plan.problems) as write,
        click.progressbar(length=total, label=f"Reading {plan.name}") as bar,
    ):
        for chunk, outcomes in _outcomes(rows, version, batch, places, plan):
            for row, outcome in zip(chunk, outcomes, strict=True):
                account.add(row, outcome)
                if outcome.kind == "refused":
                    write([row.number, row.key, outcome.problem])
            bar.update(len(chunk))
    if is_new:
        click.echo(
            f"The topic {plan.topic_code} {'would be' if plan.dry_run else 'was'} made; it is not offered to residents "
            "until you do so on the topics page."
        )
    _say(account, plan)
    if batch is not None and close_batch(batch_id=batch.pk, now=clock.now()):
        click.echo(f"This is import {batch.pk}. To take all of it back: commonbeat import undo {batch.pk}")


def _outcomes(
    rows: Iterable[ImportedRow],
    version: TopicVersion | None,
    batch: ImportBatch | None,
    places: frozenset[str],
    plan: Plan,
) -> Iterator[tuple[list[ImportedRow], list[Outcome]]]:
    remaining = iter(rows)
    known = places | known_names() if version is None else places
    while chunk := list(islice(remaining, BATCH)):
        if version is None or batch is None:
            yield chunk, [_judge(row, known) for row in chunk]
        else:
            language = plan.language or settings.LANGUAGE_CODE
            yield (
                chunk,
                take_rows(batch=batch, rows=chunk, version=version, language=language, now=clock.now(), places=places),
            )


def _judge(row: ImportedRow, places: Container[str]) -> Outcome:
    if row.report is None:
        return Outcome("refused", row.problem)
    if row.report.state != PUBLISH:
        return Outcome("rejected" if row.report.state == REJECT else "new")
    holds = screen_public(row.report.title, row.report.text, known_places=places).holds
    return Outcome("held" if holds else "published")


def _version(code: str, found: dict[str, Option]) -> TopicVersion:
    now = clock.now()
    topic = Topic.objects.select_related("current").filter(code=code).first()
    if topic is None:
        name = code.replace("-", " ").capitalize()
        definition = Definition(name={"en": name}, categories=sorted(found.values(), key=lambda o: o.code))
        topic = create_topic(code=code, definition=definition, actor_id=None, now=now)
        # Its reports are shown; whether residents may add to them is not for a file to say.
        set_enabled(topic_id=topic.pk, enabled=False, actor_id=None, now=now)
    else:
        topic = _with_categories(topic, found, now)
    assert topic.current is not None, "a topic has a current version from its making on"
    return topic.current


def _with_categories(topic: Topic, found: dict[str, Option], now: datetime) -> Topic:
    known = {option.code for option in topic.definition.categories}
    missing = [option for code, option in sorted(found.items()) if code not in known]
    if not missing:
        return topic
    definition = msgspec.structs.replace(topic.definition, categories=[*topic.definition.categories, *missing])
    return revise_topic(topic_id=topic.pk, definition=definition, actor_id=None, now=now)


def _say(account: _Account, plan: Plan) -> None:
    total = account.counts.total()
    click.echo(f"{total} rows{' (nothing was stored: this was a dry run)' if plan.dry_run else ''}:")
    for outcome, words in OUTCOMES.items():
        if account.counts[outcome]:
            click.echo(f"  {account.counts[outcome]:>7} {words}")
    taken = total - account.counts["refused"]
    click.echo(f"  {account.mapped} with a place + {taken - account.mapped} without = {taken} taken")
    for line in account.lines:
        click.echo(line)
    if account.more:
        click.echo(f"  … and {account.more} more. Name a file with --problems for all rows that were not taken.")
    if plan.problems is not None:
        click.echo(f"The {account.counts['refused']} rows that were not taken are listed in {plan.problems}.")


@contextmanager
def problems_file(path: Path | None) -> Iterator[Any]:
    """Open the file for rows that were not taken, where one is wanted; give what writes one of them."""
    if path is None:
        yield lambda _cells: None
        return
    try:
        handle = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None
    with handle:
        writer = csv.writer(handle)
        writer.writerow(["row", "key", "problem"])
        yield writer.writerow
