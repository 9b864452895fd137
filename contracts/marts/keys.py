"""The keys of the published tables: which row a column names, said once by the name of the column.

Belongs here: names only. Does not belong here: the tests that hold a table to them (the relationship tests of dbt).
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Named(NamedTuple):
    """What a key names a row of."""

    table: str
    column: str


_AREA: Final = Named("dim_area", "area_id")
_BUILD: Final = Named("dim_build", "build_id")
_CHARGE_POINT: Final = Named("dim_charge_point", "evse_key")
_DAY: Final = Named("dim_date", "date_day")
_DEPARTMENT: Final = Named("dim_department", "department_id")
_KPI: Final = Named("dim_kpi", "kpi_id")
_STATUS: Final = Named("dim_status", "status")
_TARGET: Final = Named("dim_target", "target_id")

DATE_KEY: Final = "date_key"
"""The column of every fact that relates it to the calendar: the city's date."""

KEYS: Final[Mapping[str, Named]] = {
    "alias_of": _TARGET,
    "alias_target_id": _TARGET,
    "area_id": _AREA,
    "beside_kpi_id": _KPI,
    "build_id": _BUILD,
    "data_owner_department_id": _DEPARTMENT,
    DATE_KEY: _DAY,
    "decision_id": Named("fct_target_decisions", "decision_id"),
    "department_id": _DEPARTMENT,
    "ean": Named("dim_access_point", "ean"),
    "evse_key": _CHARGE_POINT,
    "former_status": _STATUS,
    "kpi_id": _KPI,
    "last_status": _STATUS,
    "parent_area_id": _AREA,
    "parent_code": Named("dim_policy_action", "code"),
    "raw_status": _STATUS,
    "sector_area_id": _AREA,
    "site_id": Named("dim_site", "site_id"),
    "source_name": Named("dim_source", "source_name"),
    "status": _STATUS,
    "successor_kpi_id": _KPI,
    "target_id": _TARGET,
    "unit": Named("dim_unit", "unit"),
    "value_kpi_id": _KPI,
}

NO_KEYS: Final[Mapping[str, str]] = {
    "batch_id": "a delivery has no table of its own: its rows are by delivery and table",
    "building_register_id": "of the Flemish register of buildings",
    "collective_project_id": "names its own row",
    "covenant_action_id": "names its own row",
    "denominator_id": "of a seed that nobody publishes",
    "driver_key": "of a sector, building, charge point, theme or step, as driver_type says",
    "emission_factor_id": "of a seed that nobody publishes; what it is stands beside it in fct_energy_co2",
    "location_id": "of the operator",
    "meter_id": "unique within an access point only",
    "party_id": "of the operator",
    "primary_energy_factor_id": "of a seed that nobody publishes",
    "reading_id": "names its own row",
    "story_id": "of targets that are told as one",
    "wording_id": "names its own row",
    "dim_kpi.source_name": "also of a source that the city does not receive",
    "fct_charge_point_history.status": "the operator's word (OCPI), no judgement",
    "fct_charge_point_status_hourly.status": "the operator's word (OCPI), no judgement",
    "fct_charge_points.status": "the operator's word (OCPI), no judgement",
    "fct_indicator_values.source_name": "who measured, in the words of whoever filled it in",
}
"""What looks like a key, by its column or by table and column, and why it names no row of a published table."""
