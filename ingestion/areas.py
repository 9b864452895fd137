"""In which area a point lies, by the boundaries of the city's own file.

Belongs here: reading boundaries and the point-in-polygon test. Does not belong here: which area a row is
counted for (that is its source's).
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ingestion.errors import UnreadableFileError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]
    Truths = npt.NDArray[np.bool_]

Ring = list[tuple[float, float]]
MUNICIPALITY = "municipality"
SECTOR = "sector"


@dataclass(frozen=True, slots=True)
class Areas:
    """Boundaries by kind of area and area_id.

    Attributes:
        rings: per area_type and area_id every ring of its polygons, holes included, as (longitude,
            latitude) in degrees, WGS 84 (RFC 7946).
    """

    rings: Mapping[str, Mapping[str, tuple[Ring, ...]]]

    def of(self, longitude: pl.Series, latitude: pl.Series, area_type: str) -> pl.Series:
        """The area_id in which each point lies; null outside all areas and for a missing coordinate.

        A point on a shared border lies in one area only: the first by area_id.
        """
        x, y = longitude.cast(pl.Float64).to_numpy(), latitude.cast(pl.Float64).to_numpy()
        found: list[str | None] = [None] * longitude.len()
        for area_id, rings in sorted(self.rings.get(area_type, {}).items()):
            for index in _inside(x, y, rings).nonzero()[0]:
                found[index] = found[index] or area_id
        return pl.Series("area_id", found, dtype=pl.String)


def read_areas(path: Path) -> Areas:
    """Reads a GeoJSON FeatureCollection whose features have `area_id` and `area_type`.

    Raises:
        UnreadableFileError: it is no such file; the message says which feature and why.
    """
    try:
        features = json.loads(path.read_bytes())["features"]
    except (OSError, ValueError, KeyError, TypeError) as broken:
        raise UnreadableFileError("no_boundaries", path.name, why=type(broken).__name__) from None
    rings: dict[str, dict[str, tuple[Ring, ...]]] = defaultdict(dict)
    for number, feature in enumerate(features, start=1):
        area_type, area_id, own = _area(feature, f"{path.name}: feature {number}")
        rings[area_type][area_id] = rings[area_type].get(area_id, ()) + own
    return Areas(rings)


def _area(feature: Any, where: str) -> tuple[str, str, tuple[Ring, ...]]:  # noqa: ANN401 - a stranger's JSON
    try:
        named, geometry = feature["properties"], feature["geometry"]
        return str(named["area_type"]), str(named["area_id"]), tuple(_rings(geometry))
    except (KeyError, TypeError, ValueError, IndexError):
        raise UnreadableFileError("boundary_without_area", where) from None


def _rings(geometry: Mapping[str, Any]) -> Iterator[Ring]:
    if geometry["type"] not in ("Polygon", "MultiPolygon"):
        raise ValueError(geometry["type"])
    sent = geometry["coordinates"]
    for polygon in sent if geometry["type"] == "MultiPolygon" else [sent]:
        for ring in polygon:
            yield [(float(point[0]), float(point[1])) for point in ring]


def _inside(x: "Numbers", y: "Numbers", rings: tuple[Ring, ...]) -> "Truths":
    """Even-odd rule over all rings: a ray to the east crosses an odd number of sides, holes included."""
    # brings a tenth of a second of import that only who asks for places pays
    import numpy as np  # noqa: PLC0415

    inside = np.zeros(x.shape, dtype=np.bool_)
    corners = np.array([corner for ring in rings for corner in ring])
    (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
    # most points lie far from most areas
    near = ((x >= west) & (x <= east) & (y >= south) & (y <= north)).nonzero()[0]
    if near.size:
        inside[near] = _crossed_oddly(x[near], y[near], rings)
    return inside


def _crossed_oddly(x: "Numbers", y: "Numbers", rings: tuple[Ring, ...]) -> "Truths":
    import numpy as np  # noqa: PLC0415 - idem

    inside = np.zeros(x.shape, dtype=np.bool_)
    for ring in rings:
        for side in zip(ring, ring[1:] + ring[:1], strict=True):
            # a shared border runs the other way in the other area, and must be rounded the same
            (x1, y1), (x2, y2) = sorted(side)
            # half open, so that a corner is crossed once and a shared border belongs to one side
            crosses = (y1 > y) != (y2 > y)
            if crosses.any():
                inside ^= crosses & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return inside
