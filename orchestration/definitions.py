"""The code location: every asset, check, job, schedule and sensor of a profile."""

import dagster as dg

from orchestration.defs import build, landing, sending
from orchestration.settings import Settings, read_settings
from warehouse.layout import close_to_strangers


@dg.definitions
def defs() -> dg.Definitions:
    """What the Dagster UI and its daemon load: the profile in the environment."""
    close_to_strangers()
    return definitions_of(read_settings())


def definitions_of(settings: Settings) -> dg.Definitions:
    """All of one profile. What runs gets its settings as a resource.

    Every job runs in the process of its run: a process per step would import everything again, and live on when the
    run is killed.
    """
    ours = dg.Definitions(executor=dg.in_process_executor, resources={"settings": settings})
    rooms = (landing.definitions(settings), build.definitions(settings), sending.definitions(settings))
    return dg.Definitions.merge(ours, *rooms)
