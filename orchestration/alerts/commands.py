"""`ademruimte outbox …`: what waits to be sent, and whether it may leave."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from warehouse.state import State

outbox = typer.Typer(help="The messages that wait to be sent.", no_args_is_help=True)
_console = Console(highlight=False)


@outbox.command(name="list")
def list_waiting() -> None:
    """Show every message that nobody has yet, and whether the outbox is held."""
    with _state() as state:
        hold, waiting = state.outbox_hold(), state.unsent()
    if hold is not None:
        _console.print(f"held since {hold.since:%Y-%m-%d %H:%M} UTC: {hold.reason}", markup=False, soft_wrap=True)
    for message in waiting:
        tried = f" (failed {message.attempts} times: {message.last_error})" if message.last_error else ""
        _console.print(f"{message.message_key}  {message.subject}{tried}", markup=False, soft_wrap=True)
    _console.print(f"{len(waiting)} messages wait")


@outbox.command()
def hold(reason: Annotated[str, typer.Argument(help="Why no message may leave; shown to whoever asks.")]) -> None:
    """Keep every message in the outbox until it is released."""
    from warehouse.state import Hold

    with _state() as state:
        state.hold_outbox(Hold(reason, datetime.now(UTC)))
    _console.print("held: no message leaves until `ademruimte outbox release`")


@outbox.command()
def release() -> None:
    """Let messages leave again; the next `ademruimte send`, or Dagster within a minute, sends what waits."""
    with _state() as state:
        state.release_outbox()
        waiting = len(state.unsent())
    _console.print(f"released: {waiting} messages may leave")


def _state() -> "State":
    from orchestration.settings import read_settings
    from warehouse.state import State

    return State(read_settings().layout.state)
