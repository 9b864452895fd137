"""The demo city: a small synthetic Kortrijk, the same in every run.

Everything here is made up and says so. Its clock stands still on Sunday 22 November 2026.
"""

from pathlib import Path
from typing import Any

from ingestion.demo_city import charging, tickets
from ingestion.demo_city.clock import AS_OF, CLOCK
from ingestion.demo_city.energy import energy_drops
from ingestion.demo_city.files import write
from ingestion.demo_city.indicators import indicator_drops
from ingestion.demo_city.renovation import renovation_drops
from ingestion.demo_city.sites import DEMO_SITES, DemoSite

__all__ = ["AS_OF", "CLOCK", "DEMO_SITES", "DemoSite", "charge_point_locations", "ticket_requests", "write_drops"]


def charge_point_locations() -> list[dict[str, Any]]:
    """OCPI 2.2.1 locations of all operators in the demo city."""
    return charging.locations()


def ticket_requests() -> list[dict[str, Any]]:
    """GeoReport v2 requests from 1 May 2026 to the demo's clock, what the door must drop included."""
    return tickets.requests()


def write_drops(folder: Path) -> list[Path]:
    """Writes what suppliers drop as files: energy meters, renovation coaches, indicators.

    Args:
        folder: the drop folder; a file goes to `<folder>/<source>/<file>`, with `<file>.ready` holding the
            supplier's own time (UTC). Writing twice gives the same bytes.

    Returns:
        The files without their `.ready`, in the order in which the suppliers dropped them.
    """
    drops = [*energy_drops(), *renovation_drops(), *indicator_drops()]
    return [write(drop, folder) for drop in sorted(drops, key=lambda drop: drop.supplied_at)]
