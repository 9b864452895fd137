"""A column that somebody counts on does not change untold."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.mart_promises import NOTICES, PROMISED, Column, Mart, as_file, broken, described, read_promised
from tests.conftest import ROOT
from tests.orchestration.test_cli import Run, own_logger, run, said  # noqa: F401 - fixtures of the command line

TABLE = "fct_target_verdicts"
BEFORE = {TABLE: Mart(1, {"status": Column("varchar", "Het oordeel"), "value": Column("double", "Waarde")})}


def now(version: int = 1, **columns: Column) -> dict[str, Mart]:
    return {TABLE: Mart(version, {**BEFORE[TABLE].columns, **columns})}


def test_what_was_promised_is_what_is_described() -> None:
    assert read_promised(ROOT / PROMISED) == described(ROOT / "dbt_project" / "models")


def test_every_table_that_readers_see_and_no_other_is_promised() -> None:
    promised = read_promised(ROOT / PROMISED)
    files = [path for part in ("marts", "verdicts") for path in (ROOT / "dbt_project/models" / part).rglob("*.sql")]
    shown = {path.stem for path in files if path.stem.startswith(("dim_", "fct_", "bridge_"))}
    assert promised.keys() == shown


def test_what_is_kept_is_read_back_the_same(tmp_path: Path) -> None:
    file = tmp_path / "promised.csv"
    file.write_bytes(as_file(BEFORE))
    assert read_promised(file) == BEFORE
    assert read_promised(tmp_path / "none.csv") == {}


def test_a_column_or_a_table_that_is_added_breaks_nothing() -> None:
    more = {**now(extra=Column("date", "Dag")), "fct_new": Mart(1, {})}
    assert list(broken(BEFORE, more, "")) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({TABLE: Mart(1, {"value": Column("double", "Waarde")})}, "status was removed or renamed"),
        (now(status=Column("bigint", "Het oordeel")), "status was varchar and is bigint"),
        (now(status=Column("varchar", "Het oordeel van toen")), "status means something else"),
        ({}, "status was removed or renamed"),
    ],
)
def test_a_change_is_told_with_the_pages_that_it_hits_until_the_version_is_raised_and_the_readers_told(
    change: dict[str, Mart], what: str
) -> None:
    first, *_ = broken(BEFORE, change, "")
    assert first.startswith(f"{TABLE}.{what}, which Doelen")
    assert f"set `version: 2` in the meta of {TABLE}" in first
    raised = {name: Mart(2, mart.columns) for name, mart in change.items()}
    assert list(broken(BEFORE, raised, "")), "nobody was told"
    told = f"- {TABLE} 2: de status is een getal.\n"
    assert bool(list(broken(BEFORE, change, told))) == bool(change), "the version is that of before"
    assert list(broken(BEFORE, raised, told)) == []


def test_the_command_names_the_change_and_keeps_what_was_promised(
    tmp_path: Path,
    run: Run,  # noqa: F811 - the fixture
    empty_profile: Callable[..., object],
) -> None:
    promised = tmp_path / PROMISED
    promised.parent.mkdir(parents=True)
    content = (ROOT / PROMISED).read_text("utf-8").replace(f"{TABLE},2,status,varchar", f"{TABLE},2,status,bigint")
    promised.write_text(content, encoding="utf-8")
    settings = empty_profile()
    for command in ("check", "write"):
        folders = ("--folder", str(tmp_path / "pages"), "--staging", str(tmp_path / "staging"))
        done = run(settings, "contracts", command, *folders, "--project", str(tmp_path))
        assert done.exit_code == 1
        assert f"{TABLE}.status was bigint and is varchar, which Doelen" in said(done)
        assert str(NOTICES) in said(done)
    assert promised.read_text("utf-8") == content
