"""Opening hours of OCPI (2.2.1, 8.4.14): how many hours a day a place is open, at least.

Belongs here: reading `opening_times`. Does not belong here: what the hours weigh.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?")
_DAY_MINUTES = 24 * 60
_WEEKDAYS = range(1, 8)

Period = tuple[int, int]


def least_hours_a_day(opening_times: object) -> float | None:
    """Open hours on the weekday with the fewest; a weekday that is not named is closed.

    Exceptional openings and closings are no part of a usual week.

    Args:
        opening_times: an OCPI Hours object.

    Returns:
        Hours, 0 to 24; None where the hours are not said or cannot be read.
    """
    said = opening_times if isinstance(opening_times, dict) else {}
    if said.get("twentyfourseven") is True:
        return 24.0
    regular = said.get("regular_hours")
    if not isinstance(regular, list) or not regular:
        return None
    open_on: dict[int, list[Period]] = defaultdict(list)
    for sent in regular:
        periods = _periods(sent)
        if periods is None:
            return None
        for weekday, period in periods:
            open_on[weekday].append(period)
    return min(_merged_minutes(open_on[weekday]) for weekday in _WEEKDAYS) / 60


def _periods(sent: object) -> list[tuple[int, Period]] | None:
    """A RegularHours object as periods of minutes on a weekday."""
    said = sent if isinstance(sent, dict) else {}
    weekday, begin, end = said.get("weekday"), _minute(said.get("period_begin")), _minute(said.get("period_end"))
    if not isinstance(weekday, int) or weekday not in _WEEKDAYS or begin is None or end is None:
        return None
    # a day ends at 23:59 for whom 24:00 does not exist
    end = _DAY_MINUTES if end in (0, _DAY_MINUTES - 1) else end
    if begin < end:
        return [(weekday, (begin, end))]
    # the specification wants two periods over midnight, operators write one
    return [(weekday, (begin, _DAY_MINUTES)), (weekday % 7 + 1, (0, end))]


def _minute(written: object) -> int | None:
    found = _CLOCK.fullmatch(str(written))
    minute = int(found[1]) * 60 + int(found[2]) if found else None
    return minute if minute is not None and minute <= _DAY_MINUTES else None


def _merged_minutes(periods: Iterable[Period]) -> int:
    """Minutes within at least one period."""
    total = reached = 0
    for begin, end in sorted(periods):
        total += max(end - max(begin, reached), 0)
        reached = max(reached, end)
    return total
