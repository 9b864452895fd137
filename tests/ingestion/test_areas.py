"""In which area a point lies: holes, islands, shared borders, and what is no area at all."""

import json
import math
import time
from pathlib import Path
from random import Random

import polars as pl
import pytest

from ingestion.areas import MUNICIPALITY, SECTOR, Areas, read_areas
from ingestion.demo_city import city
from ingestion.demo_city.areas import SECTORS
from ingestion.errors import UnreadableFileError

_Point = tuple[float | None, float | None]
_Ring = list[list[float]]
_SECTOR = '{"features": [{"properties": {"area_id": "a", "area_type": "sector"}, "geometry": %s}]}'


def _box(west: float, south: float, east: float, north: float) -> _Ring:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def _feature(area_id: str, *polygons: list[_Ring], area_type: str = SECTOR) -> dict[str, object]:
    single = len(polygons) == 1
    geometry = {
        "type": "Polygon" if single else "MultiPolygon",
        "coordinates": polygons[0] if single else list(polygons),
    }
    return {"properties": {"area_id": area_id, "area_type": area_type}, "geometry": geometry}


def _areas(folder: Path, *features: object) -> Areas:
    path = folder / "boundaries.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return read_areas(path)


def _of(areas: Areas, points: list[_Point], area_type: str = SECTOR) -> list[str | None]:
    longitude, latitude = ([point[axis] for point in points] for axis in (0, 1))
    return areas.of(pl.Series(longitude, dtype=pl.Float64), pl.Series(latitude, dtype=pl.Float64), area_type).to_list()


def test_a_point_lies_in_the_area_around_it_or_in_none(tmp_path: Path) -> None:
    areas = _areas(tmp_path, _feature("a", [_box(0, 0, 1, 1)]), _feature("b", [_box(1, 0, 2, 1)]))
    assert _of(areas, [(0.5, 0.5), (1.5, 0.5), (2.5, 0.5), (0.5, -0.5)]) == ["a", "b", None, None]


def test_a_hole_is_outside_and_an_island_in_it_inside(tmp_path: Path) -> None:
    ring = [_box(0, 0, 10, 10), _box(2, 2, 8, 8)]
    areas = _areas(tmp_path, _feature("a", ring, [_box(4, 4, 6, 6)]))
    assert _of(areas, [(1, 1), (3, 3), (5, 5)]) == ["a", None, "a"]


def test_an_area_of_several_parts_is_one_area(tmp_path: Path) -> None:
    areas = _areas(tmp_path, _feature("a", [_box(0, 0, 1, 1)], [_box(5, 5, 6, 6)]), _feature("a", [_box(9, 9, 10, 10)]))
    assert _of(areas, [(0.5, 0.5), (5.5, 5.5), (9.5, 9.5), (3, 3)]) == ["a", "a", "a", None]


def test_a_point_on_a_shared_border_lies_in_exactly_one_area(tmp_path: Path) -> None:
    left, right = [[0.0, 0.0], [1.0, 0.0], [1.3, 1.0], [0.0, 1.0]], [[1.0, 0.0], [2.0, 0.0], [2.0, 1.0], [1.3, 1.0]]
    areas = _areas(tmp_path, _feature("a", [left]), _feature("b", [right]))
    border: list[_Point] = [(1.0 + 0.3 * step / 8, step / 8) for step in range(8)]
    assert set(_of(areas, border)) <= {"a", "b"}
    for name in ("a", "b"):
        alone = Areas({SECTOR: {name: areas.rings[SECTOR][name]}})
        others = Areas({SECTOR: {key: rings for key, rings in areas.rings[SECTOR].items() if key != name}})
        pairs = zip(_of(alone, border), _of(others, border), strict=True)
        assert all((one is None) != (other is None) for one, other in pairs)


def test_where_areas_overlap_the_first_by_name_has_the_point(tmp_path: Path) -> None:
    areas = _areas(tmp_path, _feature("b", [_box(0, 0, 1, 1)]), _feature("a", [_box(0, 0, 2, 2)]))
    assert _of(areas, [(0.5, 0.5)]) == ["a"]


def test_a_point_without_coordinates_lies_nowhere(tmp_path: Path) -> None:
    areas = _areas(tmp_path, _feature("a", [_box(-1, -1, 1, 1)]))
    assert _of(areas, [(None, 0.0), (0.0, None), (None, None), (math.nan, 0.0), (0.0, 0.0)]) == [*[None] * 4, "a"]
    assert _of(areas, []) == []


def test_a_kind_of_area_that_the_file_does_not_have_holds_nothing(tmp_path: Path) -> None:
    areas = _areas(tmp_path, _feature("a", [_box(0, 0, 1, 1)], area_type=MUNICIPALITY))
    assert _of(areas, [(0.5, 0.5)]) == [None]
    assert _of(areas, [(0.5, 0.5)], MUNICIPALITY) == ["a"]


def test_many_points_in_many_jagged_areas_take_no_time() -> None:
    chance = Random(2040)  # noqa: S311 - nothing to guess here
    rings = {f"{number:03}": (_jagged(number % 12, number // 12, 200),) for number in range(115)}
    points: list[_Point] = [(chance.uniform(-1, 13), chance.uniform(-1, 11)) for _ in range(10_000)]
    started = time.process_time()
    found = _of(Areas({SECTOR: rings}), points)
    assert time.process_time() - started < 2
    assert 0.3 < sum(area is not None for area in found) / len(found) < 0.9


def _jagged(x: float, y: float, corners: int) -> list[tuple[float, float]]:
    turns = [2 * math.pi * number / corners for number in range(corners)]
    reach = [0.48 - 0.05 * (number % 2) for number in range(corners)]
    return [
        (x + far * math.cos(turn) + 0.5, y + far * math.sin(turn) + 0.5) for turn, far in zip(turns, reach, strict=True)
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "no GeoJSON"),
        ("[]", "no GeoJSON"),
        ('{"features": [{}]}', "feature 1: needs"),
        (_SECTOR % "null", "feature 1"),
        (_SECTOR % '{"type": "Point", "coordinates": [3, 50]}', "Polygon or MultiPolygon"),
        (_SECTOR % '{"type": "Polygon", "coordinates": [[["x", 50]]]}', "number pairs"),
    ],
)
def test_a_file_that_is_no_boundaries_says_where_it_breaks(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "boundaries.geojson"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnreadableFileError, match=says) as fault:
        read_areas(path)
    assert str(fault.value).startswith("boundaries.geojson")


def test_the_demo_city_is_covered_by_its_sectors_once(tmp_path: Path) -> None:
    areas = read_areas(city.write_boundaries(tmp_path / "boundaries.geojson"))
    chance = Random(7)  # noqa: S311 - idem
    points: list[_Point] = [(chance.uniform(3.18, 3.33), chance.uniform(50.78, 50.87)) for _ in range(2000)]
    assert set(_of(areas, points)) == set(SECTORS)
    assert set(_of(areas, points, MUNICIPALITY)) == {"34022"}
    assert _of(areas, [(3.34, 50.8)], MUNICIPALITY) == [None]
