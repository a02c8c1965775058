"""The scores of every place of a topic, made from the published sums alone; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from commonbeat.foundation import cells
from commonbeat.maps import safety
from commonbeat.maps.rating import Summed
from commonbeat.maps.safety import Estimate, Group, Spread
from commonbeat.topics.definition import Field, Scores
from commonbeat.topics.scoring import LIGHTING

# The audits as a whole; no short name of a question can be this.
WHOLE = "*"
# The layer of street lights; a short name of a question has no dot.
LIGHTS: Final = "street.lights"
# An area is the smallest of these around a place that has as many places with audits: 5 km², 36, 250 and 1,770.
AREA_RESOLUTIONS = (7, 6, 5, 4)
FEWEST_PLACES = 5
# A lamp reported so many days ago counts half: most are repaired, and nobody reports that.
LAMP_HALF_LIFE = 90


@dataclass(slots=True)
class Place:
    """One cell: its score, and all that must be told with it."""

    cell: int
    # Audits in the published sums, whatever their age, and those that wait until enough people have rated the place.
    audits: int = 0
    waiting: int = 0
    # Open reports of lamps.
    lamps: int = 0
    # Day numbers of the audits in the sums.
    oldest: int | None = None
    newest: int | None = None
    overall: Estimate | None = None
    # Short name → estimate, in the form's order.
    parameters: dict[str, Estimate] = field(default_factory=dict)
    # Of audits and reported lamps together.
    lights: Estimate | None = None
    # Short name → points that it costs, the most first; nothing for places without audits.
    losses: dict[str, float] = field(default_factory=dict)

    @property
    def costliest(self) -> str:
        """Name the rating that costs most; "" when nothing is known or nothing is lost."""
        first = next(iter(self.losses.items()), ("", 0.0))
        return first[0] if first[1] > 0.5 else ""

    def of_layer(self, layer: str) -> Estimate | None:
        """Give the estimate of a layer: "" for the score, LIGHTS, or a rating's short name."""
        if layer == LIGHTS:
            return self.lights
        return self.overall if layer == "" else self.parameters.get(layer)


@dataclass(frozen=True, slots=True)
class Sheet:
    """All places of a topic that have audits or reported lamps."""

    places: dict[int, Place]
    # The town as a whole: short name, "" or LIGHTS → mean.
    means: dict[str, Estimate]
    # Against how many audits of its area a place's own count.
    strength: float


@dataclass(slots=True)
class _Heap:
    """What a place's sums of one rating add up to."""

    n: int = 0
    # The older half counts less: the discounted number, and the discounted sum in points.
    weight: float = 0.0
    total: float = 0.0
    # Undiscounted, in points.
    all_total: float = 0.0
    all_squares: float = 0.0

    def add(self, row: Summed, scale: float, share: float) -> None:
        self.n += row.n
        self.weight += share * row.n
        self.total += share * row.total * scale
        self.all_total += row.total * scale
        self.all_squares += row.squares * scale**2

    @property
    def mean(self) -> float:
        return self.total / self.weight

    @property
    def group(self) -> Group:
        return Group(self.n, self.all_total, self.all_squares)


def make_sheet(
    *,
    topic_id: int,
    fields: Sequence[Field],
    scores: Scores,
    resolution: int,
    sums: Iterable[Summed],
    waiting: Mapping[int, int],
    today: int,
) -> Sheet:
    """Score every place. `sums` are those of the audits' topic and of topics about lamps; resolution is a place's."""
    weights = {each.code: each.weight or 0.0 for each in fields}
    places: dict[int, Place] = defaultdict(lambda: Place(0))
    heaps: dict[str, dict[int, _Heap]] = defaultdict(lambda: defaultdict(_Heap))
    lamps: dict[int, _Heap] = defaultdict(_Heap)
    at: dict[int, int] = {}
    for row in sums:
        cell = at.get(row.cell) or at.setdefault(row.cell, _at(row.cell, resolution))
        places[cell].cell = cell
        if row.topic_id != topic_id:
            share = safety.age_weight(today - row.newest, LAMP_HALF_LIFE)
            lamps[cell].add(row, safety.points_of(1), share)
            continue
        share = safety.age_weight(today - (row.oldest + row.newest) // 2, scores.half_life_days)
        heaps[row.parameter][cell].add(row, 1.0 if row.parameter == WHOLE else safety.points_of(1), share)
        if row.parameter == WHOLE:
            _date(places[cell], row)
    for cell, n in waiting.items():
        place = places[_at(cell, resolution)]
        place.cell, place.waiting = _at(cell, resolution), place.waiting + n
    for cell, heap in lamps.items():
        places[cell].lamps = heap.n
    found = dict(places)
    return Sheet(found, *_estimate(found, heaps, lamps, weights, scores))


class _Areas:
    """Which area each place is pulled towards: the smallest around it with enough places that have audits."""

    def __init__(self, places: Iterable[int], audited: Iterable[int]) -> None:
        around: dict[int, list[int]] = defaultdict(list)
        for cell in audited:
            for ancestor in _ancestors(cell):
                around[ancestor].append(cell)
        self.members = {ancestor: some for ancestor, some in around.items() if len(some) >= FEWEST_PLACES}
        self.of = {cell: next((each for each in _ancestors(cell) if each in self.members), None) for cell in places}


class _Layer:
    """Means of places, each pulled towards that of its area."""

    def __init__(self, own: Mapping[int, tuple[float, float]], spread: Spread, areas: _Areas) -> None:
        self._own, self._spread, self._areas = own, spread, areas
        self._all = safety.area_of(own.values(), spread)
        self._means = {
            ancestor: safety.area_of((own[cell] for cell in members if cell in own), spread)
            for ancestor, members in areas.members.items()
        }

    def at(self, cell: int) -> Estimate | None:
        """Estimate a place from its own audits; from its area alone where it has none."""
        return self.estimate(cell, *self._own.get(cell, (0.0, 0.0)))

    def estimate(self, cell: int, n: float, mean: float) -> Estimate | None:
        """Estimate a place from so many ratings; None where nobody has rated anything far and wide."""
        ancestor = self._areas.of[cell]
        area = (None if ancestor is None else self._means[ancestor]) or self._all
        return None if area is None else safety.estimate(n, mean, area, self._spread)

    def note_mean(self, means: dict[str, Estimate], name: str) -> None:
        """Note the mean over all places, with the margin of that mean."""
        if self._all is not None:
            means[name] = Estimate(self._all.mean, safety.margin_of(self._all.variance))


def _estimate(
    places: Mapping[int, Place],
    heaps: Mapping[str, Mapping[int, _Heap]],
    lamps: Mapping[int, _Heap],
    weights: Mapping[str, float],
    scores: Scores,
) -> tuple[dict[str, Estimate], float]:
    wholes = heaps.get(WHOLE, {})
    spread = safety.spread_of((heap.group for heap in wholes.values()), strength=scores.strength)
    areas = _Areas(places, wholes)
    means: dict[str, Estimate] = {}
    known: dict[str, dict[int, tuple[float, float]]] = {}
    for code in weights:
        of_this = heaps.get(code, {})
        known[code] = {cell: (heap.weight, heap.mean) for cell, heap in of_this.items() if heap.weight > 0}
        # One strength for all ratings, so that the score is the weighted mean of the ratings that one sees.
        within = safety.spread_of((heap.group for heap in of_this.values()), strength=scores.strength).within
        layer = _Layer(known[code], Spread(within, within / spread.strength), areas)
        layer.note_mean(means, code)
        for cell, place in places.items():
            if (estimate := layer.at(cell)) is not None:
                place.parameters[code] = estimate
        if code == LIGHTING:
            _light(places, of_this, lamps, layer, means)
    overall = {}
    for cell, heap in wholes.items():
        mean = safety.weighted_mean({code: own[cell][1] for code, own in known.items() if cell in own}, weights)
        if mean is not None and heap.weight > 0:
            overall[cell] = (heap.weight, mean)
    layer = _Layer(overall, spread, areas)
    layer.note_mean(means, "")
    for cell, place in places.items():
        place.overall = layer.at(cell)
        if cell in overall and place.overall is not None:
            points = {code: each.score for code, each in place.parameters.items()}
            place.losses = safety.losses(points, weights, place.overall.score)
    return means, spread.strength


def _light(
    places: Mapping[int, Place],
    audited: Mapping[int, _Heap],
    lamps: Mapping[int, _Heap],
    lighting: _Layer,
    means: dict[str, Estimate],
) -> None:
    """Score the street lights: a reported lamp counts as one more rating of the lighting, against the same area."""
    if LIGHTING in means:
        means[LIGHTS] = means[LIGHTING]
    for cell, place in places.items():
        if cell not in lamps:
            place.lights = place.parameters.get(LIGHTING)
            continue
        some = [heaps[cell] for heaps in (audited, lamps) if cell in heaps]
        weight = sum(heap.weight for heap in some)
        mean = sum(heap.total for heap in some) / weight if weight else 0.0
        place.lights = lighting.estimate(cell, weight, mean)


def _ancestors(cell: int) -> list[int]:
    finest = cells.resolution_of(cell)
    return [cells.parent(cell, resolution) for resolution in AREA_RESOLUTIONS if resolution <= finest]


def _at(cell: int, resolution: int) -> int:
    # Sums of before the topic became coarser lie in finer cells.
    return cells.parent(cell, min(resolution, cells.resolution_of(cell)))


def _date(place: Place, row: Summed) -> None:
    place.audits += row.n
    place.oldest = row.oldest if place.oldest is None else min(place.oldest, row.oldest)
    place.newest = row.newest if place.newest is None else max(place.newest, row.newest)
