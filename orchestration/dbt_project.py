"""Where the dbt project lies, and which of its seeds are a city's.

Belongs here: paths and conventions of the project. Does not belong here: running dbt (`orchestration.loop.transform`).
"""

from pathlib import Path

DBT_PROJECT = Path(__file__).parents[1] / "dbt_project"
_SEEDS = DBT_PROJECT / "seeds"
SHARED = _SEEDS / "shared"


def city_seeds(city: str) -> Path:
    """The folder that holds a city's own seeds: only those that it has."""
    return _SEEDS / city


def seed_paths(city: str) -> list[str]:
    """The folders in which dbt finds the seeds of a city: the shared ones, its own, and an empty one for what it lacks.

    dbt cannot see which files there are, and two seeds of one name are an error: an empty seed has a folder to itself,
    which is named only when the city has none of that name.
    """
    own = city_seeds(city)
    lacking = (path for path in sorted((_SEEDS / "empty").iterdir()) if not (own / f"{path.name}.csv").exists())
    return [path.relative_to(DBT_PROJECT).as_posix() for path in (SHARED, own, *lacking)]
