"""Verify messages of the Common Alerting Protocol."""

from __future__ import annotations

from pathlib import Path

import click

from commonbeat.alerts.cap import CapError, moment_text
from commonbeat.alerts.cap_reading import MESSAGE_BYTES, message_in, parse
from commonbeat.alerts.cap_signing import is_certificate, verified
from commonbeat.config.options import read_options
from commonbeat.foundation import clock

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("cap")
def cap_group() -> None:
    """Verify signed alerts."""


@cap_group.command("verify")
@click.argument("file", type=_FILE)
@click.option("--certificate", type=_FILE, help="PEM of the one who should have signed; unless given, this site's own.")
def verify(file: Path, certificate: Path | None) -> None:
    """Tell whether a message was signed by this site, or by a certificate; exit code 1 when not."""
    pem = _certificate(certificate or read_options().data_dir / "keys" / "cap.pem")
    try:
        message = message_in(verified(parse(file.read_bytes(), MESSAGE_BYTES), pem, clock.now()))
    except CapError as error:
        raise click.ClickException(f"This cannot be believed: {error}.") from None
    click.echo(f"Signed. {message.msgType} {message.identifier} of {message.sender}, {moment_text(message.sent)}")


def _certificate(file: Path) -> str:
    try:
        # Our own file holds the private key, too.
        _private, mark, rest = file.read_text("ascii").partition("-----BEGIN CERTIFICATE-----")
    except (OSError, UnicodeDecodeError):
        raise click.ClickException(f"There is no certificate in {file}. Name one with --certificate.") from None
    if not is_certificate(mark + rest):
        raise click.ClickException(f"There is no certificate in {file}.")
    return mark + rest
