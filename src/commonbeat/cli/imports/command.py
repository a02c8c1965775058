"""The command itself: progress, resuming, and an account of every row."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import msgspec
from django.conf import settings

from commonbeat.cli.imports.ushahidi import FileNotReadable, Row, read_ushahidi, recurring_places
from commonbeat.foundation import clock
from commonbeat.reports.actions.imports import Batch, refuse_row, row_batch, take_row
from commonbeat.topics.actions import TopicError, create_topic, revise_topic, set_enabled
from commonbeat.topics.definition import Definition, Option
from commonbeat.topics.models import Topic, TopicVersion

# Rows in one transaction: one fsync for fifty rows, and at most fifty repeated after a kill.
BATCH = 50
OUTCOMES = {
    "published": "published",
    "held": "held for a moderator, because the text names a number, a person, an exact place, a link or an accusation",
    "new": "new on the desk (not approved in the file)",
    "known": "already here from an earlier run",
    "refused": "not taken",
}


@click.group("import")
def import_group() -> None:
    """Bring in reports from other systems."""


@import_group.command("ushahidi")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--topic", "topic_code", required=True, help="Code of the topic; it is made when it does not exist.")
@click.option("--dry-run", is_flag=True, help="Read and judge every row, store nothing.")
@click.option("--source", default="", help="Name of the deployment; the same name and serial is the same report.")
@click.option("--time-zone", "zone_name", default="", help="Time zone of the dates, such as America/Port-au-Prince.")
@click.option("--language", default="", help="Language of the reports; the site's first language when not given.")
@click.option("--problems", type=click.Path(path_type=Path), help="Write the rows that were not taken to this CSV.")
def ushahidi(
    file: Path, topic_code: str, dry_run: bool, source: str, zone_name: str, language: str, problems: Path | None
) -> None:
    """Import the CSV export of an Ushahidi deployment; run it again at any time, nothing comes twice."""
    try:
        zone = ZoneInfo(zone_name or settings.COMMONBEAT.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise click.UsageError(f"“{zone_name}” is not a time zone; write one such as Europe/Tirane.") from None
    try:
        rows = list(read_ushahidi(file, time_zone=zone))
    except FileNotReadable as error:
        raise click.ClickException(str(error)) from None
    source = (source or f"ushahidi:{topic_code}")[:80]
    counts: Counter[str] = Counter()
    refused: list[Row] = []
    mapped = 0
    places = recurring_places(rows)
    is_new = not Topic.objects.filter(code=topic_code).exists()
    try:
        version = None if dry_run else _version(topic_code, rows)
    except TopicError as error:
        raise click.ClickException(f"The topic {topic_code} cannot be made. {error}") from None
    with click.progressbar(length=len(rows), label=f"Reading {file.name}") as bar:
        remaining = iter(rows)
        while batch := list(islice(remaining, BATCH)):
            if version is None:
                outcomes = [_judge(row) for row in batch]
            else:
                keys = [row.key for row in batch]
                with row_batch(source=source, row_keys=keys, version=version, places=places) as held:
                    outcomes = [_take(row, source, version, language or settings.LANGUAGE_CODE, held) for row in batch]
            for row, outcome in zip(batch, outcomes, strict=True):
                counts[outcome] += 1
                if outcome == "refused":
                    refused.append(row)
                elif row.report is not None and row.report.where.latitude is not None:
                    mapped += 1
            bar.update(len(batch))
    if is_new:
        click.echo(
            f"The topic {topic_code} {'would be' if dry_run else 'was'} made; it is not offered to residents until you "
            "do so on the topics page."
        )
    _account(counts, refused, mapped, len(rows), dry_run=dry_run)
    remarked = [row for row in rows if row.report is not None and row.report.remark]
    for row in remarked:
        assert row.report is not None
        click.echo(f"  Row {row.number}: taken without its place. {row.report.remark}")
    if problems is not None:
        _write_problems(problems, refused)


def _version(code: str, rows: list[Row]) -> TopicVersion:
    found = {option.code: option for row in rows for option in row.categories}
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


def _judge(row: Row) -> str:
    if row.report is None:
        return "refused"
    return "published" if row.report.approved else "new"


def _take(row: Row, source: str, version: TopicVersion, language: str, batch: Batch) -> str:
    if row.report is None:
        refuse_row(source=source, row_key=row.key, problem=row.problem, batch=batch)
        return "refused"
    taken = take_row(
        source=source, row_key=row.key, row=row.report, version=version, language=language, now=clock.now(), batch=batch
    )
    return taken.outcome


def _account(counts: Counter[str], refused: list[Row], mapped: int, total: int, *, dry_run: bool) -> None:
    click.echo(f"{total} rows{' (nothing was stored: this was a dry run)' if dry_run else ''}:")
    for outcome, words in OUTCOMES.items():
        if counts[outcome]:
            click.echo(f"  {counts[outcome]:>7} {words}")
    taken = total - counts["refused"]
    click.echo(f"  {mapped} with a place + {taken - mapped} without = {taken} taken")
    for row in refused:
        click.echo(f"  Row {row.number} was not taken: it {row.problem}.")


def _write_problems(path: Path, refused: list[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["row", "key", "problem"])
        writer.writerows([row.number, row.key, row.problem] for row in refused)
    click.echo(f"The {len(refused)} rows that were not taken are listed in {path}.")
