"""What experts ask first, each answered by one join that the model makes too; every value was worked out by hand.

Charge points by sector and month are asked in `test_charge_point_months`, answers of 1777 where the demo is at hand.
"""

from collections.abc import Callable

import pytest

from orchestration.power_bi import read_marts
from tests.dbt.warehouses import Built
from warehouse.published.powerbi.model import Model, model_of

Join = Callable[[str, str], str]


@pytest.fixture(scope="module")
def model(built: Built) -> Model:
    return model_of(read_marts(built.judged.manifest()))


@pytest.fixture(scope="module")
def joined(model: Model) -> Join:
    """Two tables joined as the model joins them when somebody drags a field of each into one visual."""
    schemas = {table.mart.name: table.mart.schema for table in model.tables}
    links = {(link.many, link.one): link for link, is_active in model.relations if is_active}

    def join(many: str, one: str) -> str:
        link = links[many, one]
        return f"""{schemas[many]}.{many} as fact left join {schemas[one]}.{one} as dim
            on fact.{link.many_column} = dim.{link.one_column}"""

    return join


def test_the_ten_worst_buildings_against_the_base_year(built: Built, joined: Join) -> None:
    # electricity and gas: 365 days of 200 kWh in 2019, of 190 kWh in the last twelve whole months
    rows = built.rows(
        f"""select dim.name_nl,
            sum(energy_kwh) filter (where period_end = '2019-12-31') as base_kwh,
            round(sum(energy_kwh) filter (where is_latest), 6) as latest_kwh,
            round(latest_kwh / base_kwh - 1, 6) as change
        from {joined("fct_energy_intensity", "dim_site")}
        where kwh_per_m2 is not null group by all order by change desc limit 10"""
    )
    assert rows == [("Stadhuis", 73_000, 69_350, -0.05)]


def test_targets_behind_by_department_with_their_relative_gap(built: Built, joined: Join) -> None:
    # five dwellings where 1731 were to be there, of a way of 1731: (5 - 1731) / 1731
    rows = built.rows(
        f"""select dim.department_id, fact.target_id, fact.gap,
            round(fact.gap / abs(fact.target_value - coalesce(fact.baseline_value, 0)), 4)
        from {joined("fct_target_verdicts", "dim_target")}
        where fact.status in ('behind', 'overdue') and fact.gap is not null order by 4, 2"""
    )
    assert ("wonen", "renovation_custom_trajectories", -1_726, -0.9971) in rows
    assert all(relative < 0 for *_, relative in rows)


def test_how_far_a_target_was_from_its_path_is_told_by_month(built: Built, joined: Join) -> None:
    # five dwellings, as its verdict counts them, where 1731 were to be there from nothing: (5 - 1731) / 1731
    rows = built.rows(
        f"""select dim.department_id, fact.value, fact.relative_gap
        from {joined("fct_target_progress", "dim_target")}
        where fact.target_id = 'renovation_custom_trajectories' and fact.month_end_date = date '2026-05-31'"""
    )
    assert rows == [("wonen", 5, -0.997111)]


def test_renovation_trajectories_by_month(built: Built, joined: Join) -> None:
    # one plan in March, five in April; one to four are not told, and before the first there is nothing to tell
    rows = built.rows(
        f"""select dim.year_month, max(value) from {joined("fct_kpi_observations", "dim_date")}
        where kpi_id = 'renovation_custom_trajectories' and dim.year_month between '2026-02' and '2026-05'
        group by all order by all"""
    )
    assert rows == [("2026-03", None), ("2026-04", 6), ("2026-05", 6)]
