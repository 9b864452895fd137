"""From a contract to its landing assets, checks, job and trigger; a new source needs no line here."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from contracts.vocabulary import SourceContract, TableContract
from orchestration.factories.asking import ENDED, ask, end_dead_runs, is_unfinished
from orchestration.factories.failures import refusal
from orchestration.loop.dropped import refused_before, rules_on_disk, stamp_of, waiting_files
from orchestration.loop.landed import Landed, Outcome, reasons_in_words
from orchestration.loop.landing import land
from orchestration.loop.locks import is_landing
from orchestration.settings import Settings
from warehouse.batch import TableManifest
from warehouse.lake import Lake
from warehouse.state import State

HONOURS_CONTRACT = "honours_contract"
ARRIVED_ON_TIME = "arrived_on_time"
_ACCEPTED_LIMIT = 0.98
_HONOURS = "At least 98 % of the rows of every delivery were accepted."
_EVERY_MORNING = "0 7 * * *"
_SENSOR_SECONDS = 15
# a run without these was asked for by a person
_STARTED_BY = {"dagster/schedule_name", "dagster/sensor_name"}


def landing_key(source: str, table: str) -> dg.AssetKey:
    """The asset key of a landed table."""
    return dg.AssetKey(["landing", source, table])


def landing_definitions(contract: SourceContract, settings: Settings) -> dg.Definitions:
    """Asset, checks, job and trigger of one source."""
    assets, freshness = _landing_assets(contract, settings), _freshness_check(contract, settings)
    job = dg.define_asset_job(f"land_{contract.name}", dg.AssetSelection.assets(assets), tags={"source": contract.name})
    watch = dg.define_asset_job(f"watch_{contract.name}", dg.AssetSelection.checks(freshness))
    schedules = [_schedule(watch, _EVERY_MORNING, settings)]
    schedules += [_schedule(job, cron, settings) for cron in contract.crons]
    sensors = [_drop_sensor(contract, job.name, settings)] if contract.endings else []
    return dg.Definitions(
        assets=[assets], asset_checks=[freshness], jobs=[job, watch], schedules=schedules, sensors=sensors
    )


def _schedule(job: Any, cron: str, settings: Settings) -> dg.ScheduleDefinition:  # noqa: ANN401 - Dagster hides its type
    return dg.ScheduleDefinition(
        job=job,
        cron_schedule=cron,
        execution_timezone=settings.city.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


def _landing_assets(contract: SourceContract, settings: Settings) -> dg.AssetsDefinition:
    @dg.multi_asset(
        # a step may not have the name of its job
        name=f"{contract.name}_landing",
        specs=[_asset_spec(contract, table) for table in contract.tables],
        check_specs=[_check_spec(contract, table, HONOURS_CONTRACT, _HONOURS) for table in contract.tables],
        pool=f"land_{contract.name}",
    )
    def assets(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        results = land(settings, contract, datetime.now(UTC), is_asked=not _STARTED_BY & context.run.tags.keys())
        for table in contract.tables:
            yield from _materialized(contract, table, results)
            yield _honours_contract(contract, table, results, Lake(settings.layout.lake))
        context.log.info("%s deliveries looked at", len(results))
        _raise_on_refusal(results)

    return assets


def _asset_spec(contract: SourceContract, table: TableContract) -> dg.AssetSpec:
    return dg.AssetSpec(
        landing_key(contract.name, table.name),
        description=table.description,
        group_name=contract.name,
        owners=[contract.owner],
        kinds={"parquet"},
        metadata={"delivers": table.delivers.value, "retention_days": contract.retention.days},
        skippable=True,
    )


def _check_spec(contract: SourceContract, table: TableContract, name: str, description: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(name, asset=landing_key(contract.name, table.name), description=description)


def _freshness_check(contract: SourceContract, settings: Settings) -> dg.AssetChecksDefinition:
    """Looks on a clock, because a silent supplier starts no run of its own."""
    description = f"The supplier was last heard less than {contract.fresh_within} ago."

    @dg.multi_asset_check(
        name=f"{contract.name}_freshness",
        specs=[_check_spec(contract, table, ARRIVED_ON_TIME, description) for table in contract.tables],
    )
    def freshness() -> Iterator[dg.AssetCheckResult]:
        for table in contract.tables:
            yield _arrived_on_time(contract, table, settings)

    return freshness


def _landed_tables(results: list[Landed], table: TableContract) -> list[TableManifest]:
    return [
        result.manifest.tables[table.name]
        for result in results
        if result.outcome is Outcome.LANDED and result.manifest is not None
    ]


def _materialized(
    contract: SourceContract, table: TableContract, results: list[Landed]
) -> Iterator[dg.MaterializeResult[Any]]:
    landed = _landed_tables(results, table)
    if landed:
        yield dg.MaterializeResult(
            asset_key=landing_key(contract.name, table.name),
            metadata={
                "dagster/row_count": sum(each.accepted for each in landed),
                "quarantined": sum(each.quarantined for each in landed),
                "recognised": sum(each.recognised for each in landed),
                "batches": len(landed),
                "warnings": _warnings(results),
            },
        )


def _honours_contract(
    contract: SourceContract, table: TableContract, results: list[Landed], lake: Lake
) -> dg.AssetCheckResult:
    shares = [1 - each.quarantined / each.received for each in _landed_tables(results, table) if each.received]
    refused = [result.message for result in results if result.outcome in {Outcome.REFUSED, Outcome.STANDS}]
    return dg.AssetCheckResult(
        asset_key=landing_key(contract.name, table.name),
        check_name=HONOURS_CONTRACT,
        passed=not refused and min(shares, default=1.0) >= _ACCEPTED_LIMIT,
        severity=dg.AssetCheckSeverity.ERROR if refused else dg.AssetCheckSeverity.WARN,
        metadata={
            "smallest_accepted_share": min(shares, default=1.0),
            "refused": "\n".join(refused),
            "refused_rows": "\n".join(_refused_rows(table, results, lake)),
            # here too: a pull that brings nothing new makes no table, but its clock may be wrong
            "warnings": _warnings(results),
        },
    )


def _refused_rows(table: TableContract, results: list[Landed], lake: Lake) -> Iterator[str]:
    """Of each delivery with refused rows: the file, how many and why, and where they lie."""
    for result in results:
        manifest = result.manifest
        if manifest is None or result.outcome not in {Outcome.LANDED, Outcome.REFUSED}:
            continue
        counts = manifest.tables.get(table.name)
        if counts and counts.quarantined:
            yield (
                f"{result.origin}: {counts.quarantined} of {counts.received} rows refused "
                f"({reasons_in_words(lake, manifest, table.name)}), in {lake.file(manifest, table.name, 'quarantine')}"
            )


def _warnings(results: list[Landed]) -> str:
    return "\n".join(warning for result in results for warning in result.warnings)


def _arrived_on_time(contract: SourceContract, table: TableContract, settings: Settings) -> dg.AssetCheckResult:
    with State(settings.layout.state) as state:
        asked = {row.source: row.last_asked_at for row in state.progress()}
    last = asked.get(contract.name)
    return dg.AssetCheckResult(
        asset_key=landing_key(contract.name, table.name),
        check_name=ARRIVED_ON_TIME,
        passed=last is not None and datetime.now(UTC) - last <= contract.fresh_within,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"last_heard": str(last)},
    )


def _raise_on_refusal(results: list[Landed]) -> None:
    refused = [result.message for result in results if result.outcome is Outcome.REFUSED]
    if refused:
        # what could be landed has landed; a second try brings the same refusal
        raise refusal("\n".join(refused))


def _drop_sensor(contract: SourceContract, job_name: str, settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{contract.name}_drop",
        job_name=job_name,
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def dropped(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Level-triggered: every file that waits is one run, and a lost tick is harmless."""
        now = datetime.now(UTC)
        settings.layout.create()
        end_dead_runs(context.instance, job_name, lambda: is_landing(settings, contract.name), now)
        if is_unfinished(context.instance, job_name):
            return dg.SkipReason("a landing of this source is queued or running")
        waiting = _not_refused_before(contract, settings, now)
        if not waiting:
            return dg.SkipReason("no complete file waits in the drop folder")
        # also a run that succeeded may leave a file behind, where it could not take it away
        return ask(context.instance, job_name, _digest(waiting), now, tried=ENDED)

    return dropped


def _not_refused_before(contract: SourceContract, settings: Settings, now: datetime) -> list[str]:
    """The waiting files as they lie there; one that stands refused counts again only when something changed."""
    with State(settings.layout.state) as state:
        waiting = waiting_files(settings, contract, now)
        refusals = state.refusals(contract.name)
        # the run that would be asked for starts with the code as it lies there, whatever this process started with
        rules = rules_on_disk() if refusals else ""
        new = [file.path for file in waiting if refused_before(state, refusals, file, rules) is None]
        return [f"{path.name} {stamp_of(path)}" for path in new]


def _digest(waiting: list[str]) -> str:
    # a file may be named after a person, and the tags of a run are kept
    return hashlib.sha256(json.dumps(waiting).encode()).hexdigest()
