"""From a contract to its landing assets, checks, job and trigger; a new source needs no line here."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from contracts.vocabulary import Every, SourceContract, TableContract
from orchestration.loop.landing import Landed, Outcome, land, waiting_files
from orchestration.settings import Settings
from warehouse.lake import TableManifest
from warehouse.state import State

HONOURS_CONTRACT = "honours_contract"
ARRIVED_ON_TIME = "arrived_on_time"
_ACCEPTED_LIMIT = 0.98
_SENSOR_SECONDS = 15


def landing_key(source: str, table: str) -> dg.AssetKey:
    """The asset key of a landed table."""
    return dg.AssetKey(["landing", source, table])


def landing_definitions(contract: SourceContract, settings: Settings) -> dg.Definitions:
    """Asset, checks, job and trigger of one source."""
    assets = _landing_assets(contract, settings)
    job = dg.define_asset_job(f"land_{contract.name}", dg.AssetSelection.assets(assets), tags={"source": contract.name})
    if isinstance(contract.trigger, Every):
        schedule = dg.ScheduleDefinition(
            job=job,
            cron_schedule=contract.trigger.cron,
            execution_timezone=settings.city.time_zone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
        return dg.Definitions(assets=[assets], jobs=[job], schedules=[schedule])
    return dg.Definitions(assets=[assets], jobs=[job], sensors=[_drop_sensor(contract, job.name, settings)])


def _landing_assets(contract: SourceContract, settings: Settings) -> dg.AssetsDefinition:
    @dg.multi_asset(
        # a step may not have the name of its job
        name=f"{contract.name}_landing",
        specs=[_asset_spec(contract, table) for table in contract.tables],
        check_specs=[spec for table in contract.tables for spec in _check_specs(contract, table)],
        pool=f"land_{contract.name}",
    )
    def assets(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        results = land(settings, contract, datetime.now(UTC))
        for table in contract.tables:
            yield from _materialized(contract, table, results)
            yield _honours_contract(contract, table, results)
            yield _arrived_on_time(contract, table, settings)
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
        skippable=True,
    )


def _check_specs(contract: SourceContract, table: TableContract) -> list[dg.AssetCheckSpec]:
    key = landing_key(contract.name, table.name)
    return [
        dg.AssetCheckSpec(
            HONOURS_CONTRACT, asset=key, description="At least 98 % of the rows of every delivery were accepted."
        ),
        dg.AssetCheckSpec(
            ARRIVED_ON_TIME, asset=key, description=f"The newest delivery is younger than {contract.fresh_within}."
        ),
    ]


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
                "batches": len(landed),
            },
        )


def _honours_contract(contract: SourceContract, table: TableContract, results: list[Landed]) -> dg.AssetCheckResult:
    shares = [1 - each.quarantined / each.received for each in _landed_tables(results, table) if each.received]
    refused = [result.message for result in results if result.outcome is Outcome.REFUSED]
    return dg.AssetCheckResult(
        asset_key=landing_key(contract.name, table.name),
        check_name=HONOURS_CONTRACT,
        passed=not refused and min(shares, default=1.0) >= _ACCEPTED_LIMIT,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"smallest_accepted_share": min(shares, default=1.0), "refused": "\n".join(refused)},
    )


def _arrived_on_time(contract: SourceContract, table: TableContract, settings: Settings) -> dg.AssetCheckResult:
    with State(settings.layout.state) as state:
        asked = {row.source: row.last_asked_at for row in state.progress()}
    last = asked.get(contract.name)
    return dg.AssetCheckResult(
        asset_key=landing_key(contract.name, table.name),
        check_name=ARRIVED_ON_TIME,
        passed=last is not None and datetime.now(UTC) - last <= contract.fresh_within,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"last_delivery": str(last)},
    )


def _raise_on_refusal(results: list[Landed]) -> None:
    refused = [result.message for result in results if result.outcome is Outcome.REFUSED]
    if refused:
        # what could be landed has landed; a second try brings the same refusal
        raise dg.Failure("\n".join(refused), allow_retries=False)


def _drop_sensor(contract: SourceContract, job_name: str, settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{contract.name}_drop",
        job_name=job_name,
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def dropped(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        fresh = _not_refused_before(contract, settings)
        if not fresh:
            return dg.SkipReason("no complete file waits in the drop folder")
        key = "|".join(sorted(fresh))
        if key == context.cursor:
            return dg.SkipReason("these files were asked for already")
        context.update_cursor(key)
        return dg.RunRequest()

    return dropped


def _not_refused_before(contract: SourceContract, settings: Settings) -> list[str]:
    """The waiting files as name and time; a refused one counts again only when it was changed."""
    settings.layout.create()
    with State(settings.layout.state) as state:
        refused = {(row.origin, row.refused_at) for row in state.refusals() if row.source == contract.name}
    waiting = waiting_files(settings, contract, datetime.now(UTC))
    return [
        f"{file.path.name}@{changed:%Y%m%dT%H%M%S%f}"
        for file in waiting
        if (changed := datetime.fromtimestamp(file.path.stat().st_mtime, UTC))
        and not any(name == file.path.name and at >= changed for name, at in refused)
    ]
