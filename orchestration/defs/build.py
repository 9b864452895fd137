"""`build`: one in-process job, one at a time, holding the profile's lock for the whole run."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from dagster_dbt import dbt_assets

from orchestration.factories.asking import ask, end_dead_runs, is_unfinished
from orchestration.factories.dbt_assets import DQ_VERDICT, LOADED, STRUCTURE, CityTranslator, dbt_events, manifest_path
from orchestration.factories.landing_assets import landing_key
from orchestration.loop.build import Build, build_lock, is_building
from orchestration.loop.plan import make_plan, why_due
from orchestration.settings import Settings

_SENSOR_SECONDS = 10
BUILD_TAG = {"job": "build"}


@dg.resource(
    description="The build of this run, and the one build lock, held until the run ends.",
    required_resource_keys={"settings"},
)
def this_build(context: dg.InitResourceContext) -> Iterator[Build]:
    """Enters the lock once per run, whatever steps ask for it."""
    settings: Settings = context.resources.settings
    with build_lock(settings):
        yield Build(settings, datetime.now(UTC))


RECOVERED, STAGED, COMMITTED = (dg.AssetKey(["build", name]) for name in ("recovered", "staged", "committed"))
PUBLISHED, OUTBOX = (dg.AssetKey(["build", name]) for name in ("published", "outbox"))


@dg.asset(key=RECOVERED, group_name="build")
def recovered(this_build: dg.ResourceParam[Build]) -> dg.MaterializeResult[Any]:
    """The last committed build, rolled forward if it died before it was published."""
    return dg.MaterializeResult(metadata={"what": this_build.recover()})


def definitions(settings: Settings) -> dg.Definitions:
    """The steps, the job and the sensor that asks for it."""
    manifest = manifest_path(settings.layout.dbt)
    landed = [
        landing_key(source.name, table.name) for source in settings.contracts().values() for table in source.tables
    ]

    @dg.asset(key=LOADED, deps=[RECOVERED, *landed], group_name="build")
    def loaded(this_build: dg.ResourceParam[Build]) -> dg.MaterializeResult[Any]:
        """Committed batches in the landing tables."""
        batches = this_build.load()
        return dg.MaterializeResult(
            metadata={
                "new_batches": len(batches),
                "build_id": this_build.plan.build_id,
                "not_loaded": "\n".join(this_build.not_loaded.values()),
            }
        )

    @dbt_assets(
        name="measure", manifest=manifest, exclude=f"tag:judge {STRUCTURE}", dagster_dbt_translator=CityTranslator()
    )
    def measure(context: dg.AssetExecutionContext, this_build: dg.ResourceParam[Build]) -> Iterator[object]:
        yield from dbt_events(context, this_build.measure())

    @dbt_assets(
        name="judge",
        manifest=manifest,
        select="tag:judge",
        exclude=STRUCTURE,
        dagster_dbt_translator=CityTranslator(),
    )
    def judge(context: dg.AssetExecutionContext, this_build: dg.ResourceParam[Build]) -> Iterator[object]:
        yield from dbt_events(context, this_build.judge())

    @dg.asset(key=DQ_VERDICT, deps=[dg.AssetKey(["marts", "fct_kpi_observations"])], group_name="build")
    def dq_verdict(this_build: dg.ResourceParam[Build]) -> dg.MaterializeResult[Any]:
        """Per KPI whether its data may be trusted, and why not."""
        verdicts = this_build.judge_quality()
        unverified = verdicts.filter(verdicts["verdict"] == "unverified")["kpi_id"].to_list()
        return dg.MaterializeResult(metadata={"kpis": verdicts.height, "unverified": ", ".join(unverified)})

    steps = [recovered, loaded, measure, dq_verdict, judge, staged, committed, published, outbox]
    # views and seeds are no outputs of a run: the one holds nothing of its own, the other is loaded with new code only
    tables = dg.AssetSelection.assets(*steps) - dg.AssetSelection.kind("view") - dg.AssetSelection.groups("seeds")
    job = dg.define_asset_job("build", tables | dg.AssetSelection.checks_for_assets(*steps), tags=BUILD_TAG)
    return dg.Definitions(
        assets=steps, jobs=[job], sensors=[_build_due(job.name)], resources={"this_build": this_build}
    )


@dg.asset(key=STAGED, deps=[dg.AssetKey(["verdicts", "fct_target_verdicts"])], group_name="build")
def staged(this_build: dg.ResourceParam[Build]) -> None:
    """Every store loaded, where no reader looks yet."""
    this_build.stage()


@dg.asset(key=COMMITTED, deps=[STAGED], group_name="build")
def committed(this_build: dg.ResourceParam[Build]) -> dg.MaterializeResult[Any]:
    """The decisions batch: the commit point of a build."""
    return dg.MaterializeResult(metadata={"committed": this_build.commit()})


@dg.asset(key=PUBLISHED, deps=[COMMITTED], group_name="build")
def published(this_build: dg.ResourceParam[Build]) -> dg.MaterializeResult[Any]:
    """The pointer of every store, at this build."""
    this_build.publish()
    return dg.MaterializeResult(metadata={"build_id": this_build.plan.build_id})


@dg.asset(key=OUTBOX, deps=[PUBLISHED], group_name="build")
def outbox(this_build: dg.ResourceParam[Build]) -> dg.MaterializeResult[Any]:
    """Messages that must be sent, each only once."""
    return dg.MaterializeResult(metadata={"new_messages": this_build.outbox()})


def _build_due(job_name: str) -> dg.SensorDefinition:
    @dg.sensor(
        name="build_due",
        job_name=job_name,
        minimum_interval_seconds=_SENSOR_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def build_due(
        context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings]
    ) -> dg.RunRequest | dg.SkipReason:
        """Level-triggered: a burst of batches is one build, and a lost tick is harmless."""
        now = datetime.now(UTC)
        end_dead_runs(context.instance, job_name, lambda: is_building(settings), now)
        if is_unfinished(context.instance, job_name):
            return dg.SkipReason("a build is queued or running")
        reason = why_due(settings, now)
        if reason is None:
            return dg.SkipReason("everything committed is published")
        return ask(context.instance, job_name, make_plan(settings, now).fingerprint, now, due=reason)

    return build_due
