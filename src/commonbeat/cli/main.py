"""The command `commonbeat`."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import NamedTuple

import click

from commonbeat.config.options import OptionsError


class Entry(NamedTuple):
    """Where a subcommand lives, and whether the site must be open (Django loaded, database up to date) before."""

    path: str
    summary: str
    opens_site: bool = True


# A new subcommand is one line here. Modules are imported only when asked for, so that starting stays fast.
COMMANDS: dict[str, Entry] = {
    "serve": Entry("commonbeat.cli.serve:serve", "Serve the site: pages, live endpoints and the worker.", False),
    "work": Entry("commonbeat.cli.serve:work", "Run only the worker's loops.", False),
    "begin": Entry("commonbeat.cli.begin:begin", "Make the first desk, topics and administrator of a real site."),
    "demo": Entry("commonbeat.cli.demo.command:demo", "Fill an empty data folder with a demo town."),
    "import": Entry("commonbeat.cli.imports.command:import_group", "Bring in reports from another system's export."),
    "maps": Entry("commonbeat.cli.maps:maps_group", "Count the public map's figures anew."),
    "retention": Entry("commonbeat.cli.retention:retention", "Count what is due for deletion; nothing is changed."),
    "drill": Entry("commonbeat.cli.drill.command:drill", "Send a test alert to people who do not exist."),
    "log": Entry("commonbeat.cli.log:log_group", "Countersign a transparency log, elsewhere than on its site.", False),
    "verify": Entry("commonbeat.cli.verify:verify_group", "Verify the transparency log and its proofs.", False),
    "cap": Entry("commonbeat.cli.cap:cap_group", "Verify signed alerts (CAP).", False),
    "channels": Entry("commonbeat.cli.channels:channels_group", "Connect channels to their providers."),
    "migrate": Entry("commonbeat.cli.site:migrate", "Bring the database and the static files up to date.", False),
    "settings": Entry("commonbeat.cli.settings:settings", "List the settings with their values.", False),
    "doctor": Entry("commonbeat.cli.doctor:doctor", "Check this site and say what is wrong.", False),
}


class LazyGroup(click.Group):
    """Load subcommands from COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the subcommands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Open the site when the subcommand needs it, then import the subcommand."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        if entry.opens_site:
            from commonbeat.cli.site import open_site

            open_site(only_load="--help" in sys.argv)
        module, _colon, name = entry.path.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.command(cls=LazyGroup)
@click.version_option(package_name="commonbeat")
def cli() -> None:
    """Commonbeat: a virtual beat that residents and their local officers share."""


def main() -> None:
    """Run a subcommand; settings and folders that cannot be used end with sentences and exit code 2."""
    # What a site writes, the public copies of pictures too, is for its own account alone.
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "commonbeat.config.settings")
    # numpy's linear algebra is not used; its pool would cost a thread and a stack per core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        cli(prog_name="commonbeat")
    except OptionsError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        sys.exit(2)
