"""How tables and columns are described: once, in the dbt project, in Dutch and English.

Belongs here: how such a description is read, and which names of columns mean more than one thing. Does not belong
here: the descriptions.
"""

from collections.abc import Mapping
from typing import Final

_BY_GRAIN: Final = "the same, said for what a row of the table is"
_OF_ITS_ROW: Final = "of the row it stands in: a status, a goal, a build, a driver"
_THEN: Final = "of today in the verdicts, of that day in the history"

SEVERAL: Final[Mapping[str, str]] = {
    "completeness": "received over expected, of what a row of the table is made of",
    "department_id": "who is responsible: for a target, for a building, for an answer",
    "direction": "which way energy flows, and which way a figure should go: both are the word of their trade",
    "empty_reason_nl": _BY_GRAIN,
    "energy_kwh": _BY_GRAIN,
    "first_seen_date": "a meter is seen by its first reading, a charge point by its first mention",
    "forecast_value": _THEN,
    "is_suppressed": "fewer than five, of what the table counts",
    "label_nl": _OF_ITS_ROW,
    "last_updated_at": "of the charge point, and of the period of its history",
    "median_days": "of a step of the guidance; among drivers only those that are steps have one",
    "month_start": "of the calendar, and of the month in which was asked",
    "n": "what is counted behind a value, of what the table measures",
    "p_reach": _THEN,
    "publication_lag_days": "as the registry expects it, and as it was",
    "quarter_start": "of the calendar, and of the quarter in which was asked",
    "rebase_factor": "between two targets, and between two wordings of one",
    "relation": "of a wording to the chosen one, and of a target to an engagement",
    "required_value": "on the day of a figure, and on each day of the path",
    "sector_area_id": "where a charge point lies, and where it lay then",
    "source_name": "the source as the pipeline names it, and in fct_indicator_values whoever measured",
    "status": "the judgement of a target, and the operator's word for a charge point (OCPI)",
    "valid_from_date": "a building from when the city answers for it, an access point from when it is in the register",
    "valid_to_date": "as valid_from_date",
    "value_kpi_id": "empty in the registry where it is kpi_id, never empty in a judgement",
    "year_reached": _BY_GRAIN,
}
"""The names of columns that are described in more than one way, each with its reason; any other means one thing."""


def dutch(description: str) -> str:
    """The Dutch half of a description in the project, `NL … | EN …`, on one line."""
    half, _, _ = description.partition(" | EN ")
    return " ".join(half.removeprefix("NL ").split())
