"""What Dagster, dbt and Great Expectations read in the environment: the one module that writes it.

Belongs here: their variables, out of the settings of a profile. Does not belong here: a setting of ours, which is
handed on as a value (`orchestration.settings` reads them).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from orchestration.dbt_project import seed_paths
from orchestration.settings import CITY, HOME, MEMORY, SEEDS, SPILL, WAREHOUSE, Settings


def point_dagster(settings: Settings) -> None:
    """Points this process, and those it starts, at the Dagster of a profile and at that profile."""
    os.environ["DAGSTER_HOME"] = str(settings.layout.dagster)
    os.environ[CITY] = settings.city.name
    os.environ[HOME] = str(settings.layout.root.parent)


def silence_great_expectations() -> None:
    """Keeps it from reporting its use to its makers; it looks when it is imported."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"


@contextmanager
def point_dbt(settings: Settings) -> Iterator[None]:
    """Gives dbt what its own files name, for the time of one command."""
    warehouse, room = settings.layout.warehouse, settings.room
    named = {
        WAREHOUSE: str(warehouse),
        SEEDS: ",".join(seed_paths(settings.city.name)),
        MEMORY: room.memory,
        SPILL: str(room.spill_of(warehouse)),
    }
    before = {name: os.environ.get(name) for name in named}
    os.environ.update(named)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
