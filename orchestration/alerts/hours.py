"""When a department may be written to: the working hours of its city.

Belongs here: hours, days, weeks. Does not belong here: what is told (`policy`).
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts.cities.calendar import is_working_day
from contracts.cities.profile import City

OPENS, CLOSES = time(8), time(18)
"""City time; a message that is due outside of these hours waits for the next working day."""

_A_DAY = timedelta(days=1)


def city_day(city: City, moment: datetime) -> date:
    """The calendar day of a moment in a city."""
    return _local(city, moment).date()


def moment_of(city: City, fixed: date | None, now: datetime) -> datetime:
    """The moment that counts: now, or the opening of the day at which a profile stands still."""
    return opening(city, fixed) if fixed else now


def is_open(city: City, moment: datetime) -> bool:
    """Whether a department may be written to at a moment."""
    local = _local(city, moment)
    return OPENS <= local.time() < CLOSES and is_working_day(city, local.date())


def next_opening(city: City, moment: datetime) -> datetime:
    """The first moment after `moment` at which working hours begin."""
    local = _local(city, moment)
    first = local.date() if local.time() < OPENS else local.date() + _A_DAY
    return opening(city, first_working_day(city, first))


def opening(city: City, day: date) -> datetime:
    """The moment at which working hours begin on a day."""
    return datetime.combine(day, OPENS, ZoneInfo(city.time_zone))


def monday_of(day: date) -> date:
    """The first day of its ISO week."""
    return day - timedelta(days=day.weekday())


def first_working_day(city: City, day: date) -> date:
    """That day, or the first after it on which the city works."""
    while not is_working_day(city, day):
        day += _A_DAY
    return day


def _local(city: City, moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(city.time_zone))
