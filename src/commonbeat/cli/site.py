"""Open a site: its folder, its database, its static files."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from commonbeat.config.options import Options, OptionsError, prepare_data_dir, read_options
from commonbeat.foundation.clock import now

COPIES_KEPT = 3


def open_site(*, only_load: bool = False) -> Options:
    """Load Django on the site's folder and bring database and static files up to date.

    only_load=True touches neither folder nor database. OptionsError says what stands in the way.
    """
    options = read_options()
    if not only_load:
        prepare_data_dir(options)
    load_django()
    if not only_load:
        bring_up_to_date(options)
    return options


def load_django() -> None:
    """Load the settings and the applications."""
    import django

    django.setup()


def bring_up_to_date(options: Options) -> list[str]:
    """Apply what is missing and say so, a sentence each; two processes that start together do it once."""
    done = []
    with _alone(options.data_dir):
        migrated = _migrate(options)
        if migrated:
            done.append(migrated)
        if _collect_static(options):
            done.append("The static files were collected and compressed.")
    return done


def unapplied_migrations() -> tuple[int, bool]:
    """Count the migrations that the database lacks, and tell whether it has any at all.

    OptionsError when it cannot be asked or is newer than this code.
    """
    from django.apps import apps
    from django.db import Error, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise OptionsError(
            [
                f"The database cannot be used: {reason}. Check that it runs and COMMONBEAT_DATABASE_URL is right; "
                "with SQLite, check who owns the data folder and that its disk is not full."
            ]
        ) from None
    ours = {config.label for config in apps.get_app_configs() if config.name.startswith("commonbeat.")}
    applied = list(executor.loader.applied_migrations)
    if any(app in ours and (app, name) not in executor.loader.graph.nodes for app, name in applied):
        raise OptionsError(
            [
                "This data folder was last used by a newer Commonbeat. Install that version again, "
                "or restore a backup made with this one."
            ]
        )
    return len(plan), bool(applied)


def _migrate(options: Options) -> str:
    from django.core.management import call_command

    missing, has_any = unapplied_migrations()
    if not missing:
        return ""
    copy = copy_aside(options, at=now()) if has_any else None
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    if not has_any:
        _furnish()
        return "The database was prepared."
    if copy is None:
        return f"The database was brought up to date ({missing} migrations)."
    return f"The database was brought up to date ({missing} migrations). The one before is kept as {copy}."


def _furnish() -> None:
    """Give a new site what it needs to take a report: a desk, and the ready-made topics."""
    from django.db import transaction

    from commonbeat.people.actions import create_unit
    from commonbeat.topics.ready_made import install_ready_made

    with transaction.atomic():
        create_unit(name="Front desk", is_fallback=True, actor_id=None, now=now())
        install_ready_made(now())


def copy_aside(options: Options, *, at: datetime) -> Path | None:
    """Copy a SQLite database into a folder beside it, and keep the newest copies; None with PostgreSQL."""
    if options.database_url:
        return None
    source = options.database_path
    folder = options.data_dir / "before-migration"
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{at:%Y-%m-%dT%H%M%S%f}.sqlite3"
    # SQLite's own backup, not a file copy: what stands only in the write-ahead log belongs to the copy too.
    with contextlib.closing(sqlite3.connect(source)) as from_, contextlib.closing(sqlite3.connect(target)) as to:
        from_.backup(to)
    for old in sorted(folder.glob("*.sqlite3"))[:-COPIES_KEPT]:
        old.unlink()
    return target


def _collect_static(options: Options) -> bool:
    from django.conf import settings
    from django.core.management import call_command

    root = Path(settings.STATIC_ROOT)
    stamp = options.data_dir / "static.stamp"
    wanted = _fingerprint()
    if (root / "staticfiles.json").exists() and stamp.exists() and stamp.read_text() == wanted:
        return False
    stamp.unlink(missing_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(wanted)
    return True


def _fingerprint() -> str:
    # Names, sizes and times: 2 ms for 100 files, where hashing the contents or collecting anew takes seconds.
    from django.contrib.staticfiles.finders import get_finders

    lines = []
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            lines.append(f"{name} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


@contextlib.contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    with (data_dir / ".preparing").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@click.command()
def migrate() -> None:
    """Bring the database and the static files up to date, after copying a SQLite database aside."""
    options = read_options()
    prepare_data_dir(options)
    load_django()
    for sentence in bring_up_to_date(options) or ["Everything is up to date."]:
        click.echo(sentence)
