"""What *measure* costs for one more day of readings: on a month of them, and on years of them.

`make bench`. ROWS=2000000 makes another history than ten million quarters of 57 meters.
"""

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from contracts.registry import all_contracts, city_named
from orchestration.loop.selection import MEASURE, measure
from orchestration.loop.transform import build_models
from orchestration.settings import Settings, read_settings
from tests.dbt.landed_rows import ROWS
from tests.dbt.scanning import rows_scanned
from tests.dbt.warehouses import insert
from warehouse.engine import connect
from warehouse.load import ensure_landing, write_build, write_profile, write_status

READINGS = "landing.energy_meters__readings"
METERS = 57
QUARTERS = 96
TODAY = date(2026, 11, 22)
KNOWN = datetime(2026, 11, 22, 18, tzinfo=UTC)
# every quarter of the days of every meter, oldest first as the loader inserts them
_DAYS = f"""
insert into {READINGS} by name
select
    '54144889' || (1000000000 + meter_no) as ean, '' as meter_id, '' as sub_ean, 'electricity' as carrier,
    'offtake' as direction, 'total' as register, 'kWh' as unit, 'PT15M' as granularity, 4 as quality_rank,
    'fluvius_csv' as source, true as has_check_digit, start_at, start_at + interval 15 minute as end_at,
    (hash(start_at, meter_no) % 1000) / 1000 as value, 'validated' as quality,
    timezone('Europe/Brussels', start_at)::date as reading_date, $batch as batch_id, 1 as line,
    $known::timestamptz as supplied_at, $batch as content_sha256, $known::timestamptz as known_at
from unnest(range(
    timezone('Europe/Brussels', $first::date::timestamp),
    timezone('Europe/Brussels', ($last::date + 1)::timestamp),
    interval 15 minute
)) as quarters (start_at)
cross join unnest(range({METERS})) as meters (meter_no)
order by start_at
"""


@dataclass(frozen=True)
class Cost:
    """One run of *measure* in a process of its own, and what its queries over the readings read."""

    name: str
    history: int
    cpu_seconds: float
    megabytes: float
    scanned: int


def main() -> None:
    """Prints both, side by side."""
    rows = int(os.environ.get("ROWS", "10000000"))
    with TemporaryDirectory(prefix="ademruimte-") as folder:
        costs = [
            _cost("a month", Path(folder) / "month", 31),
            _cost("all of it", Path(folder) / "all", rows // (METERS * QUARTERS)),
        ]
    lines = [f"{'one more day on':<16}{'readings':>12}{'CPU s':>8}{'MB':>7}{'readings read':>16}"]
    lines += [
        f"{cost.name:<16}{cost.history:>12,}{cost.cpu_seconds:>8.1f}{cost.megabytes:>7.0f}{cost.scanned:>16,}"
        for cost in costs
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _cost(name: str, home: Path, days: int) -> Cost:
    settings = read_settings({"ADEMRUIMTE_HOME": str(home), "ADEMRUIMTE_AS_OF": TODAY.isoformat()})
    settings.layout.create()
    newest = TODAY - timedelta(days=1)
    with connect(settings.layout.warehouse) as con:
        _prepare(con)
        _land(con, "b1", newest - timedelta(days=days), newest - timedelta(days=1))
    _measure(home, "first")
    with connect(settings.layout.warehouse) as con:
        _land(con, "b2", newest, newest)
        con.execute("insert into landing.affected values ('energy_meters', 'readings', ?)", [newest])
    cpu_seconds, megabytes = _measure(home, "again")
    with connect(settings.layout.warehouse) as con:
        history = con.execute(f"select count(*) from {READINGS}").fetchall()[0][0]
        return Cost(name, history, cpu_seconds, megabytes, _scanned(con, settings))


def _prepare(con: duckdb.DuckDBPyConnection) -> None:
    ensure_landing(con, all_contracts())
    write_profile(con, city_named("kortrijk"))
    write_build(con, "build-1", TODAY, "kortrijk", is_synthetic=True)
    write_status(con, [(source, KNOWN, None) for source in all_contracts()])
    building = ROWS["buildings", "connections"][0]
    sites = [{"site_id": f"site {no}", "ean": f"54144889{1_000_000_000 + no}"} for no in range(METERS)]
    insert(con, "buildings", "connections", [{**building, **site} for site in sites])


def _land(con: duckdb.DuckDBPyConnection, batch: str, first: date, last: date) -> None:
    con.execute(_DAYS, {"batch": batch, "known": KNOWN, "first": first, "last": last})


def _measure(home: Path, which: str) -> tuple[float, float]:
    """CPU seconds and megabytes at most of *measure*, in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.one_more_day", str(home), which]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    cpu_seconds, megabytes = json.loads(told.stdout.splitlines()[-1])
    return cpu_seconds, megabytes


def _measured(home: str, which: str) -> None:
    settings = read_settings({"ADEMRUIMTE_HOME": home, "ADEMRUIMTE_AS_OF": TODAY.isoformat()})
    build_models(settings, TODAY, MEASURE if which == "first" else partial(measure, changed={"energy_meters"}))
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]) + "\n")


def _scanned(con: duckdb.DuckDBPyConnection, settings: Settings) -> int:
    """How many readings the queries of that day read, of every model and test that *measure* ran."""
    target = settings.layout.dbt / "target"
    manifest = json.loads((target / "manifest.json").read_text("utf-8"))
    ran = json.loads((target / "run_results.json").read_text("utf-8"))["results"]
    nodes = [manifest["nodes"][result["unique_id"]] for result in ran if result["unique_id"] in manifest["nodes"]]
    queries = [
        node["compiled_code"]
        for node in nodes
        if node.get("compiled_code") and node["config"]["materialized"] != "view" and node["resource_type"] != "seed"
    ]
    return sum(rows_scanned(con, query)[READINGS] for query in queries)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        _measured(*sys.argv[1:])
