import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from warehouse.engine import CONFIG, WarehouseBusyError, connect

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
    as_dbt_does = duckdb.connect(str(tmp_path / "w.duckdb"), read_only=False, config=dict(CONFIG))
    assert as_dbt_does.execute("select 1").fetchone() == (1,)
    as_dbt_does.close()
    con.close()


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
