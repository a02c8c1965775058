"""Name spots after the nearest place of the gazetteer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from shapely import STRtree, points

from commonbeat.places.models import Place

# Further than that a name misleads.
FARTHEST_METRES = 1_500
_METRES_PER_DEGREE = 111_195.0
_MOST_PLACES = 20_000


def nearest_names(spots: Sequence[tuple[float, float]], language: str) -> list[str]:
    """Give for each spot, (latitude, longitude), the name of the nearest place; "" where none is near. One query."""
    if not spots:
        return []
    latitudes = [spot[0] for spot in spots]
    longitudes = [spot[1] for spot in spots]
    margin = FARTHEST_METRES / _METRES_PER_DEGREE
    # One degree of longitude is the shorter, the further from the equator; a town is small enough for one factor.
    narrow = max(0.05, math.cos(math.radians(sum(latitudes) / len(latitudes))))
    places = list(
        Place.objects.filter(
            latitude__range=(min(latitudes) - margin, max(latitudes) + margin),
            longitude__range=(min(longitudes) - margin / narrow, max(longitudes) + margin / narrow),
        ).order_by("id")[:_MOST_PLACES]
    )
    if not places:
        return [""] * len(spots)
    tree = STRtree(points([[place.longitude * narrow, place.latitude] for place in places]))
    here = points(np.array([longitudes, latitudes]).T * [narrow, 1.0])
    found = tree.query_nearest(here, max_distance=margin, all_matches=False)
    names = [""] * len(spots)
    for spot, place in found.T.tolist():
        names[spot] = places[place].name_in(language)
    return names
