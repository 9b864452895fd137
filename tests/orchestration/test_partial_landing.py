"""What a landing says when one part of a supplier fails, or its clock is wrong."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import dagster as dg
import pytest

from orchestration.factories.landing_assets import HONOURS_CONTRACT, landing_definitions
from orchestration.loop.landed import Landed, Outcome
from orchestration.loop.landing import land
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW
from warehouse.lake import Lake
from warehouse.state import State

_CHANGED = "2026-11-01T00:00:00Z"


@contextmanager
def _serving(clock: datetime, answer: Callable[[str, str], object]) -> Iterator[str]:
    """A supplier of JSON with that clock: what it says at a path of its address, or 404 where that is None."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = answer(self.path, f"http://{self.headers['Host']}")
            body = json.dumps(said).encode()
            self.send_response_only(404 if said is None else 200)
            self.send_header("Date", format_datetime(clock, usegmt=True))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _operator(clock: datetime, broken: set[str], stamp: str = _CHANGED) -> Iterator[str]:
    """An operator with one charge point and no sessions; what is in `broken` answers 404."""
    evse = {"uid": "E1", "status": "AVAILABLE", "last_updated": stamp}
    place = {"country_code": "BE", "party_id": "ABC", "id": "L1", "latitude": "50.8", "evses": [evse]}
    place |= {"coordinates": {"latitude": "50.82790", "longitude": "3.26490"}, "last_updated": stamp}

    def answer(path: str, url: str) -> object:
        name = path.strip("/").partition("?")[0]
        modules = [{"identifier": each, "role": "SENDER", "url": f"{url}/{each}"} for each in ("locations", "cdrs")]
        data = {
            "versions": [{"version": "2.2.1", "url": f"{url}/details"}],
            "details": {"endpoints": modules},
            # nothing changes any more
            "locations": [] if "date_from" in path else [place],
            "cdrs": [],
        }[name]
        return None if name in broken else {"data": data, "status_code": 1000}

    with _serving(clock, answer) as url:
        yield f"{url}/versions"


def _asking(settings: Settings, url: str) -> Settings:
    return settings.supplied("charge_points", url=url, sessions="1")


def _land(settings: Settings, now: datetime = NOW) -> list[Landed]:
    return land(settings, settings.contracts()["charge_points"], now)


def _memory(settings: Settings) -> dict[str, object]:
    with State(settings.layout.state) as state:
        return state.memory("charge_points").content


def test_a_part_that_fails_is_a_refusal_of_its_own_beside_what_landed(empty_profile: Callable[..., Settings]) -> None:
    broken = {"cdrs"}
    with _operator(NOW, broken) as url:
        settings = _asking(empty_profile(), url)
        landed, missed = _land(settings)
        assert (landed.outcome, missed.outcome) == (Outcome.LANDED, Outcome.REFUSED)
        assert landed.manifest is not None
        assert landed.manifest.complete_until == NOW
        assert landed.manifest.tables["evses"].accepted == 1
        assert missed.message.startswith(f"charge_points: cdrs not read: {url.removesuffix('/versions')}/cdrs: ")
        assert missed.message.endswith("the rest was landed, the next run asks cdrs again")
        # nothing new, and still at fault
        assert [each.outcome for each in _land(settings)] == [Outcome.UNCHANGED, Outcome.REFUSED]
        broken.clear()
        (again,) = _land(settings)
        assert again.outcome is Outcome.LANDED
        assert again.manifest is not None
        crawls = Lake(settings.layout.lake).read(again.manifest, "crawls", "accepted")
        assert [str(day) for day in crawls["sessions_to_date"]] == ["2026-11-22"]


def test_an_hour_in_which_nothing_changed_lands_as_asked_and_the_next_pull_in_it_does_not(
    empty_profile: Callable[..., Settings],
) -> None:
    settings = empty_profile()
    later = NOW + timedelta(hours=4)
    with _operator(NOW, set()) as url:
        assert [each.outcome for each in _land(_asking(settings, url))] == [Outcome.LANDED]
        assert [each.outcome for each in _land(_asking(settings, url))] == [Outcome.UNCHANGED]
    with _operator(later, set()) as url:
        (landed,) = _land(_asking(settings, url), later)
        assert [each.outcome for each in _land(_asking(settings, url), later)] == [Outcome.UNCHANGED]
    assert landed.manifest is not None
    assert {name: table.accepted for name, table in landed.manifest.tables.items() if table.accepted} == {"crawls": 1}
    assert landed.manifest.supplied_at == landed.manifest.complete_until == later


def test_the_data_team_sees_a_failed_run_and_a_failed_check_and_keeps_what_landed(
    empty_profile: Callable[..., Settings],
) -> None:
    with _operator(NOW, {"cdrs"}) as url:
        settings = _asking(empty_profile(), url)
        definitions = landing_definitions(settings.contracts()["charge_points"], settings)
        with dg.DagsterInstance.ephemeral() as instance:
            run = definitions.resolve_job_def("land_charge_points").execute_in_process(
                instance=instance, raise_on_error=False
            )
    assert not run.success
    checks = {each.check_name: each.passed for each in run.get_asset_check_evaluations()}
    assert checks == {HONOURS_CONTRACT: False}
    assert {event.asset_key for event in run.get_asset_materialization_events()}
    assert len(Lake(settings.layout.lake).live("charge_points")) == 1


def test_a_clock_that_runs_ahead_is_told_and_nothing_is_known_past_our_own_time(
    empty_profile: Callable[..., Settings],
) -> None:
    ahead = NOW + timedelta(hours=5)
    with _operator(ahead, set(), stamp="2026-11-23T10:30:00Z") as url:
        settings = _asking(empty_profile(), url).model_copy(update={"fixed_as_of": None})
        (landed,) = _land(settings)
    assert landed.manifest is not None
    assert "its clock runs 300 min ahead of ours (2026-11-23 11:00 UTC)" in landed.message
    assert "2 objects changed after they were sent (up to 2026-11-23 10:30 UTC)" in landed.message
    until = datetime.fromisoformat(str(_memory(settings)["until"]))
    for moment in (landed.manifest.supplied_at, landed.manifest.complete_until, until):
        assert moment is not None
        assert NOW <= moment < NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("now", "ahead"),
    [(NOW, timedelta(hours=20)), (NOW.replace(hour=22, minute=57), timedelta(minutes=5)), (NOW, timedelta(days=30))],
    ids=["20 hours", "5 minutes before the city's midnight", "30 days"],
)
def test_a_clock_that_already_shows_another_day_loses_no_row(
    empty_profile: Callable[..., Settings], now: datetime, ahead: timedelta
) -> None:
    with _operator(now + ahead, set(), stamp=f"{now + ahead:%Y-%m-%dT%H:%M:%SZ}") as url:
        settings = _asking(empty_profile(), url).model_copy(update={"fixed_as_of": None})
        (landed,) = _land(settings, now)
    assert landed.manifest is not None
    assert [(table.accepted, table.quarantined) for table in landed.manifest.tables.values()] == [
        ({"locations": 1, "evses": 1, "crawls": 1}.get(name, 0), 0) for name in landed.manifest.tables
    ]
    crawl = Lake(settings.layout.lake).read(landed.manifest, "crawls", "accepted").row(0, named=True)
    assert crawl["is_full"]
    assert (str(crawl["crawl_date"]), str(crawl["sessions_to_date"])) == ("2026-11-23", "2026-11-22")
    # the day that the clock already showed is read when it is over
    with _operator(now + timedelta(days=1), set()) as url:
        (again,) = _land(_asking(settings, url), now + timedelta(days=1))
    assert again.manifest is not None
    crawls = Lake(settings.layout.lake).read(again.manifest, "crawls", "accepted")
    assert [str(day) for day in crawls["sessions_to_date"]] == ["2026-11-23"]


def test_the_data_team_reads_of_a_wrong_clock_beside_what_landed_and_beside_nothing_new(
    empty_profile: Callable[..., Settings],
) -> None:
    says = "its clock lags"
    with _operator(NOW - timedelta(days=400), set()) as url:
        settings = _asking(empty_profile(), url).model_copy(update={"fixed_as_of": None})
        definitions = landing_definitions(settings.contracts()["charge_points"], settings)
        job = definitions.resolve_job_def("land_charge_points")
        with dg.DagsterInstance.ephemeral() as instance:
            first, second = [job.execute_in_process(instance=instance) for _ in range(2)]
    made = [event.step_materialization_data.materialization for event in first.get_asset_materialization_events()]
    assert made
    checks = [*first.get_asset_check_evaluations(), *second.get_asset_check_evaluations()]
    for place in (*made, *(check for check in checks if check.check_name == HONOURS_CONTRACT)):
        assert says in str(place.metadata["warnings"].value)
    assert not second.get_asset_materialization_events(), "nothing new came"


def test_a_source_of_which_nothing_is_new_speaks_no_further_than_our_own_clock(
    empty_profile: Callable[..., Settings], tmp_path: Path
) -> None:
    wanted = tmp_path / "swing.csv"
    wanted.write_text("swing_code;kpi_id;unit;geolevel;periodlevel\nbomen;trees_extra;trees;gemeente;year\n", "utf-8")
    with _serving(NOW + timedelta(hours=20), lambda *_: {"value": []}) as url:
        settings = empty_profile().model_copy(update={"fixed_as_of": None})
        settings = settings.supplied("indicators", url=url, mapping=str(wanted))
        (landed,) = land(settings, settings.contracts()["indicators"], NOW)
    assert landed.outcome is Outcome.UNCHANGED, landed.message
    with State(settings.layout.state) as state:
        (progress,) = state.progress()
    assert progress.complete_until is not None
    assert NOW <= progress.complete_until < NOW + timedelta(minutes=5)


def test_a_clock_that_lags_is_told_and_the_source_speaks_only_up_to_it(empty_profile: Callable[..., Settings]) -> None:
    behind = NOW - timedelta(hours=30)
    with _operator(behind, set()) as url:
        settings = _asking(empty_profile(), url).model_copy(update={"fixed_as_of": None})
        (landed,) = _land(settings)
    assert "its clock lags 1800 min behind ours (2026-11-22 00:00 UTC)" in landed.message
    assert landed.manifest is not None
    assert landed.manifest.complete_until == behind
    assert datetime.fromisoformat(str(_memory(settings)["until"])) == behind.astimezone(UTC)


def test_where_time_stands_still_no_clock_is_wrong(empty_profile: Callable[..., Settings]) -> None:
    with _operator(NOW + timedelta(days=300), set()) as url:
        (landed,) = _land(_asking(empty_profile(), url))
    assert landed.outcome is Outcome.LANDED
    assert "clock" not in landed.message
