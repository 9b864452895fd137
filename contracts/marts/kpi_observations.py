"""What the city promises of every KPI observation it publishes: volume, drift and plausibility.

Belongs here: the description of the one suite at the exit. Does not belong here: types, nulls and keys (pandera
checks those at the door, dbt in the marts), nor the engine that runs the suite (`orchestration.quality`).
"""

from dataclasses import dataclass
from enum import StrEnum


class Concern(StrEnum):
    """What an expectation watches over."""

    VOLUME = "volume"
    DRIFT = "drift"
    PLAUSIBILITY = "plausibility"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation of one column; a missing value is no failure.

    Attributes:
        name: unique within the suite.
        column: a column of the observations, or one of the measures named in `MEASURES`.
        minimum: smallest value allowed, inclusive; None is unlimited.
        maximum: largest value allowed, inclusive; None is unlimited.
        reason_nl: what a reader is told when it fails, in plain Dutch.
        kpi_id: the only KPI it is about; None is all.
        unit: it is about KPIs whose unit starts with this; the longest that fits wins, a `kpi_id` wins over both.
    """

    name: str
    column: str
    minimum: float | None
    maximum: float | None
    reason_nl: str
    concern: Concern
    kpi_id: str | None = None
    unit: str | None = None


MEASURES = {
    "days_to_ref_date": "days from the start of the period to its reference date",
    "kept_share": "rows of the KPI in this build as a share of those in the previous one; missing for the first",
    "step_ratio": "newest change of the value as a multiple of its usual change; missing without enough history",
}
"""Columns the engine derives before it runs the suite."""

EVERY_KPI = (
    Expectation(
        "completeness_is_a_share", "completeness", 0, 1, "de volledigheid ligt niet tussen 0 en 1", Concern.PLAUSIBILITY
    ),
    Expectation(
        "the_period_starts_before_its_reference_date",
        "days_to_ref_date",
        0,
        None,
        "de periode begint na haar peildatum",
        Concern.PLAUSIBILITY,
    ),
    Expectation("counts_are_not_negative", "n", 0, None, "het aantal getelde eenheden is negatief", Concern.VOLUME),
    Expectation(
        "history_does_not_shrink",
        "kept_share",
        0.9,
        None,
        "meer dan 10% van de eerdere waarnemingen is weg",
        Concern.VOLUME,
    ),
    Expectation(
        "the_newest_change_is_of_a_usual_size",
        "step_ratio",
        None,
        25,
        "de nieuwste waarde springt meer dan 25 keer zo ver als gewoonlijk",
        Concern.DRIFT,
    ),
)

PLAUSIBLE_VALUES = (
    Expectation("an_amount_is_not_negative", "value", 0, None, "een waarde is negatief", Concern.PLAUSIBILITY, unit=""),
    Expectation(
        "a_share_is_between_0_and_100",
        "value",
        0,
        100,
        "een percentage ligt niet tussen 0 en 100",
        Concern.PLAUSIBILITY,
        unit="%",
    ),
    Expectation(
        "a_change_is_between_minus_100_and_100",
        "value",
        -100,
        100,
        "een verandering ligt niet tussen -100% en 100%",
        Concern.PLAUSIBILITY,
        unit="% change",
    ),
    Expectation(
        "a_milestone_is_between_0_and_1",
        "value",
        0,
        1,
        "een mijlpaal is niet 0 of 1",
        Concern.PLAUSIBILITY,
        unit="milestone 0/1",
    ),
)

SUITE = EVERY_KPI + PLAUSIBLE_VALUES


def expectations_of(kpi_id: str, unit: str) -> list[Expectation]:
    """The expectations that hold for one KPI: those of every KPI and the closest one about its value.

    Args:
        kpi_id: the KPI.
        unit: the unit of its observations, as the registry writes it.
    """
    own = [expectation for expectation in PLAUSIBLE_VALUES if expectation.kpi_id == kpi_id]
    fitting = [rule for rule in PLAUSIBLE_VALUES if rule.unit is not None and unit.startswith(rule.unit)]
    return [*EVERY_KPI, *(own or sorted(fitting, key=lambda rule: len(rule.unit or ""))[-1:])]
