"""Build: recover, load, measure, quality, judge, stage, commit, publish, outbox, in this order, one at a time.

The decisions batch is the commit point. What dies before it is discarded; what dies after it is rolled
forward by the next `recover`. Every step can be repeated.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import polars as pl

from contracts.registry import all_contracts
from orchestration.loop import publishing, telling
from orchestration.loop.exit_gate import judge_exit
from orchestration.loop.plan import Plan, code_version, last_decision, make_plan, to_show, why_due
from orchestration.loop.rotation import finish_rotation
from orchestration.loop.selection import JUDGE, measure
from orchestration.loop.transform import Transformed, build_models
from orchestration.loop.verdicts import newly_said, said_so_far
from orchestration.settings import Settings
from warehouse import load as loader
from warehouse import measured
from warehouse.engine import connect
from warehouse.erasures import erase_again
from warehouse.lake import Lake
from warehouse.state import State

_log = logging.getLogger("ademruimte.build")


class BuildBusyError(RuntimeError):
    """Another build holds the lock of this profile."""


class MixedBuildError(RuntimeError):
    """The quality verdicts are not of this build: judging would mix two builds."""


@contextmanager
def build_lock(settings: Settings) -> Iterator[None]:
    """Holds the profile's one build lock; the system frees it when the process dies.

    Raises:
        BuildBusyError: another process holds it.
    """
    settings.layout.create()
    with settings.layout.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildBusyError(
                f"another build of {settings.city.name} is running; this one asks again later"
            ) from None
        yield


def is_building(settings: Settings) -> bool:
    """Whether some process holds the build lock at this moment."""
    try:
        with build_lock(settings):
            return False
    except BuildBusyError:
        return True


@dataclass(slots=True)
class Build:
    """One build of one profile; its methods are the steps, called in order under the lock."""

    settings: Settings
    now: datetime
    plan: Plan = field(init=False)
    measured: Transformed | None = None
    not_loaded: dict[str, str] = field(default_factory=dict)
    is_committed: bool = False

    def __post_init__(self) -> None:
        # with two keys in the lake, what is the same dwelling would count as two
        for batch in finish_rotation(self.settings, self.now):
            _log.info(
                "%s %s: went on with the rotation of the key, as %s", batch.source, batch.replaced, batch.batch_id
            )
        self.plan = make_plan(self.settings, self.now)

    def recover(self) -> str:
        """Rolls the last committed build forward if it died before it was published."""
        lake = Lake(self.settings.layout.lake)
        lake.sweep()
        self._keep_erased(lake)
        last = last_decision(self.settings)
        if last is None:
            return "nothing to recover"
        shown, files = to_show(self.settings, last), publishing.files_of(self.settings)
        if files.current() == shown:
            self.outbox()
            return f"build {shown} stands"
        if shown not in files.builds():
            return f"build {shown} is committed but its files are gone; this build replaces them"
        publishing.show(self.settings, shown, self.now)
        self.outbox()
        return f"rolled build {shown} forward"

    def load(self) -> list[loader.Loaded]:
        """Loads committed batches into the landing tables."""
        lake = Lake(self.settings.layout.lake)
        with connect(self.settings.layout.warehouse, room=self.settings.room) as con:
            # every source has its tables, also those this city does not receive: dbt reads them all
            loaded = loader.load(con, lake, all_contracts(), self.plan.batches)
            with State(self.settings.layout.state) as state:
                loader.write_status(con, self._heard(lake, state))
                loader.write_alerts(con, _decided(state))
            loader.write_profile(con, self.settings.city)
            loader.write_build(
                con,
                self.plan.build_id,
                self.plan.as_of,
                self.settings.city.name,
                is_synthetic=self.settings.layout.is_synthetic,
            )
            loader.write_said(con, said_so_far(lake, self.settings.layout.last_said))
        for each in loaded:
            for note in (*each.drift, *([each.error] if each.error else [])):
                _log.warning("%s %s: %s", each.source, each.batch_id, note)
        self.not_loaded = {each.source: each.error for each in loaded if each.error}
        _log.info("loaded %d new batches", len(loaded) - len([each for each in loaded if each.error]))
        return loaded

    def _heard(self, lake: Lake, state: State) -> Iterator[loader.StatusRow]:
        """Up to where each source speaks, as far as the lake holds what it said, and when it was last asked."""
        for row in state.progress():
            # what a supplier said after this build was planned belongs to batches it does not hold
            if row.last_asked_at <= self.now:
                is_held = row.batch_id is None or lake.counts(row.source, row.batch_id)
                yield row.source, row.complete_until if is_held else None, row.last_asked_at

    def measure(self) -> Transformed:
        """Staging to KPI observations, with every test as data: what lies below an input that changed."""
        with connect(self.settings.layout.warehouse) as con:
            inputs = measured.inputs(con, code_version())
            changed = measured.changed(con, inputs)
            measured.forget(con, changed)
        _log.info("measuring with dbt what follows from: %s", ", ".join(sorted(changed)) or "nothing new")
        transformed = build_models(self.settings, self.plan.as_of, partial(measure, changed=changed))
        with connect(self.settings.layout.warehouse) as con:
            tests = measured.note(con, inputs, transformed.tests)
            measured.drop_unmade(con, transformed.made)
        self.measured = replace(transformed, tests=tests)
        return self.measured

    def judge_quality(self) -> pl.DataFrame:
        """Fills `quality.dq_verdict` from tests, the exit suite, completeness and refusal share."""
        if self.measured is None:
            raise MixedBuildError("quality is asked before anything was measured in this build")
        with connect(self.settings.layout.warehouse) as con:
            _log.info("checking the KPIs at the exit with Great Expectations")
            return judge_exit(con, self.measured, self.settings.layout, self.plan.build_id, self.not_loaded)

    def judge(self) -> Transformed:
        """Trajectories and verdicts.

        Raises:
            MixedBuildError: the quality verdicts carry another build's id.
        """
        self._refuse_mixed()
        _log.info("judging the targets")
        return build_models(self.settings, self.plan.as_of, JUDGE)

    def stage(self) -> None:
        """Loads what readers may see into every store, where no reader looks yet.

        Raises:
            MixedBuildError: the warehouse holds another build.
        """
        self._refuse_mixed()
        publishing.stage(self.settings, self.plan.build_id, self.now)

    def commit(self) -> bool:
        """Writes the decisions: the commit point. The same build again appends nothing.

        Returns:
            Whether this build was committed; False when a published build says the same on the same input.
        """
        self._refuse_mixed()
        lake = Lake(self.settings.layout.lake)
        said = newly_said(self.settings, lake)
        if said.is_empty() and why_due(self.settings, self.now) is None:
            _log.info("the published build says the same on the same input: nothing to add")
            return False
        lake.commit_decisions(self.plan.build_id, said, self._facts(), self.now)
        self.is_committed = True
        with connect(self.settings.layout.warehouse) as con:
            loader.clear_affected(con)
        return True

    def publish(self) -> None:
        """Shows the newest build in every store; what was staged and adds nothing is dropped.

        While readers were put back to an earlier build they keep that one, and this one waits for a person.
        """
        if not self.is_committed:
            publishing.discard(self.settings, self.plan.build_id, self.now)
        shown, _ = publishing.publish(self.settings, self.now)
        if self.is_committed and shown != self.plan.build_id:
            _log.warning("build %s waits, and readers keep %s: `ademruimte status` says why", self.plan.build_id, shown)

    def outbox(self) -> int:
        """Puts the messages of the published build in the outbox; each only once."""
        return telling.fill_outbox(self.settings, self.now)

    def _keep_erased(self, lake: Lake) -> None:
        """A backup that was put back may hold rows that were erased since it was made."""
        with State(self.settings.layout.state) as state:
            erased, counting = erase_again(lake, state)
        for batch in erased:
            _log.warning("%s %s: was back in the lake, and is erased again", batch.source, batch.batch_id)
        for batch in counting:
            _log.warning(
                "%s %s: was erased, but counts again: what replaced it is not in the lake. Replay it; the next build "
                "then erases it",
                batch.source,
                batch.batch_id,
            )

    def _facts(self) -> dict[str, object]:
        return {
            "as_of_date": self.plan.as_of.isoformat(),
            "batches": list(self.plan.batches),
            "fingerprint": self.plan.fingerprint,
            "code_version": code_version(),
            "city": self.settings.city.name,
            "process": os.getpid(),
        }

    def _refuse_mixed(self) -> None:
        with connect(self.settings.layout.warehouse) as con:
            ids = con.execute(
                "select distinct build_id from quality.dq_verdict union select build_id from landing.build"
            ).fetchall()
        if {row[0] for row in ids} != {self.plan.build_id}:
            raise MixedBuildError(
                f"the warehouse holds another build than {self.plan.build_id}; run the whole build again"
            )


def _decided(state: State) -> Iterator[loader.AlertRow]:
    """What was decided of each target for each reader, and when its message left."""
    fates = state.fates()
    for each in state.alerts():
        fate = fates.get(each.message_key or "")
        said = each.department_id, each.target_id, each.topic, each.status, each.outcome, each.reason
        yield *said, each.first_at, each.last_at, each.builds, each.until, fate and fate.sent_at


def forget_warehouse(settings: Settings) -> None:
    """Removes the warehouse: the next build makes it again from the lake.

    Raises:
        BuildBusyError: a build is writing to it.
    """
    with build_lock(settings):
        for path in (settings.layout.warehouse, settings.layout.warehouse.with_suffix(".duckdb.wal")):
            path.unlink(missing_ok=True)


def build(settings: Settings, now: datetime) -> Build:
    """All steps of one build, in order, under the lock.

    Raises:
        BuildBusyError: another build runs.
        TransformError: dbt failed; the last build stays published.
    """
    with build_lock(settings):
        this = Build(settings, now)
        _log.info("%s", this.recover())
        this.load()
        this.measure()
        this.judge_quality()
        this.judge()
        this.stage()
        this.commit()
        this.publish()
        this.outbox()
        return this
