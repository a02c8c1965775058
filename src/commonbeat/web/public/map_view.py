"""Which part of the world a map shows, and how one moves over it by links alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from commonbeat.foundation.text import ascii_digits
from commonbeat.maps import tiling
from commonbeat.reports.queries.filters import FilterError

# The picture that stands in for the map, in pixels; old phones show it whole.
WIDTH, HEIGHT = 640, 480
_TILE = 256
NEAREST, FARTHEST = 19, 2


class View(NamedTuple):
    """The middle of a map in degrees, and its zoom."""

    latitude: float
    longitude: float
    zoom: int

    def params(self) -> dict[str, str]:
        """Write the view as parts of an address; four digits are about ten metres."""
        return {"lat": f"{self.latitude:.4f}", "lon": f"{self.longitude:.4f}", "zoom": str(self.zoom)}

    def moved(self, right: float, down: float) -> View:
        """Move by parts of the picture."""
        size = _TILE * 2**self.zoom
        x = tiling.mercator_x(self.longitude) + right * WIDTH / size
        y = tiling.mercator_y(self.latitude) + down * HEIGHT / size
        return View(tiling.latitude_of(min(max(y, 0.0), 1.0)), x % 1.0 * 360 - 180, self.zoom)

    def zoomed(self, by: int) -> View:
        """Go closer, or further away."""
        return self._replace(zoom=min(max(self.zoom + by, FARTHEST), NEAREST))


def read_view(params: Mapping[str, str]) -> View:
    """Read lat, lon and zoom, else the site's own; FilterError where they are none."""
    options = settings.COMMONBEAT
    view = View(
        _number(params.get("lat", ""), options.map_latitude, tiling.EDGE_LATITUDE),
        _number(params.get("lon", ""), options.map_longitude, 180.0),
        int(_number(params.get("zoom", ""), options.map_zoom, 99.0)),
    )
    return view.zoomed(0)


def _number(text: str, otherwise: float, most: float) -> float:
    text = ascii_digits(text.strip())
    if not text:
        return otherwise
    try:
        number = float(text[:30])
    except ValueError:
        number = float("nan")
    if not -most <= number <= most:
        raise FilterError(_("The view of this map cannot be read. Open the map again."))
    return number
