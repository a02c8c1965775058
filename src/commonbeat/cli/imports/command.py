"""The commands: import ushahidi, file, places, draft-mapping, list, undo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from django.conf import settings
from django.db.models import Count

from commonbeat.cli.imports.draft import draft_mapping
from commonbeat.cli.imports.mapping import Mapping, MappingError, read_mapping
from commonbeat.cli.imports.places import import_places
from commonbeat.cli.imports.records import FileNotReadable
from commonbeat.cli.imports.rows import RowReader, Surroundings
from commonbeat.cli.imports.run import Plan, problems_file, run_import
from commonbeat.cli.imports.source import Columns, Source, open_source
from commonbeat.cli.imports.survey import Survey, near_others, survey
from commonbeat.cli.imports.ushahidi import read_ushahidi
from commonbeat.foundation import clock
from commonbeat.reports.actions.imports import ImportedRow, undo_batch
from commonbeat.reports.models import ImportBatch
from commonbeat.topics.models import Topic

F = TypeVar("F", bound=Callable[..., None])
FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("import")
def import_group() -> None:
    """Bring in reports from other systems, and place names."""


def _shared_options(command: F) -> F:
    for option in (
        click.option("--problems", type=click.Path(path_type=Path), help="Write the rows not taken to this CSV."),
        click.option(
            "--licence", default="", help="What may be done with the data, such as CC BY 4.0; shown in public."
        ),
        click.option("--credit", default="", help="Whose the data are; shown in public beside each report."),
        click.option("--source", default="", help="Name of the origin; the same name and row is the same report."),
        click.option("--dry-run", is_flag=True, help="Read and judge every row, store nothing."),
    ):
        command = option(command)
    return command


@import_group.command("ushahidi")
@click.argument("file", type=FILE)
@click.option("--topic", "topic_code", required=True, help="Code of the topic; it is made when it does not exist.")
@click.option("--time-zone", "zone_name", default="", help="Time zone of the dates, such as America/Port-au-Prince.")
@click.option("--language", default="", help="Language of the reports; the site's first language when not given.")
@_shared_options
def ushahidi(
    file: Path,
    topic_code: str,
    zone_name: str,
    language: str,
    dry_run: bool,
    source: str,
    credit: str,
    licence: str,
    problems: Path | None,
) -> None:
    """Import the CSV export of an Ushahidi deployment; run it again at any time, nothing comes twice."""
    zone = _zone(zone_name)
    try:
        rows = list(read_ushahidi(file, time_zone=zone))
    except FileNotReadable as error:
        raise click.ClickException(str(error)) from None
    seen = survey(rows)
    plan = Plan(
        name=file.name,
        topic_code=topic_code,
        source=(source or f"ushahidi:{topic_code}")[:80],
        credit=credit[:200],
        licence=licence[:120],
        language=language,
        dry_run=dry_run,
        problems=problems,
    )
    run_import(rows, total=len(rows), options=seen.options, places=seen.places(), plan=plan)


@import_group.command("file")
@click.argument("file", type=FILE)
@click.option("--topic", "topic_code", required=True, help="Code of a topic that exists.")
@click.option("--mapping", "mapping_file", type=FILE, required=True, help="Which column is what: docs/importing.md.")
@click.option("--limit", type=click.IntRange(min=1), help="Take only so many rows, to try.")
@_shared_options
def import_file(
    file: Path,
    topic_code: str,
    mapping_file: Path,
    limit: int | None,
    dry_run: bool,
    source: str,
    credit: str,
    licence: str,
    problems: Path | None,
) -> None:
    """Import a CSV table, GeoJSON or a list of JSON objects; run it again at any time, nothing comes twice."""
    topic = _topic(topic_code)
    try:
        mapping = read_mapping(mapping_file)
        opened = open_source(file, mapping)
        around = Surroundings(
            topic.definition, settings.COMMONBEAT.languages, _zone(mapping.date.time_zone), clock.now()
        )
        reader = RowReader(mapping, around)
        click.echo(f"Looking through {file.name} …", err=True)
        seen = _look(opened, reader, limit)
        middle = seen.middle()
        _refuse_swapped(seen, mapping)
        plan = Plan(
            name=file.name,
            topic_code=topic_code,
            source=(source or mapping.source or f"file:{topic_code}")[:80],
            credit=(credit or mapping.credit)[:200],
            licence=(licence or mapping.licence)[:120],
            dry_run=dry_run,
            problems=problems,
        )
        metres = mapping.place.farthest_km * 1000
        rows = (near_others(row, middle, metres) for row in _rows(opened, reader, limit))
        run_import(rows, total=seen.total, options=seen.options, places=seen.places(), plan=plan)
    except (FileNotReadable, MappingError) as error:
        raise click.ClickException(str(error)) from None


@import_group.command("places")
@click.argument("file", type=FILE)
@click.option("--column", "columns", multiple=True, help="What a column is, such as name:sq=EMRI or lat=GJER.")
@click.option("--source", default="places", help="Name of the origin; the same name and id is the same place.")
@click.option("--language", default="", help="Language of names that say none; the site's first when not given.")
@click.option("--encoding", default="", help="Such as windows-1250, where it is not found out.")
@click.option("--delimiter", default="", help="What parts the columns, where it is not found out.")
@click.option("--swap", is_flag=True, help="The file has latitude and longitude the other way round.")
@click.option("--problems", type=click.Path(path_type=Path), help="Write the rows not taken to this CSV.")
@click.option("--dry-run", is_flag=True, help="Read and judge every row, store nothing.")
def places(
    file: Path,
    columns: tuple[str, ...],
    source: str,
    language: str,
    encoding: str,
    delimiter: str,
    swap: bool,
    problems: Path | None,
    dry_run: bool,
) -> None:
    """Bring place names in from CSV or GeoJSON; run it again at any time, nothing comes twice (docs/gazetteer.md)."""
    with problems_file(problems) as write:
        refused = import_places(
            file,
            columns=columns,
            source=source,
            language=language,
            encoding=encoding,
            delimiter=delimiter,
            swap=swap,
            dry_run=dry_run,
        )
        for row in refused:
            write(row)


@import_group.command("draft-mapping")
@click.argument("file", type=FILE)
@click.option("--topic", "topic_code", required=True, help="Code of a topic that exists.")
def draft(file: Path, topic_code: str) -> None:
    """Print a first mapping, guessed from a file's columns and values, to be checked and completed."""
    topic = _topic(topic_code)
    try:
        click.echo(draft_mapping(file, topic.definition), nl=False)
    except FileNotReadable as error:
        raise click.ClickException(str(error)) from None


@import_group.command("list")
def list_imports() -> None:
    """List what has been imported, newest first."""
    batches = ImportBatch.objects.select_related("topic").annotate(reports=Count("rows__report")).order_by("-pk")
    for batch in batches:
        state = "withdrawn" if batch.withdrawn_at else "" if batch.finished_at else "interrupted"
        parts = (str(batch.pk), f"{batch.started_at:%Y-%m-%d %H:%M}", batch.source, f"→ {batch.topic.code}")
        click.echo("  ".join([*parts, f"{batch.reports} reports", batch.licence, state]).rstrip())
    if not batches:
        click.echo("Nothing has been imported.")


@import_group.command("undo")
@click.argument("number", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
def undo(number: int, yes: bool) -> None:
    """Withdraw all reports of one import from public pages and close them; `import list` has the numbers."""
    batch = ImportBatch.objects.filter(pk=number).first()
    if batch is None:
        raise click.ClickException(f"There is no import {number}. See: commonbeat import list")
    if batch.withdrawn_at is not None and not batch.rows.exclude(report=None).exists():
        click.echo(f"Import {number} was withdrawn already, on {batch.withdrawn_at:%Y-%m-%d}.")
        return
    count = batch.rows.exclude(report=None).count()
    question = f"Withdraw the {count} reports of import {number} ({batch.source}), also those that the desk worked on?"
    if not yes:
        click.confirm(question, abort=True)
    closed = 0
    with click.progressbar(length=count, label="Withdrawing") as bar:
        for step in undo_batch(batch_id=number, now=clock.now()):
            closed += step
            bar.update(min(step, count))
    click.echo(f"{closed} reports were closed and are no longer public. The file may be imported again.")


def _look(opened: Source, reader: RowReader, limit: int | None) -> Survey:
    columns, seen = Columns(opened), Survey()
    for record in columns.watch(opened.records()):
        if limit is not None and seen.total == limit:
            break
        seen.look(reader.read(record))
    columns.check(reader.columns())
    return seen


def _rows(opened: Source, reader: RowReader, limit: int | None) -> Iterator[ImportedRow]:
    for count, record in enumerate(opened.records(), start=1):
        if limit is not None and count > limit:
            return
        yield reader.read(record)


def _refuse_swapped(seen: Survey, mapping: Mapping) -> None:
    site = settings.COMMONBEAT.map_latitude, settings.COMMONBEAT.map_longitude
    middle = seen.middle()
    if mapping.place.swap is None and middle and seen.looks_swapped(site):
        north, east = middle
        raise MappingError(
            f"The middle of the file's points is {north:.2f} north, {east:.2f} east; the other way round it would be "
            "near this site's map. Latitude and longitude seem to be swapped. Write swap = true in [place] if they "
            "are, and swap = false if they are right."
        )


def _topic(code: str) -> Topic:
    topic = Topic.objects.select_related("current").filter(code=code, current__isnull=False).first()
    if topic is None:
        codes = ", ".join(Topic.objects.order_by("position", "id").values_list("code", flat=True))
        raise click.ClickException(f"There is no topic “{code}”. There are: {codes or 'none'}.")
    return topic


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or settings.COMMONBEAT.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.UsageError(f"“{name}” is not a time zone; write one such as Europe/Tirane.") from None
