"""Whatever is shot, wherever it is shot: nothing is lost, nothing is there twice, nothing is torn.

A profile whose every deed is killed with -9 at random moments, and then done again, stands beside a twin in which
nothing was ever killed. `make chaos CHAOS=50` tries fifty kills instead of twelve.
"""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import duckdb
import polars as pl
import pytest
from aiosmtpd.controller import Controller

from orchestration.settings import Settings
from tests.golden.fingerprints import VOLATILE
from tests.orchestration.profiles import NOW, copy_profile, settings_in
from tests.orchestration.test_landing import INDICATORS, drop
from tests.orchestration.test_messages import Post, free_port
from warehouse.batch import KNOWN_AT, Manifest
from warehouse.engine import connect
from warehouse.lake import Lake
from warehouse.published.pointer import current
from warehouse.state import State

pytestmark = pytest.mark.chaos  # every deed is a process, and half of them build

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("CHAOS", "12"))
SEED = int(os.environ.get("CHAOS_SEED", "2040"))
# of every rotation another, and what follows from them
KEYED = {"dossier_id", "dwelling_key"}
SCHEMAS = ("landing", "marts", "personal", "verdicts")
# what the build before had said and told: where one was shot after it committed, that is the same build; `said_of`
# compares it
BEFORE = {"landing.said", "landing.alerts", "marts.fct_alert_log"}
TREES = "trees_extra;34022;2026-11-15;{};trees (additional);groen;2026-11-{};\n"
DOSSIERS = "dossier;team;adres;intake_op;fase;fase_op\n"
DOSSIER = "K-{};kortrijk;Straat {};2026-11-16;advies;2026-11-1{}\n"


@dataclass
class Profile:
    """A profile, who gets its mail, and what was done to it.

    Attributes:
        kills: by deed, how many times it was shot before it ended.
        seconds: by deed, how long it took when nobody shot it.
    """

    settings: Settings
    post: Post
    backups: Path
    random: Random
    seconds: dict[str, float] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)

    @property
    def restored(self) -> Settings:
        """The same city in a folder that is empty until it is restored."""
        return settings_in(self.settings.layout.root.parent.with_name("restored"), {})

    def shoot(self, place: str, deed: str, now: datetime, *rest: str, after: float) -> None:
        """Does a deed until a moment of its own, and shoots it there; it may have ended by then."""
        process = self._begun(deed, now, *rest)
        time.sleep(after)
        process.kill()
        process.communicate()
        self.kills[place] += process.returncode == -signal.SIGKILL

    def do(self, place: str, deed: str, now: datetime, *rest: str) -> None:
        """Does a deed to its end."""
        process = self._begun(deed, now, *rest)
        started = time.monotonic()
        _, said = process.communicate(timeout=600)
        self.seconds[place] = time.monotonic() - started
        assert process.returncode == 0, f"{place}: {said[-3000:]}"

    def _begun(self, deed: str, now: datetime, *rest: str) -> subprocess.Popen[str]:
        of = self.restored if deed == "restore" else self.settings
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.orchestration.deeds", deed, now.isoformat(), *rest],
            env={**os.environ, **of.environment, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n", process.stderr and process.stderr.read()[-3000:]
        return process


Deed = tuple[str, Callable[[Profile], None], tuple[str, ...]]


def first_files(profile: Profile) -> None:
    drop(profile.settings, "indicators", "bomen.csv", INDICATORS + TREES.format(18_300, 16) + TREES.format("veel", 17))
    rows = "".join(DOSSIER.format(9_000 + no, no, no) for no in range(3))
    drop(profile.settings, "renovation_coach", "renovatie_2026-W48_kortrijk.csv", DOSSIERS + rows)


def second_files(profile: Profile) -> None:
    drop(profile.settings, "indicators", "bomen_2.csv", INDICATORS + TREES.format(18_500, 18))


def forget_a_row(profile: Profile) -> None:
    """As if an earlier contract had refused a row that today's lets in."""
    lake = Lake(profile.settings.layout.lake)
    batch = next(each for each in lake.live("indicators") if each.tables["observations"].accepted > 1)
    accepted = lake.read(batch, "observations", "accepted")
    accepted.tail(accepted.height - 1).write_parquet(lake.file(batch, "observations", "accepted"))


def nothing(_: Profile) -> None:
    """What stands there is enough."""


STORY: dict[str, Deed] = {
    "land": ("land", first_files, ("indicators", "renovation_coach")),
    "build": ("build", nothing, ()),
    "send": ("send", nothing, ()),
    "rotate-key": ("rotate", nothing, ("2",)),
    "replay": ("replay", forget_a_row, ("indicators",)),
    "erase": ("erase", nothing, ()),
    "land again": ("land", second_files, ("indicators",)),
    "backup": ("backup", nothing, ("backups",)),
    "build again": ("build", nothing, ()),
    "send again": ("send", nothing, ()),
    "backup again": ("backup", nothing, ("backups",)),
    "restore": ("restore", nothing, ("backups",)),
}


def tell(profile: Profile, twin: Profile | None = None) -> None:
    """The whole story; beside a twin, with each deed shot at moments of the time that it took there."""
    for number, (place, (deed, prepare, rest)) in enumerate(STORY.items()):
        now = NOW + timedelta(hours=1 + number)
        words = [str(profile.backups) if word == "backups" else word for word in rest]
        prepare(profile)
        shots = (KILLS // len(STORY) + (number < KILLS % len(STORY))) if twin else 0
        for _ in range(shots):
            assert twin is not None
            profile.shoot(place, deed, now, *words, after=profile.random.random() * twin.seconds[place])
        profile.do(place, deed, now, *words)


@contextmanager
def profile_in(folder: Path, demo_home: Path, suppliers: dict[str, str]) -> Iterator[Profile]:
    """A copy of the demo, with a mail server of its own."""
    post = Post()
    server = Controller(post, hostname="127.0.0.1", port=free_port())
    server.start()
    home = copy_profile(demo_home, folder / "var")
    readers = folder / "lezers.csv"
    mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(server.port), "SMTP_STARTTLS": "0", "RECIPIENTS": str(readers)}
    settings = settings_in(home, suppliers, **{f"ADEMRUIMTE_{name}": value for name, value in mail.items()})
    with State(settings.layout.state) as state:
        departments = sorted({row.department_id for row in state.unsent()})
    readers.write_text("department_id,email\n" + "".join(f"{one},{one}@stad.test\n" for one in departments))
    try:
        yield Profile(settings, post, folder / "backups", Random(SEED))  # noqa: S311 - moments, no secret
    finally:
        server.stop()


def rows_of(settings: Settings) -> dict[str, object]:
    """How many rows every table of the warehouse holds, and a fingerprint of them."""
    with connect(settings.layout.warehouse, read_only=True) as con:
        tables = con.execute(
            "select schema_name, table_name from duckdb_tables() where schema_name in (select unnest(?)) order by all",
            [list(SCHEMAS)],
        ).fetchall()
        found = {f"{schema}.{table}": _fingerprint(con, schema, table) for schema, table in tables}
        return {name: rows for name, rows in found.items() if name not in BEFORE}


def _fingerprint(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> object:
    columns = [row[0] for row in con.execute(f"describe {schema}.{table}").fetchall()]
    kept = ", ".join(f'"{name}"' for name in columns if name not in VOLATILE | KEYED | {"last_asked_at"}) or "1"
    return con.execute(
        f"select count(*), sum(hash(t)::hugeint) from (select {kept} from {schema}.{table}) as t"
    ).fetchone()


def kept_of(settings: Settings) -> list[tuple[object, ...]]:
    """Every batch that counts, with what it holds: read whole, so that a torn one is met."""
    lake = Lake(settings.layout.lake)
    lake.sweep()
    assert not settings.layout.staging.exists() or not list(settings.layout.staging.iterdir())
    return sorted((_held(lake, batch) for batch in lake.live()), key=str)


def _held(lake: Lake, batch: Manifest) -> tuple[object, ...]:
    parts = [
        lake.read(batch, table, part).drop(KNOWN_AT, *KEYED, strict=False).height
        for table in sorted(batch.tables)
        for part in ("accepted", "quarantine", "received")
    ]
    return batch.source, batch.content_sha256, batch.is_refused, str(parts)


def said_of(settings: Settings) -> list[tuple[object, ...]]:
    """What was ever said: a statement twice would be one too many."""
    lake = Lake(settings.layout.lake)
    rows = pl.concat([lake.said(decision) for decision in lake.decisions()], how="diagonal")
    return sorted(rows.select("target_id", "status", pl.col("value").round(6).cast(pl.String)).rows(), key=str)


def require_the_same(shot: Profile, twin: Profile) -> None:
    """Before anything is built again."""
    expected, found = rows_of(twin.settings), rows_of(shot.settings)
    assert found.keys() == expected.keys()
    assert {name: rows for name, rows in found.items() if rows != expected[name]} == {}
    assert kept_of(shot.settings) == kept_of(twin.settings)
    assert said_of(shot.settings) == said_of(twin.settings)
    for each in (shot.settings, twin.settings):
        assert current(each.layout.published) == Lake(each.layout.lake).decisions()[-1].build_id


def require_messages(shot: Profile, twin: Profile) -> int:
    """Every message came, and one that came twice is the same message.

    Returns:
        How many came again.
    """
    came = Counter(str(mail["Message-ID"]) for _, mail in shot.post.got)
    assert came.keys() == {str(mail["Message-ID"]) for _, mail in twin.post.got}
    assert came
    assert len({(str(mail["Message-ID"]), str(mail["Subject"])) for _, mail in shot.post.got}) == len(came)
    return came.total() - len(came)


def require_restored(profile: Profile) -> None:
    """What was restored is what was there, and its outbox waits for a person."""
    own, back = Lake(profile.settings.layout.lake), Lake(profile.restored.layout.lake)
    assert back.manifests() == own.manifests()
    assert [each.build_id for each in back.decisions()] == [each.build_id for each in own.decisions()]
    assert kept_of(profile.restored) == kept_of(profile.settings)
    with State(profile.restored.layout.state) as state:
        assert state.outbox_hold() is not None


def test_a_profile_shot_at_random_moments_is_the_twin_of_one_that_never_was(
    demo_home: Path, suppliers: dict[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        profile_in(tmp_path / "twin", demo_home, suppliers) as twin,
        profile_in(tmp_path / "shot", demo_home, suppliers) as shot,
    ):
        tell(twin)
        tell(shot, twin)
        require_the_same(shot, twin)
        again = require_messages(shot, twin)
        for each in (shot, twin):
            require_restored(each)
    lines = [f"{place:>13}  {shot.kills[place]:3} kills  {twin.seconds[place]:6.1f} s" for place in STORY]
    lines.append(
        f"{shot.kills.total()} of {KILLS} shots killed; 0 lost, 0 doubled, 0 torn; {again} messages came again"
    )
    with capfd.disabled(), suppress(OSError):
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert shot.kills.total() >= KILLS // 3, "shots that come too late try nothing"
