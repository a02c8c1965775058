"""How the base map is painted: the light colours and rules of the map in the browser (js/basemap.js)."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from commonbeat.maps.vector_read import LINE, POLYGON, Feature

SEA, EARTH, HALO = "#a9cbcf", "#f5f0e5", "#fffaf0"
_INK, _QUIET = "#453d33", "#6b6052"
_GROUND = {
    "park": "#cfe0bb",
    "forest": "#c2d6b1",
    "meadow": "#dfe6c6",
    "farmland": "#ece7c9",
    "school": "#f2e0c4",
    "hospital": "#f4d8d1",
    "industrial": "#e3dbd0",
    "cemetery": "#cedac4",
    "square": "#fbf4e6",
}
_KINDS = {
    "park": "park grass garden recreation_ground pitch stadium playground park",
    "forest": "forest wood",
    "meadow": "meadow grassland scrub castle",
    "farmland": "farmland orchard",
    "school": "school university",
    "hospital": "hospital",
    "industrial": "industrial railway station bus",
    "cemetery": "cemetery",
    "square": "square pedestrian marketplace",
}
_GROUND_OF = {kind: _GROUND[ground] for ground, kinds in _KINDS.items() for kind in kinds.split()}
_MAJOR = frozenset({"highway", "major_road", "medium_road"})
_MINOR = frozenset({"minor_road", "other"})
_PATH = frozenset({"path", "pedestrian"})
_BASE = 1.6

Stops = tuple[tuple[float, float], ...]


class Rule(NamedTuple):
    """What is painted of a layer, in a colour, or by its kind; lines have a width at some zooms."""

    layer: str
    colour: str | dict[str, str]
    shape: int = POLYGON
    kinds: frozenset[str] = frozenset()
    width: Stops = ()
    nearest: float = 0.0

    def colour_of(self, feature: Feature) -> str:
        """Give the colour of a shape, or nothing where this rule is not for it."""
        if feature.kind != self.shape:
            return ""
        kind = kind_of(feature)
        if self.kinds and kind not in self.kinds:
            return ""
        return self.colour if isinstance(self.colour, str) else self.colour.get(kind, self.colour.get("", ""))


class Writing(NamedTuple):
    """What is written of the layer “places”, in what size, and at which zooms."""

    kinds: frozenset[str]
    colour: str
    size: int
    nearest: float
    farthest: float
    first: int


# What covers the ground, and what lies on it.
LAND = (
    Rule("earth", EARTH),
    Rule("landuse", "#efe6d7", kinds=frozenset({"residential"})),
    Rule("landuse", _GROUND_OF),
    Rule("water", SEA),
)
RULES = (
    Rule("water", SEA, LINE, width=((10, 0.8), (14, 2), (18, 8))),
    Rule("roads", "#cdbfa8", LINE, _PATH, ((13, 0.7), (18, 5)), 14),
    Rule("roads", "#d8cbb5", LINE, _MINOR, ((12, 1), (15, 5.5), (18, 19)), 13),
    Rule("roads", "#d8cbb5", LINE, _MAJOR, ((8, 1.4), (12, 3.4), (15, 9.5), (18, 26))),
    Rule("roads", "#fffdf8", LINE, _MINOR, ((12, 0.7), (15, 4), (18, 16)), 12),
    Rule("roads", "#fbdf9f", LINE, _MAJOR, ((8, 0.8), (12, 2.3), (15, 7), (18, 23))),
    Rule("roads", "#8d8377", LINE, frozenset({"rail"}), ((10, 0.8), (16, 1.6))),
    Rule("buildings", {"": "#dccdb7", "public": "#cfa684"}, nearest=14),
    # The border's colour at 70 % on the ground: paler lines may cross without a darker spot.
    Rule("boundaries", "#bdb09c", LINE, width=((0, 0.8), (6, 1.2))),
)
WRITINGS = (
    Writing(frozenset({"town", "locality", "city"}), _INK, 17, 0, 13.5, 0),
    Writing(frozenset({"country"}), _QUIET, 13, 0, 7.5, 1),
    Writing(frozenset({"village", "hamlet"}), _INK, 14, 11, 21, 2),
    Writing(frozenset({"district", "neighbourhood", "suburb", "macrohood"}), _QUIET, 13, 13, 16.5, 3),
)
LAYERS = frozenset({*(rule.layer for rule in (*LAND, *RULES)), "places"})


def kind_of(feature: Feature) -> str:
    """Give the kind of a shape, under either name that map files use."""
    return str(feature.properties.get("kind") or feature.properties.get("pmap:kind") or "")


def width_at(stops: Stops, zoom: float) -> float:
    """Give a width between its stops, growing as streets do when one comes closer."""
    if not stops:
        return 0.0
    if zoom <= stops[0][0]:
        return stops[0][1]
    for (low, thin), (high, thick) in pairwise(stops):
        if zoom <= high:
            part = float((_BASE ** (zoom - low) - 1) / (_BASE ** (high - low) - 1))
            return thin + part * (thick - thin)
    return stops[-1][1]
