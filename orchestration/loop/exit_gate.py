"""The exit of `measure`: what dbt and the warehouse say is gathered for `orchestration.quality` to judge."""

import duckdb
import polars as pl

from orchestration.loop.transform import Transformed
from orchestration.quality import judge_quality, run_suite
from warehouse.engine import frame
from warehouse.layout import Layout

_OBSERVATIONS = "select * from marts.fct_kpi_observations order by all"


def judge_exit(con: duckdb.DuckDBPyConnection, measured: Transformed, layout: Layout, build_id: str) -> pl.DataFrame:
    """Runs the exit suite and fills `quality.dq_verdict` of this build.

    Returns:
        kpi_id, verdict, reasons (list of text), build_id.
    """
    observations = frame(con, _OBSERVATIONS)
    verdicts = judge_quality(
        measured.manifest,
        measured.run_results,
        run_suite(con.execute(_OBSERVATIONS).df(), layout.quality / build_id, build_id),
        observations,
        frame(con, "select source_name as source, accepted_share from marts.dim_source"),
        frame(con, "select kpi_id, completeness_limit, accepted_limit from marts.dim_target"),
        build_id,
    )
    con.register("judged", verdicts)
    con.execute("delete from quality.dq_verdict")
    con.execute("insert into quality.dq_verdict by name select * from judged")
    return verdicts
