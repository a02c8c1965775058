"""Places as H3 cells: 64-bit integers whose top bit is never set, so they fit a signed column.

Reports store the cell of a point at `STORED_RESOLUTION` (13, about 3.6 m from centre to corner). A coarser
cell is then one contiguous range of stored integers, `children_range`, on every database.
"""

import math

import h3.api.basic_int as h3
import numpy as np
import numpy.typing as npt

STORED_RESOLUTION = 13

# Layout of the index, H3 specification "Cell index bit layout": 4 bits of resolution above bit 52, then the
# base cell, then fifteen 3-bit digits, the finest last; unused digits are 7.
_RESOLUTION_SHIFT = 52
_RESOLUTION_MASK = 0xF << _RESOLUTION_SHIFT
_EARTH_RADIUS_M = 6_371_008.8
_MOST_CELLS_NEAR = 50_000


def cell_of(lat: float, lon: float, resolution: int) -> int:
    """Return the cell that contains a point, in degrees; ValueError outside the globe."""
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise ValueError("latitude or longitude out of range")
    return int(h3.latlng_to_cell(lat, lon, resolution))


def resolution_of(cell: int) -> int:
    """Return the resolution of a cell, 0 to 15."""
    return (cell >> _RESOLUTION_SHIFT) & 0xF


def resolutions(cells: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give the resolution of each cell."""
    return (cells >> _RESOLUTION_SHIFT) & 0xF


def parent(cell: int, resolution: int) -> int:
    """Return the ancestor of a cell; ValueError when the resolution is finer than the cell's."""
    if not 0 <= resolution <= resolution_of(cell):
        raise ValueError("a parent is coarser than its cell")
    return (cell & ~_RESOLUTION_MASK) | (resolution << _RESOLUTION_SHIFT) | _digits_below(resolution)


def children_range(cell: int) -> tuple[int, int]:
    """Return the first and last integer, both included, that a descendant at STORED_RESOLUTION can have."""
    resolution = resolution_of(cell)
    if resolution > STORED_RESOLUTION:
        raise ValueError(f"finer than the stored resolution {STORED_RESOLUTION}")
    unused = _digits_below(STORED_RESOLUTION)
    free = _digits_below(resolution) & ~unused
    base = (cell & ~_RESOLUTION_MASK & ~free) | (STORED_RESOLUTION << _RESOLUTION_SHIFT) | unused
    # The largest digit is 6 (binary 110): clear the lowest bit of every free digit.
    return base, base | (free & 0o666666666666666)


def centre(cell: int) -> tuple[float, float]:
    """Return the centre of a cell as (latitude, longitude) in degrees."""
    lat, lon = h3.cell_to_latlng(cell)
    return float(lat), float(lon)


def boundary(cell: int) -> list[tuple[float, float]]:
    """Return the corners of a cell as (latitude, longitude), not closed; longitudes may jump at 180°."""
    return [(float(lat), float(lon)) for lat, lon in h3.cell_to_boundary(cell)]


def parents(cells: npt.NDArray[np.int64] | npt.NDArray[np.uint64], resolution: int) -> npt.NDArray[np.int64]:
    """Return the ancestors of many cells at once; every cell must be at least as fine as the resolution."""
    if not 0 <= resolution <= 15:
        raise ValueError("a resolution is 0 to 15")
    values = cells.astype(np.int64, copy=False)
    if values.size and int(resolutions(values).min()) < resolution:
        raise ValueError("a parent is coarser than its cell")
    return ancestors(values, resolution)


def ancestors(cells: npt.NDArray[np.int64], resolution: int) -> npt.NDArray[np.int64]:
    """Return the ancestors of many cells that are known to be at least as fine as the resolution."""
    kept: npt.NDArray[np.int64] = cells & np.int64(~_RESOLUTION_MASK)
    kept |= np.int64((resolution << _RESOLUTION_SHIFT) | _digits_below(resolution))
    return kept


def near(lat: float, lon: float, metres: float, resolution: int) -> list[int]:
    """Return cells that together cover every point within a radius; ValueError when they are over 50,000."""
    origin = cell_of(lat, lon, resolution)
    edge = float(h3.average_hexagon_edge_length(resolution, unit="m"))
    # Edges differ from the average by less than a third (pentagon neighbours are the smallest); a disk of k
    # rings reaches 1.5·k + 0.5 edges from the middle cell's centre, and the point is up to an edge off it.
    smallest, largest = edge * 0.66, edge * 1.34
    rings = max(1, math.ceil((metres + largest - smallest / 2) / (1.5 * smallest)))
    if 3 * rings * (rings + 1) + 1 > _MOST_CELLS_NEAR:
        raise ValueError("the radius needs too many cells of this resolution")
    reach = metres + largest
    return [cell for cell in map(int, h3.grid_disk(origin, rings)) if distance_m(lat, lon, *centre(cell)) <= reach]


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the great-circle distance of two points in metres."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half = (
        math.sin((phi2 - phi1) / 2) ** 2
        + math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    )
    return 2 * _EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, half)))


def fuzz(lat: float, lon: float, resolution: int) -> tuple[float, float, int]:
    """Return the public place of a point: centre latitude, centre longitude and cell at that resolution."""
    cell = cell_of(lat, lon, resolution)
    return (*centre(cell), cell)


def _digits_below(resolution: int) -> int:
    # All bits of the digits finer than the resolution.
    return (1 << (3 * (15 - resolution))) - 1
