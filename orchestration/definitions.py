"""The code location: every asset, check, job, schedule and sensor of the profile in the environment."""

import dagster as dg

from orchestration.defs import build, landing, sending
from warehouse.layout import close_to_strangers


@dg.definitions
def defs() -> dg.Definitions:
    """What the Dagster UI and its daemon load.

    Every job runs in the process of its run: a process per step would import everything again, and live on when the
    run is killed.
    """
    close_to_strangers()
    rooms = (landing.definitions(), build.definitions(), sending.definitions())
    return dg.Definitions.merge(dg.Definitions(executor=dg.in_process_executor), *rooms)
