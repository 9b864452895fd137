"""The code location: every asset, check, job, schedule and sensor of the profile in the environment."""

import dagster as dg

from orchestration.defs import build, landing, sending


@dg.definitions
def defs() -> dg.Definitions:
    """What the Dagster UI and its daemon load."""
    return dg.Definitions.merge(landing.definitions(), build.definitions(), sending.definitions())
