"""What the warehouse remembers of a computation, and what no model makes any more."""

from pathlib import Path

from warehouse.engine import connect
from warehouse.measured import drop_unmade


def test_a_table_that_no_model_makes_any_more_is_gone_and_what_is_no_models_stays(tmp_path: Path) -> None:
    with connect(tmp_path / "warehouse.duckdb") as con:
        con.execute("create schema marts; create schema kpi; create schema landing")
        con.execute("create table marts.fct_a (n int); create table marts.kpi_moved (n int)")
        con.execute("create table kpi.kpi_moved (n int); create table landing.rows (n int)")
        con.execute("create view marts.dim_view as select * from kpi.kpi_moved")
        drop_unmade(con, {("marts", "fct_a"), ("marts", "dim_view"), ("kpi", "kpi_moved")})
        left = con.execute("select schema_name || '.' || table_name from duckdb_tables() order by 1").fetchall()
        assert left == [("kpi.kpi_moved",), ("landing.rows",), ("marts.fct_a",)]
        assert con.execute("select count(*) from marts.dim_view").fetchall() == [(0,)]
