"""A token and a person's identifiers, planted wherever a supplier can put them, are found nowhere afterwards.

Landing is always tried, with a few files of every source. Every column of every file, the build, the messages and
Dagster's own storage take minutes, and are tried when `CANARY=full`, as `make canary` does.
"""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import polars as pl
import pytest
from pydantic import SecretStr

from contracts.registry import all_contracts
from contracts.vocabulary import LINE, Sensitivity, SourceContract
from ingestion.delivery import Delivery
from ingestion.demo_city import city as demo_city
from ingestion.demo_city.sites import CITY_HALL, DWELLING_EAN
from ingestion.demo_city.suppliers import ocpi_supplier, open311_supplier
from ingestion.door import KeyRing, admit
from orchestration.loop.landed import Landed, Outcome
from orchestration.loop.landing import land
from orchestration.settings import Settings, read_settings
from tests.canary.planting import (
    E_MAIL,
    FORMS,
    IDENTIFIERS,
    NATIONAL_NUMBER,
    PERSON,
    PHONE,
    TOKEN,
    full_of_them,
    over_long,
    planted,
    planted_objects,
)
from tests.canary.scanning import found_in
from tests.ingestion.fluvius_supplier import TOKEN_PATH, Fluvius, leaf, mandate, on_meter, piece
from tests.ingestion.fluvius_supplier import Reply as FluviusReply
from tests.ingestion.fluvius_supplier import serving as serving_fluvius
from warehouse.lake import Lake

ROOT = Path(__file__).parents[2]
NOW = demo_city.CLOCK + timedelta(hours=12)
IS_FULL = os.environ.get("CANARY") == "full"
LARGEST_TO_PLANT = 300_000


Reply = tuple[int, bytes, Mapping[str, str]]


@dataclass
class Peer:
    """A supplier that repeats what it was sent and more, and whose own address holds a token.

    Attributes:
        answering: what it answers a path (with its query).
        asked: the paths it was asked.
    """

    answering: Callable[[str], Reply]
    base: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.base.replace('http://', f'http://gebruiker:{TOKEN}@')}/lijst?api_key={TOKEN}&wie={E_MAIL}"


@contextmanager
def serving(answering: Callable[[str], Reply]) -> Iterator[Peer]:
    peer = Peer(answering)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            peer.asked.append(self.path)
            status, body, headers = peer.answering(self.path)
            self.send_response(status)
            for name, value in ({"X-Echo": f"{self.path} {TOKEN} {E_MAIL}"} | dict(headers)).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    peer.base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield peer
    finally:
        server.shutdown()
        server.server_close()


def environment(home: Path, **urls: str) -> dict[str, str]:
    """Settings of a profile; every supplier is asked with the token, and has what it needs to be asked at all."""
    home.mkdir(parents=True, exist_ok=True)
    swing = home / "swing.csv"
    swing.write_text("swing_code,kpi_id,unit,geolevel,periodlevel\nbomen,trees_extra,trees,gemeente,year\n", "utf-8")
    named = {f"{source}_URL": url for source, url in urls.items()} | {f"{source}_TOKEN": TOKEN for source in urls}
    given = {
        "tickets_1777_SINCE": "2026-05-01",
        "charge_points_SESSIONS": "1",
        "indicators_MAPPING": str(swing),
        "energy_meters_SINCE": "2026-10-01",
        "energy_meters_TOKEN_URL": urls.get("energy_meters", "").partition("/esco")[0] + TOKEN_PATH,
        "energy_meters_CLIENT_ID": "klant",
        "energy_meters_SCOPE": "api://x/.default",
        "energy_meters_CLIENT_SECRET": TOKEN,
        "energy_meters_SUBSCRIPTION_KEY": TOKEN,
    }
    settings = {f"ADEMRUIMTE_{name.upper()}": value for name, value in (named | given).items()}
    return {"ADEMRUIMTE_HOME": str(home), "ADEMRUIMTE_AS_OF": "2026-11-23", **settings}


def put(settings: Settings, source: str, name: str, content: bytes) -> None:
    folder = settings.layout.drop(source)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    (folder / f"{name}.ready").write_text(demo_city.CLOCK.isoformat(), encoding="utf-8")


@pytest.fixture(scope="module")
def originals(demo_drops: Path) -> dict[str, list[tuple[str, bytes]]]:
    """By source what suppliers drop, in the demo or in the tests of the source: one small file of every shape."""
    found: dict[str, dict[tuple[object, ...], tuple[str, bytes]]] = {}
    dropped = [path for path in demo_drops.rglob("*") if path.with_name(f"{path.name}.ready").exists()]
    dropped += [path for path in (ROOT / "tests" / "dropped").rglob("*") if path.parent.name in personal()]
    for path in sorted(dropped, key=lambda path: (-path.stat().st_size, path)):
        content = path.read_bytes()
        shape = (path.suffix, content.partition(b"\n")[0] if path.suffix == ".csv" else b"")
        if len(content) <= LARGEST_TO_PLANT:
            found.setdefault(path.parent.name, {})[shape] = (path.name, content)
    return {source: list(files.values()) for source, files in found.items()}


def personal() -> set[str]:
    """The sources in which a person may be looked for; the file of any other is kept as it came."""
    return {name for name, each in all_contracts().items() if each.sensitivity is Sensitivity.PERSONAL}


def named(name: str, at: int | str) -> str:
    """Another name of the same shape, with a person in it."""
    stem, ending = name.rsplit(".", 1)
    return f"{stem}_{at}_{NATIONAL_NUMBER.replace('.', '-')}_{'_'.join(PERSON)}.{ending}"


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
    # a week and a team are read from such a name all the same
    yield [(source, f"_{'_'.join(PERSON)}.".join(name.rsplit(".", 1)), content) for source, name, content in files]
    for at, form in enumerate(("0471234567", "32471234567", "85_07_30_033_28", "BE71-0961-2345-6769")):
        yield [(source, f"{form}_{at}_{name}", next(planted(content))) for source, name, content in files]
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


MANDATED = (CITY_HALL.ean_electricity, DWELLING_EAN)


def fluvius_answer(asked: Mapping[str, str]) -> FluviusReply:
    """Quarters of which each names a person in one place, of meters that do so too."""
    starts = [datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=15 * at) for at in range(400)]
    quarters = [
        piece(
            f"{start:%Y-%m-%dT%H:%M:%SZ}",
            f"{start + timedelta(minutes=15):%Y-%m-%dT%H:%M:%SZ}",
            {"offtake": {"total": leaf(0.5, gasConversionFactor="D"), NATIONAL_NUMBER: leaf(1)}, E_MAIL: {PHONE: {}}},
        )
        for start in starts
    ]
    body = on_meter(asked["ean"], "quarterHourlyEnergy", *planted_objects(quarters))
    headpoint = body["data"]["headpoint"]
    headpoint["physicalMeters"] += [
        {"seqNumber": form, "meterID": form, "quarterHourlyEnergy": quarters[:2]} for form in IDENTIFIERS
    ]
    headpoint["subHeadpoints"] = [{"ean": form, "hourlyEnergy": quarters[2:4]} for form in IDENTIFIERS]
    return 200, {"X-Echo": TOKEN}, body | {"kanarie": " ".join((TOKEN, *IDENTIFIERS))}


def swing_answer(_: str) -> Reply:
    rows = [{"ExternalCode": "34022", "Period": str(2001 + at % 25), "ValueString": "7"} for at in range(100)]
    return 200, json.dumps({"value": planted_objects(rows)}).encode(), {}


@contextmanager
def planted_suppliers() -> Iterator[dict[str, str]]:
    fluvius = Fluvius(
        mandates=[mandate(ean, kanarie=" ".join((TOKEN, *IDENTIFIERS))) for ean in (*MANDATED, *IDENTIFIERS)],
        energy=fluvius_answer,
        key=TOKEN,
        token_reply=(200, {}, {"access_token": f"token-{TOKEN}", "expires_in": 3600}),
    )
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
        serving_fluvius(fluvius),
        serving(swing_answer) as swing,
    ):
        yield {
            "charge_points": ocpi,
            "tickets_1777": open311,
            "energy_meters": f"{fluvius.url}/esco-live/v3",
            "indicators": swing.url,
        }


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
        # whose meters may be asked
        put(settings, "buildings", *originals["buildings"][0])
        results = land_all(settings)
    pulled = {result.source for result in results if result.outcome is Outcome.LANDED}
    assert pulled == set(urls) | {"buildings"}, results
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
    assert took == personal()
    manifests = Lake(settings.layout.lake).manifests()
    redacted = {manifest.source for manifest in manifests if manifest.redactions}
    assert redacted == personal()
    pulled = {name for name in personal() if settings.contracts()[name].crons}
    assert {each.source for each in manifests if each.redactions and each.origin.startswith("http")} == pulled
    assert sum(manifest.redactions for manifest in manifests) > 50
    assert not IS_FULL or any("nothing of it was stored" in result.message for result in results)


@pytest.mark.parametrize("contract", all_contracts().values(), ids=lambda contract: contract.name)
def test_no_column_of_any_source_lets_any_form_in(contract: SourceContract) -> None:
    for form in IDENTIFIERS:
        for cell in (form, f"x {form}", f"{form}, dank", f"1 2 3 {form}"):
            frames = {
                table.name: pl.DataFrame({name: [cell] for name in table.received.columns}).with_columns(
                    pl.lit(1, pl.Int64).alias(LINE)
                )
                for table in contract.tables
            }
            admitted = admit(Delivery("x", frames, NOW), contract, KeyRing((SecretStr("sleutel"),)))
            left = "".join(frame.write_csv() for frame in admitted.tables.values())
            assert [each for each in FORMS if each in left] == [], cell


ANSWERS: list[Reply] = [
    (200, f'{{"data": [{{"{TOKEN}": "{E_MAIL}"'.encode(), {}),
    (200, f"<html>{TOKEN} {E_MAIL}</html>".encode(), {}),
    (200, f'["{TOKEN}", "{NATIONAL_NUMBER}", {{"{E_MAIL}": 1}}]'.encode(), {}),
    (302, TOKEN.encode(), {"Location": f"http://{TOKEN}.example/?{E_MAIL}"}),
    *(
        (status, f"{TOKEN} {E_MAIL} {NATIONAL_NUMBER}".encode(), {"Retry-After": "0"})
        for status in (400, 401, 403, 404, 500)
    ),
]
# how far the meters' supplier answers well: not at all, a token, its mandates
STEPS: list[dict[str, object]] = [
    {TOKEN_PATH: {"access_token": f"token-{TOKEN}", "expires_in": 3600}},
    {"/esco-live/v3/api/mandate": {"data": {"mandates": [mandate(ean) for ean in MANDATED]}}},
]


def failing(reply: Reply, steps: int) -> Callable[[str], Reply]:
    """Answers these steps well, and everything else with a fault."""
    good = {path: body for step in STEPS[:steps] for path, body in step.items()}

    def answer(asked: str) -> Reply:
        path = asked.partition("?")[0]
        return (200, json.dumps(good[path]).encode(), {}) if path in good else reply

    return answer


@pytest.mark.parametrize("steps", range(len(STEPS) + 1), ids=["at once", "after its token", "after its mandates"])
@pytest.mark.parametrize("reply", ANSWERS, ids=range(len(ANSWERS)))
def test_no_canary_is_left_by_a_supplier_that_fails(
    tmp_path: Path, originals: dict[str, list[tuple[str, bytes]]], reply: Reply, steps: int
) -> None:
    with ExitStack() as stack:
        pulled = [name for name, each in read_settings({}).contracts().items() if each.crons]
        peers = {source: stack.enter_context(serving(failing(reply, steps))) for source in pulled}
        urls = {source: peer.url for source, peer in peers.items()}
        urls["energy_meters"] = f"{peers['energy_meters'].base}/esco-live/v3"
        settings = read_settings(environment(tmp_path / "var", **urls))
        settings.layout.create()
        put(settings, "buildings", *originals["buildings"][0])
        results = land_all(settings)
    (tmp_path / "results.txt").write_text("\n".join(map(repr, results)), encoding="utf-8")
    assert {source for source, peer in peers.items() if not peer.asked} == set()
    assert len(set(peers["energy_meters"].asked)) > steps
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
                run_job(f"land_{source}", settings)
            forget_what_was_refused(settings)
        succeeded = [run_job(name, settings).success for name in ("build", "send")]
    said = capfd.readouterr()
    (settings.layout.root / "said.txt").write_text(said.out + said.err, encoding="utf-8")
    assert found_in([settings.layout.root], FORMS) == []
    assert all(succeeded), said.err[-3000:]
    assert list(settings.layout.mail.glob("*.eml"))
    assert list(settings.layout.published.rglob("*.duckdb"))
