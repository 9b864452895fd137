"""From the build that readers see to what each department is told now: decided, written, and put in the outbox.

Belongs here: reading what is judged and what was told, and keeping what is decided. Does not belong here: the rules
(`alerts.policy`), the words (`alerts.digest`), sending (`messages`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from contracts.cities.profile import City
from orchestration.alerts import hours, outbox
from orchestration.alerts.answers import standing_on
from orchestration.alerts.card import card
from orchestration.alerts.decisions import Decided, Evaluation, Knowledge, Readers
from orchestration.alerts.digest import (
    Digest,
    Drawn,
    LinkOf,
    Occasion,
    digests,
    is_urgent_key,
    message,
    message_key,
    no_link,
    period_of,
)
from orchestration.alerts.drivers import with_drivers
from orchestration.alerts.links import link_of
from orchestration.alerts.policy import Outcome, Window
from orchestration.alerts.teams import TEAMS, webhooks
from orchestration.alerts.wording import iso_week
from orchestration.loop.changes import FORMER, METHOD_CHANGED
from orchestration.loop.locks import one_teller
from orchestration.loop.run_failures import note_unmade
from orchestration.loop.verdicts import said_so_far
from orchestration.loop.ways import recipients_on, written_for
from orchestration.settings import Settings
from warehouse.lake import Lake
from warehouse.published.parquet import read_table
from warehouse.published.pointer import current
from warehouse.state import Alert, DigestWeek, OutboxMessage, State

if TYPE_CHECKING:
    from email.message import EmailMessage

_A_DAY = timedelta(days=1)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def fill_outbox(settings: Settings, now: datetime) -> int:
    """Decides from the build that readers see what each department is told, and writes what leaves now.

    What cannot be made now is noted as a failed run and made at the next call: it is no reason to stop a build.

    Returns:
        How many messages are new.
    """
    build_id = current(settings.layout.published)
    if build_id is None:
        return 0
    try:
        with one_teller(settings):
            return _Filling(settings, build_id, _moment(settings, now)).fill()
    # a template, a chart, a file that a reader damaged: whatever it is, the build stands
    except Exception as fault:  # noqa: BLE001
        note_unmade(settings, f"outbox of build {build_id}", fault, now)
        return 0


class Found(NamedTuple):
    """What was decided at one moment.

    Attributes:
        settled: the departments of which the digest of this week is decided now.
    """

    decided: Sequence[Decided]
    digests: Sequence[Digest]
    settled: frozenset[str]

    @property
    def departments(self) -> frozenset[str]:
        """Those that are told anything."""
        return frozenset(each.department_id for each in self.digests)

    def noted(self, keys: Mapping[str, str], build_id: str, at: datetime) -> Iterator[Alert]:
        """The rows of the log, with the key of the message that tells it."""
        return (each.noted(keys.get(each.department_id), build_id, at) for each in self.decided)


def _moment(settings: Settings, now: datetime) -> datetime:
    return hours.moment_of(settings.city, settings.fixed_as_of, now)


@dataclass(frozen=True, slots=True)
class _Filling:
    """The messages of one published build on their way into the outbox.

    Attributes:
        now: when it is decided; at 08:00 on the day of a profile that stands still.
    """

    settings: Settings
    build_id: str
    now: datetime

    def fill(self) -> int:
        with State(self.settings.layout.state) as state:
            found = self.found(state, self._link)
            written = list(self._written(found.digests))
            keys = {digest.department_id: self._key(digest) for digest, _ in written}
            alerts = found.noted(keys, self.build_id, self.now)
            if state.has_decided(self.build_id):
                # a build that is asked again decides nothing else, but for what leaves only now
                alerts = (each for each in alerts if each.outcome == Outcome.TOLD)
            weeks = (
                DigestWeek(department, iso_week(self.day), self.now)
                for department in found.settled
                if department in keys or department not in found.departments
            )
            return outbox.fill(state, written, self._cards(digest for digest, _ in written), alerts, weeks)

    @property
    def day(self) -> date:
        """The city date."""
        return hours.city_day(self.settings.city, self.now)

    def found(self, state: State, link_of: LinkOf | None = None) -> Found:
        """What is decided of this build at this moment; `link_of` makes the links of its messages."""
        verdicts = self.verdicts()
        # a build that an earlier version published was told by that version
        if "needed_nl" not in verdicts.columns:
            return Found((), (), frozenset())
        windows = _Windows(self.settings.city, state, self.now)
        former = self._rejudged(state)
        known = Knowledge(
            state.known(),
            dict(verdicts.filter(pl.col("story_id").is_not_null()).select("target_id", "story_id").iter_rows()),
            self.settings.city.time_zone,
        )
        answered = standing_on(state.answers(), self.day, ZoneInfo(self.settings.city.time_zone))
        departments = self._read("marts.dim_department")
        readers = self._readers(state, departments)
        decided = Evaluation(verdicts, known, answered, former, windows.of, readers).decided()
        as_of = self._read("marts.dim_build")["as_of_date"].item()
        occasion = Occasion(self.build_id, as_of, self.day, former, answered, link_of or no_link)
        told = digests(verdicts, departments, decided, occasion)
        return Found(decided, told, windows.settled({each.department_id for each in decided if each.department_id}))

    def _readers(self, state: State, departments: pl.DataFrame) -> Readers:
        """Who reads beside the departments; what is not answered goes to others only where it can be answered."""
        listed = departments.filter("is_listed") if "is_listed" in departments.columns else departments
        return Readers(
            frozenset(listed["department_id"]),
            recipients_on(self.settings, self.day).reads,
            state.unanswered() if self.settings.web_url else {},
        )

    def _link(self, target_id: str, department_id: str, period: str) -> str | None:
        return link_of(self.settings, target_id, department_id, period, self.day)

    def verdicts(self) -> pl.DataFrame:
        """Rows of `fct_target_verdicts`, each with what holds it back."""
        return with_drivers(self._read("verdicts.fct_target_verdicts"), self._read("verdicts.fct_gap_drivers"))

    def _read(self, table: str) -> pl.DataFrame:
        # the files that no reader can lock
        return read_table(self.settings.layout.published, self.build_id, table)

    def _cards(self, fresh: Iterable[Digest]) -> Iterator[OutboxMessage]:
        """The same on a card, for the departments that have a flow in Teams."""
        known = webhooks(self.settings.teams).known
        for digest in fresh:
            if digest.department_id in known:
                content = card(digest, self.settings.city.title_nl, is_synthetic=self.settings.layout.is_synthetic)
                key, made = f"{self._key(digest)}:{TEAMS}", self.now
                said = digest.department_id, digest.period, self.build_id, digest.heading
                yield OutboxMessage(key, *said, content, made, channel=TEAMS)

    def _rejudged(self, state: State) -> dict[str, str | None]:
        """By target what was said before another method or definition changed it, where its department was not told."""
        lake = Lake(self.settings.layout.lake)
        last = said_so_far(lake, self.settings.layout.last_said)
        # a log of before there were versions
        if METHOD_CHANGED not in last.columns:
            return {}
        changed = last.filter(pl.col(METHOD_CHANGED)).select("target_id", "department_id", "build_id", FORMER)
        return {
            target_id: former
            for target_id, department_id, build_id, former in changed.iter_rows()
            if lake.decision(build_id).committed_at > _last_digest(state, department_id)
        }

    def _key(self, digest: Digest) -> str:
        return message_key(digest, self.settings.city.title_nl)

    def _written(self, fresh: Sequence[Digest]) -> Iterator[tuple[Digest, "EmailMessage"]]:
        if not fresh:
            return
        drawn = Drawn(self._read("marts.fct_kpi_observations"), self._read("verdicts.fct_target_path"))
        known = recipients_on(self.settings, self.day)
        for digest in fresh:
            try:
                yield (
                    digest,
                    message(
                        digest,
                        drawn,
                        sender=self.settings.sender,
                        recipient=written_for(known, digest.department_id),
                        city_title=self.settings.city.title_nl,
                        is_synthetic=self.settings.layout.is_synthetic,
                        contact_nl=self.settings.city.contact_nl,
                    ),
                )
            # one message's fault is its own
            except Exception as fault:  # noqa: BLE001
                note_unmade(self.settings, f"message {self._key(digest)}", fault, self.now)


def _last_digest(state: State, department_id: str) -> datetime:
    """When a department last got what is no urgent message: rules that changed are told in no other."""
    made = (at for key, at in state.enqueued(department_id).items() if not is_urgent_key(key))
    return max(made, default=_LONG_AGO)


class _Windows:
    """What may leave at a moment, by department."""

    def __init__(self, city: City, state: State, now: datetime) -> None:
        self._state, self._day = state, hours.city_day(city, now)
        self._is_open = hours.is_open(city, now)
        self._next_opening = hours.next_opening(city, now).date()
        self._next_week = hours.first_working_day(city, hours.monday_of(self._day) + timedelta(days=7))
        self._decided = state.digest_weeks(iso_week(self._day))
        self._known = {each.department_id for each in state.known()}
        self._of: dict[str, Window] = {}

    def of(self, department_id: str) -> Window:
        """What may leave for a department: one digest a week, at its first working hour or the first that we are there.

        The first word to a department waits for no Monday.
        """
        if department_id not in self._of:
            self._of[department_id] = self._asked(department_id)
        return self._of[department_id]

    def _asked(self, department_id: str) -> Window:
        periods = {period_of(key) for key in self._state.enqueued(department_id)}
        # a digest that an earlier version wrote settles its week too
        is_decided = department_id in self._decided or iso_week(self._day) in periods
        # of whom no log says what was told, everything would be urgent
        may_be_urgent = department_id in self._known and f"{self._day}" not in periods
        return Window(
            day=self._day,
            digest=self._is_open and not is_decided,
            urgent=self._is_open and may_be_urgent,
            next_digest=self._next_week if is_decided else self._next_opening,
            next_urgent=self._next_opening,
        )

    def settled(self, departments: Iterable[str]) -> frozenset[str]:
        """Of these, the ones whose digest is decided now."""
        return frozenset(each for each in departments if self.of(each).digest)


class Preview(NamedTuple):
    """What the next morning brings as things stand: the headings of the messages, and why the rest is silent."""

    headings: Mapping[str, str]
    alerts: Sequence[Alert]
    titles: Mapping[str, str]


def preview(settings: Settings, now: datetime) -> Preview | None:
    """What would be told tomorrow by the build that readers see; nothing is written. None where there is no build."""
    build_id = current(settings.layout.published)
    if build_id is None:
        return None
    tomorrow = hours.city_day(settings.city, _moment(settings, now)) + _A_DAY
    filling = _Filling(settings, build_id, hours.opening(settings.city, tomorrow))
    with State(settings.layout.state) as state:
        found = filling.found(state)
    headings = {each.department_id: each.heading for each in found.digests}
    titles = dict(filling.verdicts().select("target_id", "title_nl").iter_rows())
    return Preview(headings, list(found.noted(dict.fromkeys(headings, ""), build_id, now)), titles)
