"""GET /static/…: the collected files, from the event loop; only what was there at the start exists."""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from commonbeat.live.http import Receive, Scope, Send, headers_of, refuse
from commonbeat.live.maps import send_file

_KINDS = {
    ".js": "text/javascript",
    ".pmtiles": "application/vnd.pmtiles",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
}
_FOR_EVER = b"public, max-age=31536000, immutable"
_FOR_AN_HOUR = b"public, max-age=3600"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, and its compressed copy if there is one."""

    file: Path
    compressed: Path | None
    kind: bytes
    is_hashed: bool


class Assets:
    """Answer for the files of a folder; security_headers go on every answer."""

    def __init__(self, root: Path, *, url: str, hosts: Sequence[str], security_headers: Mapping[str, str]) -> None:
        self._url = url
        self._hosts = frozenset(hosts)
        self._headers = [(name.lower().encode(), value.encode()) for name, value in security_headers.items()]
        # A table, not paths put together from requests: nothing outside the folder can be named.
        self._assets = _scan(root)
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="asset")

    def has(self, path: str) -> bool:
        """Tell whether a path is for this."""
        return path.startswith(self._url)

    def stop(self) -> None:
        """Read no further file."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asked = headers_of(scope)
        asset = self._assets.get(scope["path"].removeprefix(self._url))
        if not self._knows(asked.get("host", "")):
            await refuse(send, 400, "This site has another name.", self._headers)
        elif scope["method"] not in ("GET", "HEAD"):
            await refuse(send, 405, "Ask for this with GET.", ((b"allow", b"GET, HEAD"), *self._headers))
        elif asset is None:
            await refuse(send, 404, "There is nothing here.", self._headers)
        else:
            await self._send(asset, asked, scope["method"], send)

    async def _send(self, asset: Asset, asked: dict[str, str], method: str, send: Send) -> None:
        headers = [
            (b"content-type", asset.kind),
            (b"cache-control", _FOR_EVER if asset.is_hashed else _FOR_AN_HOUR),
            *self._headers,
        ]
        file = asset.file
        if asset.compressed is not None:
            headers.append((b"vary", b"accept-encoding"))
            if "gzip" in asked.get("accept-encoding", "") and "range" not in asked:
                file = asset.compressed
                headers.append((b"content-encoding", b"gzip"))
        try:
            descriptor = os.open(file, os.O_RDONLY)
        except OSError:
            await refuse(send, 404, "There is nothing here.", self._headers)
            return
        try:
            await send_file(descriptor, self._threads, asked, send, headers, with_body=method == "GET")
        finally:
            os.close(descriptor)

    def _knows(self, host: str) -> bool:
        try:
            return (urlsplit(f"//{host}").hostname or "") in self._hosts
        except ValueError:
            return False


def _scan(root: Path) -> dict[str, Asset]:
    try:
        hashed = set(json.loads((root / "staticfiles.json").read_text("utf-8"))["paths"].values())
    except (OSError, ValueError, KeyError):
        hashed = set()
    files = {str(file.relative_to(root)): file for file in root.rglob("*") if file.is_file()}
    return {
        name: Asset(file=file, compressed=files.get(name + ".gz"), kind=_kind(name), is_hashed=name in hashed)
        for name, file in files.items()
        if name != "staticfiles.json" and not (name.endswith(".gz") and name.removesuffix(".gz") in files)
    }


def _kind(name: str) -> bytes:
    kind = _KINDS.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return (kind + "; charset=utf-8" if kind.startswith("text/") else kind).encode()
