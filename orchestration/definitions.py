"""The code location: everything under `orchestration/defs`."""

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Every asset, check, job, schedule and sensor of the profile in the environment."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent / "defs")
