"""A token and a person's identifiers, planted wherever a supplier can put them, are found nowhere afterwards.

Landing is always tried, with a few files of every source. Every column of every file, the build, the messages and
Dagster's own storage take minutes, and are tried when `CANARY=full`, as `make canary` does.
"""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ingestion.demo_city import city as demo_city
from ingestion.demo_city.suppliers import ocpi_supplier, open311_supplier
from orchestration.loop.landing import Landed, Outcome, land
from orchestration.settings import Settings, read_settings
from tests.canary.planting import (
    E_MAIL,
    FORMS,
    IDENTIFIERS,
    NATIONAL_NUMBER,
    TOKEN,
    full_of_them,
    over_long,
    planted,
    planted_objects,
)
from tests.canary.scanning import found_in
from warehouse.lake import Lake

ROOT = Path(__file__).parents[2]
NOW = demo_city.CLOCK + timedelta(hours=12)
IS_FULL = os.environ.get("CANARY") == "full"
LARGEST_TO_PLANT = 300_000


@contextmanager
def serving(status: int, body: bytes, headers: Mapping[str, str]) -> Iterator[str]:
    """A supplier that repeats what it was sent and more, and whose own address holds a token."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in (headers | {"X-Echo": f"{self.path} {TOKEN} {E_MAIL}"}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name the library calls

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://gebruiker:{TOKEN}@127.0.0.1:{server.server_address[1]}/lijst?api_key={TOKEN}&wie={E_MAIL}"
    finally:
        server.shutdown()
        server.server_close()


def environment(home: Path, **urls: str) -> dict[str, str]:
    """Settings of a profile; every supplier is asked with the token."""
    named = {f"ADEMRUIMTE_{source.upper()}_URL": url for source, url in urls.items()}
    tokens = {f"ADEMRUIMTE_{source.upper()}_TOKEN": TOKEN for source in urls}
    since = {"ADEMRUIMTE_TICKETS_1777_SINCE": "2026-05-01", "ADEMRUIMTE_CHARGE_POINTS_SESSIONS": "1"}
    return {"ADEMRUIMTE_HOME": str(home), "ADEMRUIMTE_AS_OF": "2026-11-22", **since, **named, **tokens}


def put(settings: Settings, source: str, name: str, content: bytes) -> None:
    folder = settings.layout.drop(source)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    (folder / f"{name}.ready").write_text(demo_city.CLOCK.isoformat(), encoding="utf-8")


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, bytes]]]:
    """By source what the demo's suppliers drop: one small file of every shape."""
    folder = tmp_path_factory.mktemp("originals")
    found: dict[str, dict[tuple[object, ...], tuple[str, bytes]]] = {}
    for path in sorted(demo_city.write_drops(folder), key=lambda path: path.stat().st_size, reverse=True):
        content = path.read_bytes()
        shape = (path.suffix, content.partition(b"\n")[0] if path.suffix == ".csv" else b"")
        if len(content) <= LARGEST_TO_PLANT:
            found.setdefault(path.parent.name, {})[shape] = (path.name, content)
    return {source: list(files.values()) for source, files in found.items()}


def named(name: str, at: int | str) -> str:
    """Another name of the same shape, with a person in it."""
    stem, ending = name.rsplit(".", 1)
    return f"{stem}_{at}_{NATIONAL_NUMBER.replace('.', '-')}.{ending}"


def rounds(originals: dict[str, list[tuple[str, bytes]]]) -> Iterator[list[tuple[str, str, bytes]]]:
    """What is dropped together: source, name and content; a name stays what its source asks for.

    Every column of every shape of file, long cells, files full of persons, files that are no files, and files
    that are named after a person.
    """
    files = [(source, name, content) for source, found in originals.items() for name, content in found]
    queues = {(source, name): [content, *_hostile(content)] for source, name, content in files}
    for turn in range(max(map(len, queues.values()))):
        yield [(source, name, queue[turn]) for (source, name), queue in queues.items() if turn < len(queue)]
    yield [(source, named(name, 1), next(planted(content))) for source, name, content in files]
    yield [(source, f"{E_MAIL}_{name}", " ".join((TOKEN, *IDENTIFIERS)).encode()) for source, name, _ in files]


def _hostile(content: bytes) -> list[bytes]:
    torn = content[: len(content) // 3] + " ".join((TOKEN, *IDENTIFIERS)).encode()
    return [*planted(content), over_long(content), full_of_them(content), torn]


def land_all(settings: Settings) -> list[Landed]:
    return [landed for contract in settings.contracts().values() for landed in land(settings, contract, NOW)]


def forget_what_was_refused(settings: Settings) -> None:
    """A refused file stays with the supplier, in the folder that is theirs."""
    for path in (settings.layout.root / "drop").rglob("*"):
        if path.is_file():
            path.unlink()


@contextmanager
def planted_suppliers() -> Iterator[dict[str, str]]:
    with (
        ocpi_supplier(
            planted_objects(demo_city.charge_point_locations()),
            token=TOKEN,
            clock=demo_city.CLOCK,
            cdrs=planted_objects(demo_city.charge_sessions()),
        ) as ocpi,
        open311_supplier(
            planted_objects(demo_city.ticket_requests()),
            api_key=TOKEN,
            clock=demo_city.CLOCK,
            updates=planted_objects(demo_city.ticket_updates()),
        ) as open311,
    ):
        yield {"charge_points": ocpi, "tickets_1777": open311}


@pytest.fixture(scope="module")
def landed(
    tmp_path_factory: pytest.TempPathFactory, originals: dict[str, list[tuple[str, bytes]]]
) -> tuple[Settings, list[Landed], Path]:
    """A profile that landed everything the demo's suppliers send, with canaries in it, and the log of that."""
    base = tmp_path_factory.mktemp("kanarie")
    log = base / "logboek"
    log.mkdir()
    writing = logging.FileHandler(log / "landing.log")
    logger = logging.getLogger("ademruimte")
    logger.addHandler(writing)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    with planted_suppliers() as urls:
        settings = read_settings(environment(base / "var", **urls))
        settings.layout.create()
        demo_city.write_boundaries(settings.boundaries)
        results = land_all(settings)
    settings = read_settings(environment(base / "var"))
    every = list(rounds(originals))
    for files in every if IS_FULL else [*every[1:3], *every[-2:]]:
        for source, name, content in files:
            put(settings, source, name, content)
        results += land_all(settings)
        forget_what_was_refused(settings)
    logger.removeHandler(writing)
    logger.setLevel(before)
    writing.close()
    (log / "results.txt").write_text("\n".join(map(repr, results)), encoding="utf-8")
    return settings, results, log


def test_no_canary_is_in_the_lake_the_state_or_the_log_of_a_landing(
    landed: tuple[Settings, list[Landed], Path],
) -> None:
    settings, _, log = landed
    assert found_in([settings.layout.root, log], FORMS) == []


def test_the_canaries_were_let_at_every_source(landed: tuple[Settings, list[Landed], Path]) -> None:
    settings, results, _ = landed
    took = {result.source for result in results if result.outcome is Outcome.LANDED}
    assert took == set(settings.contracts())
    manifests = Lake(settings.layout.lake).manifests()
    redacted = {manifest.source for manifest in manifests if manifest.redactions}
    assert redacted == set(settings.contracts())
    assert sum(manifest.redactions for manifest in manifests) > 50
    assert not IS_FULL or any("nothing of it was stored" in result.message for result in results)


ANSWERS: list[tuple[int, bytes, dict[str, str]]] = [
    (200, f'{{"data": [{{"{TOKEN}": "{E_MAIL}"'.encode(), {}),
    (200, f"<html>{TOKEN} {E_MAIL}</html>".encode(), {}),
    (200, f'["{TOKEN}", "{NATIONAL_NUMBER}", {{"{E_MAIL}": 1}}]'.encode(), {}),
    (302, TOKEN.encode(), {"Location": f"http://{TOKEN}.example/?{E_MAIL}"}),
    *((status, f"{TOKEN} {E_MAIL} {NATIONAL_NUMBER}".encode(), {}) for status in (400, 401, 403, 404, 500)),
]


@pytest.mark.parametrize(("status", "body", "headers"), ANSWERS)
def test_no_canary_is_left_by_a_supplier_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, headers: dict[str, str]
) -> None:
    # the client is asked to wait between tries; nothing else is changed
    monkeypatch.setattr("time.sleep", lambda _: None)
    with ExitStack() as stack:
        pulled = [name for name, each in read_settings({}).contracts().items() if each.crons]
        urls = {source: stack.enter_context(serving(status, body, headers)) for source in pulled}
        settings = read_settings(environment(tmp_path / "var", **urls))
        results = land_all(settings)
    (tmp_path / "results.txt").write_text("\n".join(map(repr, results)), encoding="utf-8")
    assert any(result.outcome is Outcome.REFUSED for result in results)
    assert found_in([tmp_path], FORMS) == []


_DYING = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from orchestration.loop.landing import land
from orchestration.settings import read_settings

def watch(_, event, called):
    if event == "c_call" and getattr(called, "__name__", "") in ("fsync", "rename"):
        watch.left -= 1
        if watch.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

watch.left = int(sys.argv[2])
settings = read_settings({"ADEMRUIMTE_HOME": sys.argv[1]})
sys.setprofile(watch)
land(settings, settings.contracts()[sys.argv[3]], datetime.fromisoformat(sys.argv[4]))
"""


@pytest.mark.parametrize("touch", [3, 8])
def test_no_canary_is_left_by_a_landing_that_was_killed(
    tmp_path: Path, originals: dict[str, list[tuple[str, bytes]]], touch: int
) -> None:
    settings = read_settings({"ADEMRUIMTE_HOME": str(tmp_path / "var")})
    settings.layout.create()
    source, (name, content) = "indicators", originals["indicators"][0]
    put(settings, source, named(name, 1), next(planted(content)))
    command = [sys.executable, "-c", _DYING, str(tmp_path / "var"), str(touch), source, NOW.isoformat()]
    killed = subprocess.run(command, capture_output=True, check=False, cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    (tmp_path / "var" / "output").write_bytes(killed.stdout + killed.stderr)
    forget_what_was_refused(settings)
    assert found_in([tmp_path / "var"], FORMS) == []


@pytest.mark.skipif(not IS_FULL, reason="takes a minute; `make canary` runs it")
def test_no_canary_is_in_anything_the_whole_loop_leaves(
    tmp_path: Path,
    originals: dict[str, list[tuple[str, bytes]]],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from orchestration.instance import prepare_instance, run_job  # noqa: PLC0415 - brings Dagster and dbt
    from orchestration.loop.transform import parse  # noqa: PLC0415

    with planted_suppliers() as urls:
        for name, value in environment(tmp_path / "var", **urls).items():
            monkeypatch.setenv(name, value)
        settings = read_settings()
        settings.layout.create()
        settings.layout.marker.write_text(demo_city.AS_OF.isoformat(), encoding="utf-8")
        demo_city.write_boundaries(settings.boundaries)
        demo_city.write_drops(settings.layout.root / "drop")
        prepare_instance(settings)
        parse(settings)
        every = list(rounds(originals))
        for files in ([], every[2], every[-1]):
            for source, name, content in files:
                put(settings, source, name, content)
            for source in settings.contracts():
                run_job(f"land_{source}")
            forget_what_was_refused(settings)
        succeeded = [run_job(name).success for name in ("build", "send")]
    said = capfd.readouterr()
    (settings.layout.root / "said.txt").write_text(said.out + said.err, encoding="utf-8")
    assert found_in([settings.layout.root], FORMS) == []
    assert all(succeeded), said.err[-3000:]
    assert list(settings.layout.mail.glob("*.eml"))
    assert list(settings.layout.published.rglob("*.duckdb"))
