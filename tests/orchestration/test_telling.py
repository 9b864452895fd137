"""What a published build tells on which day, by the real outbox."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from orchestration.loop.build import build
from orchestration.loop.messages import fill_data_team, held_until, send, waiting_messages
from orchestration.loop.run_failures import note_run_failure
from orchestration.loop.telling import fill_outbox, preview
from orchestration.report import published_frame
from orchestration.settings import Settings
from tests.orchestration.profiles import NOW
from tests.orchestration.test_cli import Run, own_logger, run  # noqa: F401 - fixtures of the command line
from tests.verdicts.three_years import FIRST, YEARS, three_years
from warehouse.state import OutboxMessage, State

ON_TUESDAY = date(2026, 11, 24)


@pytest.fixture
def awake(own_demo: Settings) -> Settings:
    """The demo on the clock of the wall; what was told on its Monday was told."""
    return own_demo.model_copy(update={"fixed_as_of": None})


def at(day: date, hour: int) -> datetime:
    """In winter the city is an hour ahead."""
    return datetime(day.year, day.month, day.day, hour - 1, tzinfo=UTC)


def change(settings: Settings, target: str, **columns: object) -> None:
    """Judges a target otherwise in the build that readers see."""
    file = settings.layout.published / "current" / "parquet" / "verdicts" / "fct_target_verdicts.parquet"
    rows = pl.read_parquet(file)
    is_it = pl.col("target_id") == target
    changed = [
        pl.when(is_it).then(pl.lit(value)).otherwise(pl.col(name)).alias(name) for name, value in columns.items()
    ]
    file.unlink()
    rows.with_columns(changed).write_parquet(file)


def falls_behind(settings: Settings) -> str:
    """A binding target that was on track is behind from now on."""
    verdicts = published_frame(settings, "verdicts.fct_target_verdicts")
    fine = (pl.col("status") == "on_track") & pl.col("is_first_of_story") & pl.col("is_binding")
    target = str(verdicts.filter(fine).sort("target_id")["target_id"][0])
    change(settings, target, status="behind", status_nl="achter op schema", is_alarm=True)
    return target


def told(settings: Settings, since: datetime) -> list[OutboxMessage]:
    with State(settings.layout.state) as state:
        return [row for row in state.unsent() if row.created_at >= since]


def reason(settings: Settings, target: str) -> tuple[str, str, date | None]:
    with State(settings.layout.state) as state:
        *_, last = (each for each in state.alerts() if each.target_id == target)
    return last.outcome, last.reason, last.until


def another_build(settings: Settings) -> None:
    """The log has nothing of the build that readers see: as of another one with the same figures."""
    with sqlite3.connect(settings.layout.state) as state:
        state.execute("update alerts set last_build_id = last_build_id || '-before'")
    state.close()


def test_what_falls_behind_on_a_tuesday_is_told_on_that_day_once_and_alone(awake: Settings) -> None:
    target = falls_behind(awake)
    another_build(awake)
    assert fill_outbox(awake, at(ON_TUESDAY, 9)) == 1
    assert fill_outbox(awake, at(ON_TUESDAY, 15)) == 0
    ((message),) = told(awake, at(ON_TUESDAY, 8))
    assert message.period == "2026-11-24"
    assert message.message_key.endswith(":2026-11-24")
    assert reason(awake, target)[:2] == ("told", "behind")


def test_what_falls_behind_at_night_is_held_until_the_morning_and_told_then(awake: Settings) -> None:
    target = falls_behind(awake)
    another_build(awake)
    assert fill_outbox(awake, at(ON_TUESDAY, 22)) == 0
    assert reason(awake, target) == ("held", "behind", date(2026, 11, 25))
    assert fill_outbox(awake, at(ON_TUESDAY + timedelta(days=1), 8)) == 1


def test_what_recovers_before_anybody_was_told_is_never_told(awake: Settings) -> None:
    target = falls_behind(awake)
    another_build(awake)
    assert fill_outbox(awake, at(ON_TUESDAY, 22)) == 0
    change(awake, target, status="on_track", status_nl="op schema", is_alarm=False)
    another_build(awake)
    assert fill_outbox(awake, at(ON_TUESDAY + timedelta(days=1), 8)) == 0
    assert reason(awake, target)[0] == "silent"


def test_a_second_target_on_the_same_day_waits_for_the_next(awake: Settings) -> None:
    falls_behind(awake)
    another_build(awake)
    assert fill_outbox(awake, at(ON_TUESDAY, 9)) == 1
    with State(awake.layout.state) as state:
        *_, urgent = (row for row in state.unsent() if row.period == "2026-11-24")
    verdicts = published_frame(awake, "verdicts.fct_target_verdicts")
    its = (pl.col("department_id") == urgent.department_id) & pl.col("is_first_of_story") & ~pl.col("is_alarm")
    other = str(verdicts.filter(its & (pl.col("status") != "at_risk")).sort("target_id")["target_id"][0])
    due = {"target_date": date(2026, 6, 30), "ref_date": date(2026, 10, 31)}
    change(awake, other, status="overdue", status_nl="termijn verstreken", is_alarm=True, **due)
    another_build(awake)
    assert fill_outbox(awake, at(ON_TUESDAY, 14)) == 0
    assert reason(awake, other) == ("held", "overdue", date(2026, 11, 25))
    assert fill_outbox(awake, at(ON_TUESDAY + timedelta(days=1), 8)) == 1


def test_a_mail_server_that_comes_back_at_night_gets_the_messages_of_departments_in_the_morning(
    awake: Settings,
) -> None:
    night, morning = at(ON_TUESDAY, 22), at(ON_TUESDAY + timedelta(days=1), 8)
    note_run_failure(awake, "build", "run-1", "no room", night)
    assert fill_data_team(awake, night) == 1
    assert waiting_messages(awake, night) == 1
    assert send(awake, night) == (1, 0)
    assert (waiting_messages(awake, night), held_until(awake, night)) == (0, morning)
    assert send(awake, morning).sent > 1
    assert held_until(awake, night + timedelta(days=1)) is None


def test_what_a_head_puts_off_is_silent_until_its_end_and_then_it_is_told(
    own_demo: Settings,
    run: Run,  # noqa: F811 - the fixture
) -> None:
    with State(own_demo.layout.state) as state:
        late = sorted({each.target_id for each in state.alerts() if each.level == "late" and each.outcome == "told"})
    for target in late:
        put_off = run(own_demo, "alerts", "snooze", target, "--until", "2026-12-14", "--reason", "bestek loopt")
        assert put_off.exit_code == 0, put_off.output
    for week, expected in ((1, ("silent", "snoozed", date(2026, 12, 14))), (3, ("told", "reminder", None))):
        monday = own_demo.model_copy(update={"fixed_as_of": date(2026, 11, 23) + timedelta(weeks=week)})
        another_build(own_demo)
        fill_outbox(monday, NOW)
        assert {reason(own_demo, target) for target in late} == {expected}


def test_what_a_head_answered_stands_in_the_next_mail_and_each_target_has_its_link(
    own_demo: Settings,
    run: Run,  # noqa: F811 - the fixture
) -> None:
    with State(own_demo.layout.state) as state:
        late = next(each for each in state.alerts() if each.reason == "behind" and each.outcome == "told")
    plan = ("--fact", "te weinig", "--cause", "de aannemer", "--action", "we gunnen opnieuw", "--owner", "diensthoofd")
    noted = run(own_demo, "alerts", "plan", late.target_id, *plan, "--date", "2027-03-01")
    assert noted.exit_code == 0, noted.output
    assert run(own_demo, "alerts", "dispute", late.target_id, "--reason", "de teller staat stil").exit_code == 0
    # whoever answered has seen it: a month of rest
    after = own_demo.model_copy(
        update={"fixed_as_of": date(2027, 1, 4), "web_url": "https://doelen.stad.test", "sender": "bord@stad.test"}
    )
    another_build(own_demo)
    assert fill_outbox(after, NOW) > 0
    (row,) = (
        each for each in told(own_demo, datetime(2027, 1, 1, tzinfo=UTC)) if each.department_id == late.department_id
    )
    mail = message_from_bytes(row.message, EmailMessage, policy=policy.default)
    for kind in ("plain", "html"):
        words = " ".join(mail.get_body((kind,)).get_content().split())
        assert "We gunnen opnieuw (diensthoofd, tegen 01/03/2027)" in words
        assert "dat dit niet klopt. Dat wordt nagekeken." in words
        assert "https://doelen.stad.test/doel/" in words


def test_what_nobody_answers_goes_to_the_deputy_and_the_coordinator_and_then_to_the_director(
    own_demo: Settings, tmp_path: Path
) -> None:
    with State(own_demo.layout.state) as state:
        late = next(each for each in state.alerts() if each.reason == "behind" and each.outcome == "told")
    readers = tmp_path / "readers.csv"
    readers.write_text(
        "department_id,email,absent_from,absent_until,deputy_email\n"
        f"{late.department_id},hoofd@stad.test,2027-08-01,2027-08-15,vervanger@stad.test\n"
        "coordinator,klimaat@stad.test,,,\ngeneral_director,directie@stad.test,,,\n",
        encoding="utf-8",
    )
    heard: dict[int, set[str]] = {}
    for week in (1, 6, 11, 16):
        monday = own_demo.model_copy(
            update={
                "fixed_as_of": date(2026, 11, 23) + timedelta(weeks=week),
                "recipients": readers,
                "web_url": "https://doelen.stad.test",
            }
        )
        another_build(own_demo)
        with State(own_demo.layout.state) as state:
            before = {row.message_key for row in state.unsent()}
        fill_outbox(monday, NOW)
        with State(own_demo.layout.state) as state:
            fresh = [row for row in state.unsent() if row.message_key not in before]
        heard[week] = {row.department_id for row in fresh} & {
            f"{late.department_id}.deputy",
            "coordinator",
            "general_director",
        }
    nearby = {f"{late.department_id}.deputy", "coordinator"}
    assert heard == {1: set(), 6: nearby, 11: nearby, 16: nearby | {"general_director"}}
    (row,) = (row for row in fresh if row.department_id == "general_director")
    mail = message_from_bytes(row.message, EmailMessage, policy=policy.default)
    assert "zonder antwoord – algemeen directeur" in mail["Subject"]
    assert "Verantwoordelijk: afdeling " in mail.get_body(("plain",)).get_content()
    assert send(own_demo, NOW).failed == 0
    assert any(file.name.endswith(".deputy.eml") for file in own_demo.layout.mail.iterdir())


def test_a_look_ahead_makes_no_key(own_demo: Settings) -> None:
    ahead = preview(own_demo.model_copy(update={"web_url": "https://doelen.stad.test"}), NOW)
    assert ahead is not None
    assert not own_demo.web_key_file.exists()


def test_a_target_of_a_department_that_nobody_knows_goes_to_the_coordinator(own_demo: Settings, tmp_path: Path) -> None:
    readers = tmp_path / "readers.csv"
    readers.write_text("department_id,email\ncoordinator,klimaat@stad.test\n", encoding="utf-8")
    with State(own_demo.layout.state) as state:
        late = next(each for each in state.alerts() if each.reason == "behind" and each.outcome == "told")
    change(own_demo, late.target_id, department_id="opgeheven")
    another_build(own_demo)
    monday = own_demo.model_copy(update={"fixed_as_of": date(2026, 11, 30), "recipients": readers})
    fill_outbox(monday, NOW)
    with State(own_demo.layout.state) as state:
        told = {(each.department_id, each.outcome) for each in state.alerts() if each.target_id == late.target_id}
    assert ("coordinator", "told") in told


def test_a_machine_that_slept_through_monday_tells_on_tuesday(awake: Settings) -> None:
    monday = date(2026, 11, 30)
    assert fill_outbox(awake, at(monday + timedelta(days=1), 10)) > 0
    assert fill_outbox(awake, at(monday + timedelta(days=2), 10)) == 0


def test_a_profile_of_before_there_was_a_policy_tells_nothing_again(awake: Settings) -> None:
    with sqlite3.connect(awake.layout.state) as before:
        for name in ("digest_weeks", "answers"):
            before.execute(f"drop table {name}")
        for name in ("topic", "level", "points", "months", "until"):
            before.execute(f"alter table alerts drop column {name}")
        before.execute("update alerts set reason = 'nothing_wrong' where reason = 'first_seen'")
        before.execute("pragma user_version = 4")
    before.close()
    verdicts = published_frame(awake, "verdicts.fct_target_verdicts")
    with State(awake.layout.state) as state:
        late = next(each for each in state.alerts() if each.reason == "behind" and each.outcome == "told")
    fine = (pl.col("department_id") == late.department_id) & (pl.col("status") == "on_track")
    at_risk = str(verdicts.filter(fine & pl.col("is_first_of_story")).sort("target_id")["target_id"][0])
    change(awake, at_risk, status="at_risk", attention_nl="Let op.")
    another_build(awake)
    assert fill_outbox(awake, at(ON_TUESDAY, 9)) == 0
    assert reason(awake, at_risk) == ("held", "at_risk", date(2026, 11, 30)), "this week's mail does not tell it"
    target = falls_behind(awake)
    another_build(awake)
    fill_outbox(awake, at(ON_TUESDAY + timedelta(days=7), 9))
    assert reason(awake, target)[:2] == ("told", "behind")


def test_the_job_of_every_morning_tells_what_waited(own_demo: Settings) -> None:
    from orchestration.defs.sending import definitions  # noqa: PLC0415 - few tests need Dagster

    later = own_demo.model_copy(update={"fixed_as_of": date(2026, 11, 30)})
    found = dg.Definitions.merge(definitions(later), dg.Definitions(resources={"settings": later}))
    (schedule,) = (each for each in found.schedules or () if each.name == "tell_departments_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 8 * * *", "Europe/Brussels")
    assert found.resolve_job_def("tell_departments").execute_in_process().success
    with State(own_demo.layout.state) as state:
        assert {row.period for row in state.unsent()} == {"2026-W48", "2026-W49"}


def demo_days(verdicts: pl.DataFrame) -> Iterator[tuple[date, pl.DataFrame]]:
    return ((FIRST + timedelta(days=day), verdicts) for day in range(365 * YEARS))


def test_three_years_of_a_city_where_nothing_moves_remind_once_a_month(demo: Settings) -> None:
    verdicts = published_frame(demo, "verdicts.fct_target_verdicts")
    inbox = three_years(demo_days(verdicts), at=(8,))
    late = {*verdicts.filter(pl.col("is_alarm"))["department_id"]}
    assert late <= {each.department_id for each in inbox.messages}
    for department in {each.department_id for each in inbox.messages}:
        days = sorted(each.day for each in inbox.messages if each.department_id == department)
        assert all(after - before >= timedelta(days=28) for before, after in pairwise(days[1:])), department
        assert len(days) <= 2 + 12 * YEARS


@pytest.mark.builds  # a build of its own
def test_the_next_build_shows_readers_why_they_heard_nothing(own_demo: Settings) -> None:
    with State(own_demo.layout.state) as state:
        decided = {(each.department_id, each.target_id, each.topic): each for each in state.alerts()}
    assert published_frame(own_demo, "marts.fct_alert_log").is_empty(), "what a build tells is decided after it"
    build(own_demo.model_copy(update={"fixed_as_of": ON_TUESDAY}), NOW + timedelta(days=1))
    log = published_frame(own_demo, "marts.fct_alert_log")
    told = log.filter(pl.col("outcome") == "told")
    assert set(told["outcome_nl"]) == {"gemeld"}
    assert log.height == len(decided)
    for row in log.iter_rows(named=True):
        each = decided[row["department_id"], row["target_id"], row["topic"]]
        assert (row["status"], row["outcome"], row["alert_reason"]) == (each.status, each.outcome, each.reason)
        assert row["alert_reason_nl"], "every reason has its words"
    assert log["date_key"].unique().to_list() == [date(2026, 11, 23)]
