"""A failed step as the data team reads it: in words.

Belongs here: making such a failure, and finding its words again. Does not belong here: deciding that a step fails.
"""

from dagster import DagsterEvent
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.error import SerializableErrorInfo

_OURS = ("contracts.", "ingestion.", "orchestration.", "warehouse.")


def refusal(reason: str) -> DagsterUserCodeProcessError:
    """What to raise where a step refuses something: the run fails and shows the reason.

    `dagster.Failure` would show the lines of our own code below it, as if those were broken. This is the one error that
    Dagster shows as it is told.
    """
    told = SerializableErrorInfo(reason, [], None)
    return DagsterUserCodeProcessError(reason, user_code_process_error_infos=[told])  # type: ignore[no-untyped-call]


def reason_of(event: DagsterEvent) -> str:
    """The innermost message of a failed step or run: ours, where we raised it."""
    # a run whose process was killed has no error, only what Dagster says of it
    error: SerializableErrorInfo | None = getattr(event.event_specific_data, "error", None)
    while error is not None and error.cause is not None:
        error = error.cause
    if error is None:
        return event.message or "failed without a reason"
    # our own errors say everything in words; of a stranger's the class says half of it
    return (error.message.partition(": ")[2] if error.message.startswith(_OURS) else error.message).strip()
