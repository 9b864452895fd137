"""A supplier's clock beside ours: what may be asked, and concluded, never lies past our own now.

Belongs here: comparing clocks. What a clock is for belongs in the source module that reads it.
"""

from datetime import datetime, timedelta

_CLOCKS_DIFFER = timedelta(minutes=5)
_STAMPS_AHEAD = timedelta(minutes=10)


def not_past(said: datetime, now: datetime | None) -> datetime:
    """The moment a supplier tells, or ours where that comes first: asking too much again loses nothing."""
    return said if now is None else min(said, now)


def clock_warnings(shown: str, said: datetime, now: datetime | None) -> tuple[str, ...]:
    """What to say of a supplier's clock that is more than five minutes off ours.

    Args:
        shown: the address without its query.
        said: the supplier's clock (UTC).
        now: ours at that moment (UTC); None compares nothing.
    """
    if now is None or abs(said - now) <= _CLOCKS_DIFFER:
        return ()
    if said > now:
        return (
            (
                f"{shown}: its clock runs {_minutes(said - now)} ahead of ours ({said:%Y-%m-%d %H:%M} UTC); nothing is "
                "taken as known past our own time. Ask the supplier to set it right"
            ),
        )
    return (
        (
            f"{shown}: its clock lags {_minutes(now - said)} behind ours ({said:%Y-%m-%d %H:%M} UTC); the source "
            "speaks only up to there. Ask the supplier to set it right, or to send no stored answers"
        ),
    )


def disagreement(shown: str, first: datetime, second: datetime) -> tuple[str, ...]:
    """What to say where one answer tells two times more than five minutes apart; the earlier counts."""
    if abs(first - second) <= _CLOCKS_DIFFER:
        return ()
    return (
        (
            f"{shown}: tells two times, {min(first, second):%Y-%m-%d %H:%M} and {max(first, second):%Y-%m-%d %H:%M} "
            "UTC; the earlier counts. Ask the supplier which of its clocks is wrong"
        ),
    )


def stamp_warnings(shown: str, stamps: list[datetime], sent_at: datetime) -> tuple[str, ...]:
    """What to say of objects that changed more than ten minutes after they were sent."""
    ahead = [stamp for stamp in stamps if stamp > sent_at + _STAMPS_AHEAD]
    if not ahead:
        return ()
    return (
        (
            f"{shown}: {len(ahead)} objects changed after they were sent (up to {max(ahead):%Y-%m-%d %H:%M} UTC); they "
            "count as changed when they were sent. Ask the supplier"
        ),
    )


def _minutes(apart: timedelta) -> str:
    return f"{round(apart / timedelta(minutes=1))} min"
