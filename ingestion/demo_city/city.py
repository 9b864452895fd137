"""The demo city: a small synthetic Kortrijk, the same in every run.

Everything here is made up and says so. Its clock stands still on Sunday 22 November 2026.
"""

import json
from pathlib import Path
from typing import Any

from ingestion.demo_city import areas, charging, tickets
from ingestion.demo_city.clock import AS_OF, CLOCK
from ingestion.demo_city.energy import energy_drops
from ingestion.demo_city.files import write
from ingestion.demo_city.indicators import indicator_drops
from ingestion.demo_city.renovation import renovation_drops
from ingestion.demo_city.sites import DEMO_SITES, DemoSite, register_drop

__all__ = [
    "AS_OF",
    "CLOCK",
    "DEMO_SITES",
    "DemoSite",
    "charge_point_locations",
    "charge_sessions",
    "ticket_requests",
    "ticket_updates",
    "write_boundaries",
    "write_drops",
]


def charge_point_locations() -> list[dict[str, Any]]:
    """OCPI 2.2.1 locations of all operators in the demo city."""
    return charging.locations()


def charge_sessions() -> list[dict[str, Any]]:
    """OCPI 2.2.1 CDRs of the five weeks before the demo's clock."""
    return charging.cdrs()


def write_boundaries(path: Path) -> Path:
    """Writes the made-up boundaries of the municipality and its sectors as GeoJSON.

    Returns:
        The file; writing twice gives the same bytes.
    """
    path.write_text(json.dumps(areas.boundaries()) + "\n", encoding="utf-8")
    return path


def ticket_requests() -> list[dict[str, Any]]:
    """GeoReport v2 requests from 1 May 2026 to the demo's clock, what the door must drop included."""
    return tickets.requests()


def ticket_updates() -> list[dict[str, Any]]:
    """The reply log of these requests, as FixMyStreet's extension of GeoReport tells it."""
    return tickets.updates()


def write_drops(folder: Path) -> list[Path]:
    """Writes what suppliers drop as files: the register of buildings, energy meters, renovation coaches, indicators.

    Args:
        folder: the drop folder; a file goes to `<folder>/<source>/<file>`, with `<file>.ready` holding the
            supplier's own time (UTC). Writing twice gives the same bytes.

    Returns:
        The files without their `.ready`, in the order in which the suppliers dropped them.
    """
    drops = [register_drop(), *energy_drops(), *renovation_drops(), *indicator_drops()]
    return [write(drop, folder) for drop in sorted(drops, key=lambda drop: drop.supplied_at)]
