"""`land_<source>`: one job per source of the city, found by contract."""

import dagster as dg

from orchestration.factories.landing_assets import landing_definitions
from orchestration.settings import Settings


def definitions(settings: Settings) -> dg.Definitions:
    """Assets, checks, jobs, schedules and drop sensors of every source."""
    return dg.Definitions.merge(
        *(landing_definitions(contract, settings) for contract in settings.contracts().values())
    )
