"""Check a site and say what is wrong."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from commonbeat.cli.serve import check_port
from commonbeat.cli.site import load_django, unapplied_migrations
from commonbeat.config.options import PREFIX, Options, OptionsError, read_options


@click.command()
def doctor() -> None:
    """Check data folder, keys, database, migrations, pictures, port, channels; exit code 1 when one is wrong."""
    options = read_options()
    in_force = _with_stored(options)
    wrong = 0
    for check in (
        check_folder,
        check_key,
        check_database,
        check_pictures,
        check_port_state,
        check_channels,
        check_stored_settings,
        check_delivery,
        check_retention,
        check_log,
        check_mail,
        check_safety,
    ):
        for sentence in _results(check, in_force):
            mark = "ok   " if sentence.startswith("✓") else "WRONG"
            wrong += mark == "WRONG"
            click.echo(f"{mark}  {sentence.removeprefix('✓').strip()}")
    if wrong:
        click.echo(f"{wrong} of these need your attention.", err=True)
        sys.exit(1)
    click.echo("This site is well.")


def _results(check: Callable[[Options], Iterator[str]], options: Options) -> Iterator[str]:
    try:
        yield from check(options)
    except OptionsError as error:
        yield from error.problems


def check_folder(options: Options) -> Iterator[str]:
    """Check that the data folder exists, is ours alone and has room."""
    import os
    import shutil

    folder = options.data_dir
    if not folder.is_dir():
        yield f"There is no data folder {folder}. `commonbeat serve` makes one, or set COMMONBEAT_DATA_DIR."
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield f"The data folder {folder} cannot be written. Make it writable for the user who runs Commonbeat."
        return
    free = shutil.disk_usage(folder).free
    if free < 500_000_000:
        yield f"The disk of {folder} has only {free // 1_000_000} MB left. Make room before reports are refused."
    else:
        yield f"✓ The data folder {folder} can be written; {free // 1_000_000_000} GB are free."


def check_key(options: Options) -> Iterator[str]:
    """Check that the kept secret key is there and that only its owner reads it."""
    file: Path = options.data_dir / "secret_key"
    if not file.exists():
        yield f"There is no secret key in {options.data_dir}. It is made on the first start; keep it with every backup."
    elif file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield f"Others can read {file}. Close it: chmod 600 {file}"
    else:
        yield "✓ The secret key is kept, and only its owner can read it."


def check_database(options: Options) -> Iterator[str]:
    """Check that the database answers and has this version's tables."""
    kind = "PostgreSQL" if options.database_url else "SQLite"
    if not options.database_url and not options.database_path.exists():
        yield "There is no database yet. `commonbeat migrate` or `commonbeat serve` makes one."
        return
    load_django()
    missing, _has_any = unapplied_migrations()
    if missing:
        yield f"The {kind} database lacks {missing} migrations. Run `commonbeat migrate`."
        return
    yield f"✓ The {kind} database answers and is up to date."
    from commonbeat.people.models import Role, Unit, User
    from commonbeat.topics.models import Topic

    if not User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).exists():
        yield "Nobody administers this site yet. Run `commonbeat begin --administrator NAME`."
    elif not Unit.objects.exists() or not Topic.objects.filter(enabled=True, current__isnull=False).exists():
        yield "There is no desk or no topic, so nothing can be reported. Run `commonbeat begin`, or make them on pages."
    else:
        yield "✓ There are a desk, topics and an administrator."


def check_pictures(options: Options) -> Iterator[str]:
    """Check that no files of pictures are left over from a crash; the worker deletes them within nine hours."""
    if not _has_tables(options):
        return
    from commonbeat.foundation import clock
    from commonbeat.media.strays import folders, strays

    folder, now = options.data_dir, clock.now()
    count = sum(len(strays([name], data_dir=folder, now=now)) for name in folders(data_dir=folder))
    if count:
        yield f"{count} picture files belong to no report. A running worker deletes them within nine hours."
    else:
        yield "✓ Every picture file belongs to a report or a draft."


def check_port_state(options: Options) -> Iterator[str]:
    """Check whether the port is free, or used by this very site."""
    try:
        check_port(options)
    except OptionsError as error:
        if _answers(options):
            yield f"✓ The site answers on {options.host}:{options.port}."
        else:
            yield from error.problems
    else:
        yield f"✓ Port {options.port} on {options.host} is free."


def _answers(options: Options) -> bool:
    import httpx

    host = "127.0.0.1" if options.host in {"0.0.0.0", "::"} else options.host  # noqa: S104  # compared, not bound
    try:
        answer = httpx.get(f"http://{host}:{options.port}/", timeout=3, follow_redirects=False)
    except httpx.HTTPError:
        return False
    return answer.status_code < 500 and "content-security-policy" in answer.headers


def check_channels(options: Options) -> Iterator[str]:
    """Check that the channel that answers residents is known and set up."""
    load_django()
    from commonbeat.messaging.channel import channels, setup_of

    needed = {
        code: setup_of(channel)
        for code, channel in channels().items()
        if channel.limits.address_kind == "phone" and channel.limits.in_parts and setup_of(channel).to_send
    }
    setup = needed.get(options.sms_channel)
    if setup is None:
        yield f"COMMONBEAT_SMS_CHANNEL is “{options.sms_channel}”; write one of {', '.join(needed)}."
        return
    if options.sms_channel == "demo_sms":
        yield "✓ Texts are only shown on the demo's telephone; no gateway is set up."
        return
    missing = [
        f"{PREFIX}{name.upper()}"
        for name in dict.fromkeys((*setup.to_send, *setup.to_receive))
        if not getattr(options, name)
    ]
    if missing:
        where = "in the environment or on Administration → Channels"
        yield f"{options.sms_channel} cannot send and receive: set {', '.join(missing)}, {where}."
    else:
        yield f"✓ {options.sms_channel} is set up."


def check_delivery(options: Options) -> Iterator[str]:
    """Check that gateways answer, that who takes over can, and that a spending limit knows prices."""
    if not _has_tables(options):
        return
    from commonbeat.foundation import clock
    from commonbeat.messaging import policy
    from commonbeat.messaging.queries import channel_lines
    from commonbeat.messaging.rules import pairs

    for code, other in pairs(options.send_fallbacks).items():
        if policy.fallback_of(code) is None:
            yield f"{other} cannot take over from {code}: both must be channels for the same kind of address."
    if (options.daily_limit or options.monthly_limit) and options.sms_channel not in pairs(options.send_prices):
        yield f"A spending limit is set, and no price of {options.sms_channel}: set COMMONBEAT_SEND_PRICES."
    down = [line for line in channel_lines(now=clock.now()) if line.is_down]
    for line in down:
        waiting = line.replies + line.bulk
        yield f"{line.code} has not answered since {line.failing_since:%Y-%m-%d %H:%M} UTC; {waiting} messages wait."
    if not down:
        yield "✓ No gateway is known to be out of order."


def check_retention(options: Options) -> Iterator[str]:
    """Check that what is due for deletion has been deleted lately."""
    if not _has_tables(options):
        return
    from commonbeat.foundation import clock
    from commonbeat.journal.queries import cursor_position
    from commonbeat.reactions.retention import CURSOR

    behind = int(clock.now().timestamp()) // 3600 - cursor_position(CURSOR)
    if cursor_position(CURSOR) > 0 and behind > 48:
        yield f"What is past its time was last deleted {behind // 24} days ago. Run a worker: see docs/retention.md."
    else:
        yield "✓ What is past its time is deleted."


def check_log(options: Options) -> Iterator[str]:
    """Check that the transparency log takes in what is new and signs it."""
    if not _has_tables(options):
        return
    from commonbeat.foundation import clock
    from commonbeat.journal.log_queries import stands_still

    if stands_still(clock.now()):
        yield "The transparency log stands still. Run a worker; if one runs, look at `commonbeat verify site`."
    else:
        yield "✓ The transparency log is up to date."


def check_mail(options: Options) -> Iterator[str]:
    """Check that a site with an address for mail has a way in and a way out."""
    if not options.mail_address:
        return
    if not options.mail_smtp_host:
        yield "E-mail cannot be sent: set COMMONBEAT_MAIL_SMTP_HOST."
    if not (options.mail_lmtp_port or options.mail_imap_host):
        yield "E-mail cannot be received: set COMMONBEAT_MAIL_LMTP_PORT or COMMONBEAT_MAIL_IMAP_HOST."
    elif options.mail_smtp_host:
        yield f"✓ E-mail to {options.mail_address} is set up."


def check_safety(options: Options) -> Iterator[str]:
    """Check what must not be so on a real site."""
    local = options.site_url.startswith(("http://127.", "http://localhost", "http://[::1]"))
    if options.demo and not local:
        yield "The demo's helpers are on and the site is public. Set COMMONBEAT_DEMO=no."
    elif not options.require_mfa and not local:
        yield "Staff may sign in with a password alone. Set COMMONBEAT_REQUIRE_MFA=yes."
    elif not local and not options.site_url.startswith("https://"):
        yield "COMMONBEAT_SITE_URL has no https: passwords and reports can be read on the way."
    else:
        yield "✓ Nothing of the demo is open to the public."


def check_stored_settings(options: Options) -> Iterator[str]:
    """Check that what was set on the pages of channels can be used."""
    if not _has_tables(options):
        return
    from commonbeat.messaging.in_force import faults_in_force, names_set_on_pages

    faults = faults_in_force()
    for name, sentence in sorted(faults.items()):
        yield f"{PREFIX}{name.upper()}, set on the page of its channel, is not used. {sentence}"
    used = sorted(names_set_on_pages())
    if used and not faults:
        named = ", ".join(f"{PREFIX}{name.upper()}" for name in used)
        yield f"✓ Set on the pages of channels: {named}."


def _with_stored(options: Options) -> Options:
    try:
        if not _has_tables(options):
            return options
    except OptionsError:
        # check_database says what it is.
        return options
    from commonbeat.messaging.in_force import options_in_force, refresh

    refresh()
    return options_in_force()


def _has_tables(options: Options) -> bool:
    # What it says otherwise is check_database's to say.
    if not options.database_url and not options.database_path.exists():
        return False
    load_django()
    return not unapplied_migrations()[0]
