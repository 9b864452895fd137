"""`land_<source>`: one job per source of the city, found by contract."""

import dagster as dg

from orchestration.factories.landing_assets import landing_definitions
from orchestration.settings import read_settings


def definitions() -> dg.Definitions:
    """Assets, checks, jobs, schedules and drop sensors of every source."""
    settings = read_settings()
    return dg.Definitions.merge(
        *(landing_definitions(contract, settings) for contract in settings.contracts().values())
    )
