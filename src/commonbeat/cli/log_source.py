"""Read a log from a site's public address."""

from __future__ import annotations

import click
import httpx

from commonbeat.journal.merkle import HASH_BYTES, ReadTile, tile_path, width_of
from commonbeat.journal.notes import MOST_BYTES

_TIMEOUT = httpx.Timeout(20.0)


def fetch(client: httpx.Client, address: str, limit: int = MOST_BYTES) -> bytes:
    """Get what stands at an address; a ClickException says why not."""
    try:
        with client.stream("GET", address) as response:
            if response.status_code != 200:
                raise click.ClickException(f"{address} answers with status {response.status_code}.")
            data = b""
            for part in response.iter_bytes():
                data += part
                if len(data) > limit:
                    raise click.ClickException(f"{address} answers with too much.")
            return data
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise click.ClickException(f"{address} cannot be reached: {type(error).__name__}.") from None


def new_client() -> httpx.Client:
    """Make a client that goes where it is sent and nowhere else."""
    return httpx.Client(timeout=_TIMEOUT, follow_redirects=False)


def tiles_at(client: httpx.Client, address: str, size: int) -> ReadTile:
    """Read the tiles of a log of some size from its public address."""

    def read(level: int, number: int) -> bytes:
        width = width_of(level, number, size)
        path = tile_path(level, number, width)
        return fetch(client, f"{address}/tile/{path}", width * HASH_BYTES)

    return read
