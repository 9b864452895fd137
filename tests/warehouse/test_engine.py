import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from warehouse.engine import CONFIG, WarehouseBusyError, connect
from warehouse.room import Room

Start = Callable[..., subprocess.Popen[str]]


def test_times_are_utc_and_no_extension_is_fetched(tmp_path: Path) -> None:
    con = connect(tmp_path / "w.duckdb")
    settings = dict(
        con.execute("select name, value from duckdb_settings() where name = 'TimeZone' or name like 'auto%'").fetchall()
    )
    assert settings["TimeZone"] == "UTC"
    assert settings["autoinstall_known_extensions"] == settings["autoload_known_extensions"] == "false"
    con.close()


def test_the_file_can_be_opened_as_dbt_opens_it_while_it_is_open(tmp_path: Path) -> None:
    con = connect(tmp_path / "w.duckdb")
    spill = {"temp_directory": str(tmp_path / "w.duckdb.tmp")}
    as_dbt_does = duckdb.connect(str(tmp_path / "w.duckdb"), read_only=False, config=CONFIG | spill)
    assert as_dbt_does.execute("select 1").fetchone() == (1,)
    as_dbt_does.close()
    con.close()


def test_what_does_not_fit_in_the_memory_that_is_set_is_written_where_it_is_told(tmp_path: Path) -> None:
    room = Room("64MB", tmp_path / "spill")
    with connect(tmp_path / "w.duckdb", room=room) as con:
        con.execute("create temp table t as select hash(range) as h, range from range(2_000_000) order by h")
        written = con.execute("select path from duckdb_temporary_files()").fetchall()
        assert con.execute("select count(distinct h) from t").fetchone() == (2_000_000,)
    assert written
    assert all(Path(path).is_relative_to(tmp_path / "spill") for (path,) in written)


def test_without_a_setting_it_is_written_beside_the_file_and_gone_when_that_closes(tmp_path: Path) -> None:
    with connect(tmp_path / "w.duckdb") as con:
        [(spill, limit)] = con.execute(
            "select current_setting('temp_directory'), current_setting('memory_limit')"
        ).fetchall()
        con.execute("set memory_limit = '64MB'")
        con.execute("create temp table t as select hash(range) as h, range from range(2_000_000) order by h")
        assert list((tmp_path / "w.duckdb.tmp").iterdir())
    assert spill == str(tmp_path / "w.duckdb.tmp")
    assert not Path(spill).exists()
    in_all = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    assert float(limit.split()[0]) < 0.75 * in_all


def test_a_second_process_is_told_who_holds_the_file(tmp_path: Path, start: Start) -> None:
    holder = start("holding.py", tmp_path / "w.duckdb")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    with pytest.raises(WarehouseBusyError, match=rf"w\.duckdb is held by process {holder.pid}; wait until it ends"):
        connect(tmp_path / "w.duckdb")
    holder.kill()
    holder.communicate()
    connect(tmp_path / "w.duckdb").close()


def test_the_same_process_is_told_to_close_its_own_connection_first(tmp_path: Path) -> None:
    con = connect(tmp_path / "w.duckdb")
    with pytest.raises(WarehouseBusyError, match="open in this process in another mode"):
        connect(tmp_path / "w.duckdb", read_only=True)
    con.close()
    connect(tmp_path / "w.duckdb", read_only=True).close()


def test_a_file_that_is_no_database_is_not_called_busy(tmp_path: Path) -> None:
    (tmp_path / "w.duckdb").write_text("<html>" * 4000)
    with pytest.raises(duckdb.IOException, match=r"w\.duckdb cannot be opened"):
        connect(tmp_path / "w.duckdb")
