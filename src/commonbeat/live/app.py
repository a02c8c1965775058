"""The lean half: gateway webhooks, event streams, tiles and map files on plain ASGI, beside Django."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from commonbeat.config.options import Options
from commonbeat.live.alerts import NearAlerts, serve_alerts
from commonbeat.live.bucket_watch import BucketWatch
from commonbeat.live.data.serving import DataFiles
from commonbeat.live.hooks import hook
from commonbeat.live.http import Receive, Scope, Send, refuse, respond
from commonbeat.live.hub import Hub
from commonbeat.live.maps import serve_map
from commonbeat.live.session import viewer_of
from commonbeat.live.streams import FindViewer, desk_stream
from commonbeat.live.tiles import Tiles, serve_tiles
from commonbeat.live.writer import Writer

_THREADS = 4


class LiveApp:
    """Answer what is_live() names; start() and stop() belong to the event loop's life."""

    def __init__(
        self,
        site: Options,
        *,
        map_folders: Sequence[Path] = (),
        find_viewer: FindViewer = viewer_of,
        on_stored: Callable[[], None] | None = None,
    ) -> None:
        self._site = site
        # The deployer's own map comes before the packaged one of the same name.
        self._map_folders = [site.data_dir / "maps", *map_folders]
        self._find_viewer = find_viewer
        self.writer = Writer(site, on_stored=on_stored)
        self.hub = Hub(site)
        self.buckets = BucketWatch(site)
        self.tiles = Tiles(site, self.buckets)
        self.alerts = NearAlerts(site)
        self._executor = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="live")
        self.files = DataFiles(site, self._executor)

    @staticmethod
    def is_live(path: str) -> bool:
        """Tell whether a path is for this half."""
        return (
            path.startswith(("/hooks/", "/live/", "/tiles/"))
            or path == "/healthz"
            or (path.startswith("/map/") and path.endswith(".pmtiles"))
            or (path.startswith("/data/") and path.endswith((".csv", ".geojson", ".parquet")))
        )

    def start(self) -> None:
        """Start the writer and the hub."""
        self.writer.start()
        self.hub.start()

    def close_streams(self) -> None:
        """End the event streams, so that the server can stop at once."""
        self.hub.close()
        self.files.makings.stop()

    def stop(self) -> None:
        """Store what is queued, and end the threads."""
        self.hub.stop()
        self.buckets.stop()
        self.tiles.stop()
        self.alerts.stop()
        self.writer.stop()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path: str = scope["path"]
        if path.startswith("/hooks/"):
            await hook(self._site, self.writer, self._executor, path[7:], scope, receive, send)
        elif path == "/live/desk":
            await desk_stream(self.hub, self._find_viewer, self._executor, scope, receive, send)
        elif path.startswith("/live/alerts"):
            await serve_alerts(self.alerts, path[12:], scope, send)
        elif path.startswith("/tiles/"):
            await serve_tiles(self.tiles, path[7:], scope, send)
        elif path.startswith("/data/"):
            await self.files.serve(path[6:], scope, receive, send)
        elif path.startswith("/map/"):
            name = path.removeprefix("/map/").removesuffix(".pmtiles")
            await serve_map(self._map_folders, self._executor, name, scope, receive, send)
        elif path == "/healthz":
            await self._health(send)
        else:
            await refuse(send, 404, "There is nothing here.")

    async def _health(self, send: Send) -> None:
        if self.writer.is_running:
            await respond(send, 200, b"ok\n", headers=((b"cache-control", b"no-store"),))
        else:
            await refuse(send, 503, "The writer has stopped.")
