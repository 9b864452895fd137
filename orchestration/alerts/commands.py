"""`ademruimte outbox …`: what waits to be sent, and whether it may leave. `ademruimte alerts …`: how it leaves."""

import sys
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from orchestration.settings import Settings
    from warehouse.state import State

outbox = typer.Typer(help="The messages that wait to be sent, and those that were given up.", no_args_is_help=True)
alerts = typer.Typer(help="What departments are told, and the ways by which it leaves.", no_args_is_help=True)
_console = Console(highlight=False)
_DAY = ["%Y-%m-%d"]
_Target = Annotated[str, typer.Argument(metavar="TARGET_ID", help="As `ademruimte targets list` shows it.")]
# what a command calls otherwise than the state
_OPTIONS = {"due_date": "date"}


@outbox.command(name="list")
def list_waiting() -> None:
    """Show every message that nobody has yet, those that were given up, and whether the outbox is held."""
    with _state() as state:
        hold, waiting, dead, broken = state.outbox_hold(), state.unsent(), state.dead_letters(), state.broken_lines()
    if hold is not None:
        _say(f"held since {hold.since:%Y-%m-%d %H:%M} UTC: {hold.reason}")
    for line in broken:
        _say(f"{line.line} delivers nothing since {line.since:%Y-%m-%d %H:%M} UTC: {line.reason}")
    for message in waiting:
        tried = f" (failed {message.attempts} times: {message.last_error})" if message.last_error else ""
        _say(f"{message.message_key}  {message.subject}{tried}")
    for message in dead:
        _say(f"{message.message_key}  {message.subject} (given up: {message.last_error})")
    _say(f"{len(waiting)} messages wait")
    if dead:
        _say(
            f"{len(dead)} given up: `ademruimte outbox release KEY` tries one again, `outbox close KEY REASON` ends it"
        )


@outbox.command()
def hold(reason: Annotated[str, typer.Argument(help="Why no message may leave; shown to whoever asks.")]) -> None:
    """Keep every message in the outbox until it is released."""
    from warehouse.state import Hold

    with _state() as state:
        state.hold_outbox(Hold(reason, datetime.now(UTC)))
    _say("held: no message leaves until `ademruimte outbox release`")


@outbox.command()
def release(
    key: Annotated[list[str] | None, typer.Argument(help="Messages that were given up: they are tried again.")] = None,
) -> None:
    """Let messages leave again: all when none is named, or those that were given up; Dagster sends within a minute."""
    with _state() as state:
        unknown = [each for each in key or () if not state.revive(each)]
        if not key:
            state.release_outbox()
        waiting = len(state.unsent())
    _say(f"released: {waiting} messages may leave")
    _refuse(unknown)


@outbox.command()
def close(
    key: Annotated[str, typer.Argument(help="A message that was given up, as `ademruimte outbox list` shows it.")],
    reason: Annotated[str, typer.Argument(help="Why it need not arrive any more.")],
) -> None:
    """End a message that was given up; it is kept, and nobody is reminded of it."""
    with _state() as state:
        is_closed = state.close_letter(key, reason, datetime.now(UTC))
    _refuse([] if is_closed else [key])
    _say(f"closed: {key}")


@alerts.command(name="test-send")
def send_test(
    way: Annotated[
        str | None, typer.Option("--channel", help="mail or teams; all that are set when none is named.")
    ] = None,
    department: Annotated[str, typer.Option(help="Who gets it; the data team when nobody is named.")] = "data_team",
) -> None:
    """Send one message that says that it is a test, and name what is wrong where it does not arrive."""
    from orchestration.loop.proving import prove

    proofs = prove(_settings(), department, datetime.now(UTC), only=way)
    if not proofs:
        raise typer.BadParameter("no such channel is set; there are mail and teams")
    for proof in proofs:
        _say(f"{proof.way}: {proof.told}")
    sys.exit(0 if all(proof.is_delivered for proof in proofs) else 1)


@alerts.command()
def preview(
    *, with_silent: Annotated[bool, typer.Option("--all", help="Every silent target too, with why.")] = False
) -> None:
    """Show what tomorrow would tell as things stand, and why the rest is silent; nothing is written or sent."""
    from orchestration.alerts.decisions import silence_of
    from orchestration.alerts.policy import Outcome
    from orchestration.loop.telling import preview as look_ahead

    settings = _settings()
    ahead = look_ahead(settings, datetime.now(UTC))
    if ahead is None:
        raise typer.BadParameter(f"nothing is published yet under {settings.layout.root}; run `ademruimte build`")
    for department, heading in ahead.headings.items():
        _say(f"{department}: {heading}")
    silent = [each for each in ahead.alerts if each.outcome != Outcome.TOLD]
    _say(f"{len(ahead.headings)} messages; {len(silent)} targets stay silent:")
    for words, count in Counter(silence_of(each) for each in silent).most_common():
        _say(f"  {count:4d}  {words}")
    for each in silent if with_silent else ():
        _say(f"{each.department_id or '-'}  {ahead.titles[each.target_id]}: {silence_of(each)}")


@alerts.command()
def log(
    department: Annotated[str | None, typer.Option(metavar="CODE", help="Only what this department was told.")] = None,
    target: Annotated[str | None, typer.Option(metavar="TARGET_ID", help="Only this target.")] = None,
) -> None:
    """Why did I hear nothing? What was decided of each target, since when, by how many builds, and where it went."""
    from orchestration.alerts.decisions import fate_of

    with _state() as state:
        decided = [
            each
            for each in state.alerts()
            if department in (None, each.department_id) and target in (None, each.target_id)
        ]
        fates, held = state.fates(), state.outbox_hold()
    if held is not None:
        _say(f"what waits is held since {held.since:%Y-%m-%d %H:%M} UTC: {held.reason}")
    for each in decided:
        days = f"{each.first_at:%Y-%m-%d} to {each.last_at:%Y-%m-%d}, {each.builds} builds"
        _say(f"{each.department_id or '-'}  {each.target_id}  {each.status}: {fate_of(each, fates)} ({days})")
    _say(f"{len(decided)} decisions")


@alerts.command()
def seen(target: _Target) -> None:
    """Note for its department that it saw a target, as the button in its mail does."""
    _note(target, "seen")


@alerts.command()
def snooze(
    target: _Target,
    until: Annotated[datetime, typer.Option(formats=_DAY, help="The first day on which it is told again.")],
    reason: Annotated[str, typer.Option(help="Why; no names.")],
) -> None:
    """Put a target off: its department hears nothing of it until a day, at most half a year away."""
    _note(target, "snooze", until=until.date(), reason=reason)


@alerts.command()
def wake(target: _Target) -> None:
    """End what puts a target off."""
    _note(target, "snooze_ended")


@alerts.command()
def plan(  # noqa: PLR0913, PLR0917 - each is an option of its own
    target: _Target,
    fact: Annotated[str, typer.Option(help="What is the matter.")],
    cause: Annotated[str, typer.Option(help="What it comes from.")],
    action: Annotated[str, typer.Option(help="What will be done.")],
    owner: Annotated[str, typer.Option(metavar="ROLE", help="The function that sees to it; no name.")],
    date: Annotated[datetime, typer.Option(formats=_DAY, help="When it should be done.")],
) -> None:
    """Note what a department means to do about a target; it replaces the plan that stood there."""
    from warehouse.state import Plan

    _note(target, "plan", plan=Plan(fact, cause, action, owner, date.date()))


@alerts.command()
def dispute(target: _Target, reason: Annotated[str, typer.Option(help="What is wrong; no names.")]) -> None:
    """Note that a department says that a target is told wrong; it stands until `settle` answers it."""
    _note(target, "dispute", reason=reason)


@alerts.command()
def settle(target: _Target, reason: Annotated[str, typer.Option(help="What the answer is; no names.")]) -> None:
    """Answer what a department disputes: the figure was mended, or why it is right."""
    from orchestration.alerts.answering import standings
    from orchestration.alerts.answers import Standing

    settings = _settings()
    stands = standings(settings, settings.as_of(datetime.now(UTC))).get(_known(settings, target), Standing())
    if stands.dispute is None:
        raise typer.BadParameter(f"{target}: nothing is disputed")
    _note(target, "dispute_closed", reason=reason)


def _note(target: str, kind: str, **said: Any) -> None:  # noqa: ANN401 - what an answer of its kind holds
    from orchestration.alerts.answering import give
    from orchestration.alerts.answers import AnswerRefusedError
    from orchestration.alerts.data_team import DATA_TEAM
    from orchestration.report import published_verdicts
    from warehouse.state import Answer

    settings = _settings()
    owners = dict(published_verdicts(settings).select("target_id", "department_id").iter_rows())
    department = owners[_known(settings, target)] or DATA_TEAM
    try:
        give(settings, Answer(target, department, kind, datetime.now(UTC), "cli", **said))
    except AnswerRefusedError as refused:
        option = _OPTIONS.get(refused.field, refused.field)
        raise typer.BadParameter(f"--{option} {refused.fault.en}") from None
    _say(f"{target}: noted for {department}")


def _known(settings: "Settings", target: str) -> str:
    from difflib import get_close_matches

    from orchestration.report import published_verdicts

    verdicts = published_verdicts(settings)
    if target in verdicts["target_id"]:
        return target
    named = {str(title).casefold(): each for each, title in verdicts.select("target_id", "title_nl").iter_rows()}
    near = get_close_matches(target, verdicts["target_id"], n=1) or [
        named[title] for title in get_close_matches(target.casefold(), named, n=1)
    ]
    did_you_mean = f"did you mean {near[0]}?" if near else "`ademruimte targets list` shows them"
    raise typer.BadParameter(f"no target {target}; {did_you_mean}")


def _refuse(unknown: list[str]) -> None:
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: no message of that key was given up; `ademruimte outbox list`")


def _say(text: str) -> None:
    _console.print(text, markup=False, soft_wrap=True)


def _settings() -> "Settings":
    from orchestration.settings import read_settings

    return read_settings()


def _state() -> "State":
    from warehouse.state import State

    return State(_settings().layout.state)
