"""Serve a site, or run its worker alone."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from commonbeat.cli.site import bring_up_to_date, load_django
from commonbeat.config.options import PREFIX, Options, OptionsError, prepare_data_dir, read_options
from commonbeat.foundation.net import is_loopback, port_is_free

if TYPE_CHECKING:
    import uvicorn

HALVES = ("pages", "live")


@click.command()
@click.argument("half", required=False, type=click.Choice(HALVES))
@click.option("--host", help="Address to listen on, instead of the setting.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on, instead of the setting.")
def serve(half: str | None, host: str | None, port: int | None) -> None:
    """Serve the site in one process, or one half of it behind a proxy.

    Without HALF: pages, live endpoints and the worker's loops. `pages` and `live` are the halves for load; then run
    `commonbeat work` beside them.
    """
    # The settings read these, so that links and allowed hosts agree with what is listened on.
    if host is not None:
        os.environ[PREFIX + "HOST"] = host
    if port is not None:
        os.environ[PREFIX + "PORT"] = str(port)
    options = read_options()
    check_port(options)
    prepare_data_dir(options)
    load_django()
    for sentence in bring_up_to_date(options):
        click.echo(sentence)
    _run(options, half)


@click.command()
def work() -> None:
    """Run only the worker's loops: understand messages, react, send, do what time has made due."""
    options = read_options()
    prepare_data_dir(options)
    load_django()
    bring_up_to_date(options)
    from commonbeat.worker.run import run_until_stopped

    run_until_stopped(said=lambda: click.echo("The worker runs. Stop it with Ctrl+C."))


def check_port(options: Options) -> None:
    """Raise OptionsError when something already listens where the site would."""
    if port_is_free(options.host, options.port):
        return
    if not _is_own_address(options.host):
        raise OptionsError(
            [f"{options.host} is not an address of this computer. Set COMMONBEAT_HOST to 127.0.0.1, or to 0.0.0.0."]
        )
    raise OptionsError(
        [
            f"Port {options.port} on {options.host} is in use or may not be used. Stop the other program, or choose "
            f"another port: commonbeat serve --port {next_free_port(options)}, or COMMONBEAT_PORT."
        ]
    )


def next_free_port(options: Options) -> int:
    """Find a port that could be used instead."""
    start = max(options.port, 8000)
    for port in range(start + 1, min(start + 100, 65536)):
        if port_is_free(options.host, port):
            return port
    return 8000


def _is_own_address(host: str) -> bool:
    try:
        infos = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        with socket.socket(infos[0][0], infos[0][1], infos[0][2]) as probe:
            probe.bind(infos[0][4])
    except OSError:
        return False
    return True


def _run(options: Options, half: str | None) -> None:
    import uvicorn

    # By name, as every server would: nothing imports what puts the house together.
    house = import_module("commonbeat.config.asgi")
    patience = import_module("commonbeat.config.protocol")
    _allow_many_connections()
    application: Any = house.HALVES[half] if half else house.application
    config = uvicorn.Config(
        application,
        host=options.host,
        port=options.port,
        loop="uvloop",
        http=patience.ImpatientProtocol,
        ws="none",
        lifespan="on",
        # Paths of requests never reach a log.
        access_log=False,
        log_level="warning",
        server_header=False,
        # Our own code counts the trusted proxies.
        proxy_headers=False,
        timeout_graceful_shutdown=2,
        backlog=2048,
    )
    # Uvicorn passes Ctrl+C on once it has stopped in good order.
    with contextlib.suppress(KeyboardInterrupt):
        _announcing_server(config, announcement(options, half)).run()


def _allow_many_connections() -> None:
    # A shell allows 1,024 open files: fewer than the event streams that one process may hold.
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _announcing_server(config: uvicorn.Config, lines: Sequence[str]) -> uvicorn.Server:
    import uvicorn

    class Server(uvicorn.Server):
        """Say where the site is, once it answers there."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started and not self.should_exit:
                click.echo("\n".join(lines))

    return Server(config)


def announcement(options: Options, half: str | None = None) -> list[str]:
    """Say where the site is and, in a demo, who can sign in."""
    parts = {"pages": "the pages", "live": "the live endpoints"}
    lines = [f"{options.site_name} serves {parts.get(half or '', 'everything')}. Stop it with Ctrl+C.", ""]
    listening = f"{options.host}:{options.port}"
    lines.append(f"  Open       {options.site_url}/")
    if half != "live":
        lines.append(f"  Staff      {options.site_url}/account/login/")
    if not options.site_url.endswith(f":{options.port}"):
        lines.append(f"  Listening  {listening}")
    if not is_loopback(options.host) and options.site_url.startswith("http://"):
        lines += ["", "  Others can read along on the way: put a proxy with HTTPS in front, set COMMONBEAT_SITE_URL."]
    accounts = demo_accounts(options)
    if accounts and half != "live":
        lines += ["", "  Demo log-ins (password, then the code that a page of the demo shows for the key):"]
        width = max(len(str(a.get("username", ""))) for a in accounts)
        for account in accounts:
            name, word, key = (str(account.get(k, "")) for k in ("username", "password", "totp_secret"))
            lines.append(f"    {name:<{width}}  {word}  {key:<32}  {account.get('role', '')}")
        sealed = [account for account in accounts if account.get("passphrase")]
        if sealed:
            lines += ["", "  Passphrases of the desk for sealed tips, asked there after signing in:"]
            lines += [f"    {account.get('username', ''):<{width}}  {account['passphrase']}" for account in sealed]
    return [*lines, ""]


def demo_accounts(options: Options) -> list[dict[str, object]]:
    """Read the log-ins of a demo town; none on a real site."""
    try:
        accounts = json.loads((options.data_dir / "demo.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [a for a in accounts if isinstance(a, dict)] if isinstance(accounts, list) else []
