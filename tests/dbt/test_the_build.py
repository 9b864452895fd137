import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from contracts.registry import all_cities, all_contracts
from tests.dbt.landed_rows import ELECTRICITY, GAS
from tests.dbt.warehouses import PROJECT, Built

KPIS = {
    "charge_point_availability",
    "charge_point_energy",
    "charge_point_equivalents",
    "charge_points_per_100",
    "charge_points_total",
    "own_base_load_night",
    "own_base_load_weekend",
    "own_co2_index_2019_non_ets",
    "own_co2_index_2019_total",
    "own_co2_non_ets_yearly",
    "own_co2_total_yearly",
    "own_electricity_yearly",
    "own_energy_estimated_share",
    "own_energy_intensity",
    "own_energy_use_normalised_yearly",
    "own_energy_use_yearly",
    "own_gas_normalised_yearly",
    "own_gas_yearly",
    "own_primary_energy_yearly",
    "collective_renovation_fossil_free_share",
    "renovation_coached_households",
    "renovation_collective",
    "renovation_custom_dwellings",
    "renovation_custom_trajectories",
    "renovation_days_intake_to_plan",
    "renovation_days_plan_to_works",
    "tickets_1777_5wd",
    "tickets_median_working_days",
    "tickets_overdue_backlog",
    "tickets_p90_working_days",
    "tickets_reopen_rate",
}
INDICATORS = {
    "co2_territory_2030",
    "co2_territory_2040",
    "epc_c_2030",
    "happy_share",
    "own_buildings_co2_2030_vs_2019",
    "trees_extra",
}


def test_measure_and_judge_end_without_a_fault_or_a_warning(built: Built) -> None:
    assert built.measured.failed() + built.judged.failed() == []
    assert [*built.measured.warnings, *built.judged.warnings] == []


def test_the_unit_tests_of_the_sql_ran_in_the_same_invocation(built: Built) -> None:
    names = built.measured.statuses.keys() | built.judged.statuses.keys()
    assert {
        "what_is_over_in_the_history_is_not_in_the_stock",
        "the_first_status_that_fits_is_the_verdict",
    } <= names


def test_every_source_feeds_at_least_one_kpi(built: Built) -> None:
    found = {kpi_id for (kpi_id,) in built.rows("select distinct kpi_id from marts.fct_kpi_observations")}
    assert found == KPIS | INDICATORS


def test_a_charge_point_weighs_by_its_power_and_half_when_not_always_open(built: Built) -> None:
    weighed = built.rows("select power_kw, cpe, cpe_mow2024 from marts.fct_charge_points order by power_kw")
    assert weighed == [(11, 1, 1), (22, 1, 0.5), (50, 5, 5), (350, 10, 5)]
    [(per_100,)] = built.rows("select value from marts.fct_kpi_observations where kpi_id = 'charge_points_per_100'")
    assert per_100 == pytest.approx(17 * 100 / 79_268)


def test_a_pending_ticket_is_left_out_of_the_share(built: Built) -> None:
    rows = built.rows(
        "select value, n, ref_date::varchar from marts.fct_kpi_observations where kpi_id = 'tickets_1777_5wd'"
    )
    assert rows == [(50.0, 20, "2026-11-22")]
    outcomes = built.rows("select outcome, count(*) from personal.fct_tickets group by 1 order by 1")
    assert outcomes == [("late", 5), ("on_time", 10), ("overdue_open", 5), ("pending", 1)]


def test_a_department_says_how_many_wait_now_and_nothing_of_a_month_that_runs(built: Built) -> None:
    month = "select n, on_time_percent, is_suppressed, empty_reason_nl from marts.fct_ticket_service_monthly"
    assert built.rows(month) == [(None, None, False, "nog niet elke termijn is voorbij")]
    assert built.rows("select department_id, n_overdue from marts.fct_ticket_backlog") == [("onbekend", 5)]


def test_one_dwelling_with_two_dossiers_counts_once_as_household(built: Built) -> None:
    newest = "select value from marts.fct_kpi_observations where kpi_id = ? order by ref_date desc limit 1"
    assert built.rows(newest, "renovation_coached_households") == [(11,)]
    assert built.rows(newest, "renovation_custom_trajectories") == [(6,)]


def test_the_three_counts_of_the_coaches_stand_apart(built: Built) -> None:
    newest = "select value from marts.fct_kpi_observations where kpi_id = ? order by ref_date desc limit 1"
    assert built.rows(newest, "renovation_collective") == [(6,)]
    assert built.rows(newest, "collective_renovation_fossil_free_share") == [(50,)]


def test_a_collective_project_says_what_the_form_of_the_pact_still_lacks(built: Built) -> None:
    [project] = built.rows(
        """select project_name, street, dwelling_units, renovation_type, measures_completed, missing_fields
        from marts.fct_collective_projects"""
    )
    lacking = "datum van oplevering, bewijsstuk"
    assert project == ("Burenproject Demostraat", "Demostraat", 12, "fossielvrij", 7, lacking)


def test_every_value_that_was_told_is_kept_and_one_is_current(built: Built) -> None:
    told = built.rows("select kpi_id, revision_no, is_current, value from marts.fct_indicator_values order by kpi_id")
    assert ("trees_extra", 1, True, 20_000) in told
    assert all(row[2] for row in told)


def test_own_energy_is_twelve_months_against_2019(built: Built) -> None:
    rows = built.rows(
        """select round(value, 6), n, ref_date::varchar from marts.fct_kpi_observations
        where kpi_id = 'own_energy_use_yearly' order by ref_date desc limit 1"""
    )
    assert rows == [(-5.0, 2, "2026-11-21")]


def _newest(built: Built, kpi_id: str) -> tuple[Any, ...]:
    [row] = built.rows(
        """select round(value, 6), numerator, denominator, calculation_version, ref_date::varchar
        from marts.fct_kpi_observations where kpi_id = ? order by ref_date desc limit 1""",
        kpi_id,
    )
    return row


def test_a_year_of_the_buildings_stands_raw_and_in_primary_energy(built: Built) -> None:
    assert _newest(built, "own_electricity_yearly")[0] == pytest.approx(365 * 0.095)
    assert _newest(built, "own_primary_energy_yearly")[0] == pytest.approx(365 * 0.095 * 3.5)
    assert _newest(built, "own_energy_intensity") == (
        69.35,
        pytest.approx(69_350),
        1_000,
        "energy12m-v1",
        "2026-10-31",
    )


def test_co2_without_a_factor_is_unknown_and_without_ets_it_is_that_of_gas(built: Built) -> None:
    assert _newest(built, "own_co2_total_yearly")[:2] == (None, None)
    assert _newest(built, "own_co2_non_ets_yearly")[0] == pytest.approx(365 * 0.095 * 0.18177, abs=1e-6)
    assert _newest(built, "own_co2_index_2019_non_ets")[0] == pytest.approx(-5)
    assert _newest(built, "own_co2_index_2019_total")[:3] == (None, None, None)
    why = "select distinct empty_reason_nl from marts.fct_kpi_observations where kpi_id = ? order by 1 limit 1"
    assert built.rows(why, "own_co2_index_2019_total") == [("factor ontbreekt: elektriciteit 2019",)]
    silent = built.rows("select distinct co2_kg, co2_nl from marts.fct_energy_co2 where carrier = 'electricity'")
    assert silent == [(None, "emissiefactor ontbreekt")]


def test_the_base_load_comes_from_the_hours_of_a_night_and_of_a_weekend_day(built: Built) -> None:
    assert _newest(built, "own_base_load_night")[0] == pytest.approx(95 / 24, abs=1e-6)
    assert _newest(built, "own_base_load_weekend")[0] == pytest.approx(95 / 24, abs=1e-6)


def test_charge_points_say_how_often_they_can_be_used_and_what_a_whole_month_delivered(built: Built) -> None:
    assert _newest(built, "charge_point_availability") == (100, 4, 4, "charging-v1", "2026-11-22")
    assert _newest(built, "charge_point_energy") == (7.5, 7.5, None, "charging-v1", "2026-10-31")


def test_every_value_that_the_city_measured_names_its_method_and_a_share_its_two_numbers(built: Built) -> None:
    nameless = built.rows(
        """select distinct kpi_model from marts.fct_kpi_observations
        where calculation_version is null or (unit like '\\% of %' escape '\\' and denominator is null)"""
    )
    assert nameless == [("kpi_indicators",)]
    wrong = built.rows(
        """select kpi_id from marts.fct_kpi_observations
        where unit like '\\% of %' escape '\\' and abs(100 * numerator / denominator - value) > 1e-6"""
    )
    assert wrong == []


def test_gas_counts_in_kwh_or_in_m3_never_in_both(built: Built) -> None:
    days = built.rows("select energy_kwh, volume_m3 from marts.fct_energy_daily where ean = ?", GAS)
    assert {row[1] for row in days} == {None}
    assert {row[0] for row in days} == {100, 95}


def test_a_day_takes_its_finest_complete_granularity_once(built: Built) -> None:
    [day] = built.rows(
        """select granularity, round(energy_kwh, 6), intervals_measured, completeness from marts.fct_energy_daily
        where ean = ? and reading_date = '2026-11-20'""",
        ELECTRICITY,
    )
    assert day == ("PT1H", pytest.approx(95), 24, 1)


def test_every_registry_row_has_one_verdict(built: Built) -> None:
    assert built.rows("select count(*), count(distinct target_id) from verdicts.fct_target_verdicts") == [(128, 128)]


def _status(built: Built, target_id: str) -> tuple[Any, ...]:
    [row] = built.rows("select status, value from verdicts.fct_target_verdicts where target_id = ?", target_id)
    return row


def test_verdicts_follow_value_path_and_quality(built: Built) -> None:
    assert _status(built, "trees_extra") == ("on_track", 20_000)
    assert _status(built, "happy_share") == ("unverified", 84)
    assert _status(built, "renovation_coached_households") == ("monitored", 11)
    assert _status(built, "renovation_custom_trajectories") == ("overdue", 5), "dwellings, of six dossiers"
    assert _status(built, "tickets_1777_5wd") == ("at_risk", 50), "less than a year"
    assert _status(built, "own_energy_use_yearly")[0] == "behind"
    assert _status(built, "skatepark") == ("no_data", None)
    assert _status(built, "vehicle_km_2040") == ("contested", None)
    assert _status(built, "primary_school_extra_places") == ("not_started", None)


def test_another_wording_shows_the_value_of_the_target_it_repeats(built: Built) -> None:
    assert _status(built, "epc_c_2030_best_effort") == ("monitored", 40)


def test_a_measurement_speaks_before_a_value_somebody_filled_in(built: Built) -> None:
    assert _status(built, "charge_points_total") == ("behind", 4)


def test_the_sentence_says_value_path_and_gap_in_plain_dutch(built: Built) -> None:
    said = dict(built.rows("select target_id, sentence_nl from verdicts.fct_target_verdicts"))
    assert said["charge_points_total"] == (
        "Laadpunten (stand): 4 op 22/11/2026. Het pad vroeg toen 935: 931 te weinig. De achterstand was toen 9,8 jaar. "
        "Op 23/11/2026 vraagt het pad nog hetzelfde. Nodig van 23/11/2026 tot 31/12/2030: 322 per jaar. "
        "Recent tempo, tot 22/11/2026: −227 per jaar."
    )
    assert said["tickets_1777_5wd"].endswith(
        ": 50 % op 22/11/2026. De norm is 100 %, met een marge van 5 procentpunt: 50 procentpunt te weinig. "
        "Over de laatste twaalf maanden samen: 50 %."
    )
    assert said["trees_extra"] == (
        "Extra bomen: 20.000 op 31/10/2026. Het pad vroeg toen 20.084: 84 te weinig. "
        "Op 23/11/2026 vraagt het pad 21.985. Nodig van 23/11/2026 tot 31/12/2030: 13.419 per jaar. "
        "Recent tempo, tot 31/10/2026: 12.903 per jaar. "
        "Aan dat tempo wordt het 77.419 op 31/12/2030."
    )
    assert None not in said.values()
    assert not [sentence for sentence in said.values() if "{" in sentence]


def test_the_calendar_speaks_dutch_and_knows_closing_days(built: Built) -> None:
    [day] = built.rows(
        """select day_name_nl, month_name_nl, iso_week_label, closing_reason, is_working_day
        from marts.dim_date where date_day = '2026-11-02'"""
    )
    assert day == ("maandag", "november", "2026-W45", "Allerzielen", False)


def test_synthetic_data_carry_a_label(built: Built) -> None:
    assert built.rows("select label_nl from marts.dim_build") == [("Synthetische gegevens (demo)",)]


def test_the_area_list_holds_the_municipality_its_eight_districts_and_115_sectors(built: Built) -> None:
    areas = dict(built.rows("select area_type, count(*) from marts.dim_area group by all"))
    assert areas == {"municipality": 1, "district": 8, "statistical_sector": 115}


def test_the_calendar_runs_from_the_earliest_baseline_to_2050_without_a_gap(built: Built) -> None:
    whole = "select min(date_day)::varchar, max(date_day)::varchar, count(*) from marts.dim_date"
    assert built.rows(whole) == [("2005-01-01", "2050-12-31", 16_801)]
    columns = "month_start::varchar, month_end::varchar, month_sort, iso_week_sort, is_complete, is_month_complete"
    days = f"select {columns} from marts.dim_date where date_day in ('2026-11-22', '2027-01-01') order by date_day"
    assert built.rows(days) == [
        ("2026-11-01", "2026-11-30", 202611, 202647, True, False),
        ("2027-01-01", "2027-01-31", 202701, 202653, False, False),
    ]
    assert built.rows("select distinct is_working_day from marts.dim_date where year_no < 2010") == [(None,)]


def test_every_indicator_has_a_name_a_unit_with_words_and_a_formula(built: Built) -> None:
    nameless = """select distinct kpi_id from marts.fct_kpi_observations
        where kpi_id not in (select kpi_id from marts.dim_kpi where title_nl != kpi_id and formula_nl != '')"""
    assert built.rows(nameless) == []
    said_otherwise = """select distinct kpi_id, told.unit, kpis.unit from marts.fct_kpi_observations as told
        inner join seeds.kpis as kpis using (kpi_id)
        where told.kpi_model != 'kpi_indicators' and told.unit != kpis.unit"""
    assert built.rows(said_otherwise) == []
    wordless = "select kpi_id, unit from marts.dim_kpi where unit not in (select unit from seeds.unit_labels)"
    assert built.rows(wordless) == []


def test_every_measured_indicator_of_a_model_is_described_and_no_other(built: Built) -> None:
    models = [node for node in built.measured.manifest()["nodes"].values() if "kpi" in node.get("tags", ())]
    measured = {kpi_id for node in models for kpi_id in node["config"]["meta"].get("kpi_ids", ())}
    described = {kpi_id for (kpi_id,) in built.rows("select kpi_id from seeds.kpis")}
    # what departments fill in is described by the registry
    assert described == measured - {"*"}


def test_every_day_of_a_figure_or_a_target_is_in_the_calendar(built: Built) -> None:
    days = """select ref_date from marts.fct_kpi_observations union select period_start from marts.fct_kpi_observations
        union select baseline_date from marts.dim_target union select target_date from marts.dim_target"""
    orphans = f"select ref_date from ({days}) where ref_date not in (select date_day from marts.dim_date)"
    assert built.rows(orphans) == []


def test_descriptions_land_as_comments(built: Built) -> None:
    silent = built.rows(
        """select table_name, column_name from duckdb_columns()
        where schema_name in ('marts', 'personal', 'verdicts') and comment is null"""
    )
    assert silent == []


def _models(built: Built, folder: str) -> list[dict[str, Any]]:
    nodes = built.judged.manifest()["nodes"].values()
    return [node for node in nodes if node["resource_type"] == "model" and node["schema"] == folder]


@pytest.mark.parametrize("schema", ["kpi", "marts", "personal", "verdicts"])
def test_every_modelled_column_is_under_contract_and_described_twice(built: Built, schema: str) -> None:
    models = _models(built, schema)
    assert models
    assert [model["name"] for model in models if not model["config"]["contract"]["enforced"]] == []
    described = re.compile(r"^NL .+ \| EN .+$")
    texts = [
        (model["name"], name, column["description"]) for model in models for name, column in model["columns"].items()
    ]
    assert [text for text in texts if not described.match(text[2])] == []


def test_rows_about_one_person_stay_out_of_the_published_schemas(built: Built) -> None:
    assert {model["name"] for model in _models(built, "personal")} == {
        "fct_renovation_dossiers",
        "fct_renovation_measures",
        "fct_ticket_cycles",
        "fct_tickets",
    }
    exposed = built.rows(
        """select distinct table_name from duckdb_columns()
        where schema_name in ('marts', 'verdicts', 'quality')
            and column_name in ('service_request_id', 'dossier_id', 'dwelling_key')"""
    )
    assert exposed == []


def test_no_model_asks_what_time_it_is(built: Built) -> None:
    clock = re.compile(r"\b(now\s*\(|current_date|current_timestamp|today\s*\(|get_current_time)", re.IGNORECASE)
    compiled = [node for node in built.judged.manifest()["nodes"].values() if node.get("compiled_code")]
    written = "\n".join(path.read_text("utf-8") for path in _sql_files())
    assert compiled
    assert not clock.search(written)
    assert [node["name"] for node in compiled if clock.search(node["compiled_code"])] == []


def _sql_files() -> Iterator[Path]:
    for folder in ("models", "macros", "tests"):
        yield from (PROJECT / folder).rglob("*.sql")


def test_every_kpi_model_is_tagged_and_united(built: Built) -> None:
    models = _models(built, "kpi")
    assert all(model["name"].startswith("kpi_") for model in models)
    [union] = [model for model in _models(built, "marts") if model["name"] == "fct_kpi_observations"]
    assert {"kpi"} == {tag for model in models for tag in model["tags"]}
    assert {model["unique_id"] for model in models} == set(union["depends_on"]["nodes"])
    assert all(model["config"]["meta"]["kpi_ids"] for model in models)


def test_every_landed_table_is_a_source_with_its_asset_key(built: Built) -> None:
    sources = built.judged.manifest()["sources"].values()
    keys = [source["config"]["meta"]["dagster"]["asset_key"] for source in sources if source["config"]["meta"]]
    landed = [
        ["landing", contract.name, table.name] for contract in all_contracts().values() for table in contract.tables
    ]
    assert sorted(keys) == sorted(landed)


def test_a_structure_test_stops_the_build_and_a_data_test_does_not(built: Built) -> None:
    nodes = [node for node in built.judged.manifest()["nodes"].values() if node["resource_type"] == "test"]
    severities: dict[str, set[str]] = {"structure": set(), "data": set(), "note": set()}
    for node in nodes:
        kinds: Sequence[str] = [tag for tag in node["tags"] if tag in severities]
        assert len(kinds) == 1, node["name"]
        severities[kinds[0]].add(node["config"]["severity"].lower())
    assert severities == {"structure": {"error"}, "data": {"warn"}, "note": {"warn"}}


@pytest.mark.parametrize("city", sorted(all_cities()))
def test_every_city_has_its_seeds_and_they_agree_with_its_profile(city: str) -> None:
    folder = PROJECT / "seeds" / city
    profile = all_cities()[city]
    [row] = (folder / "city.csv").read_text("utf-8").splitlines()[1:]
    assert row == f"{city},{profile.title_nl},{profile.area_id},{profile.time_zone}"
    known = {path.stem for path in (PROJECT / "seeds" / "kortrijk").iterdir()}
    known |= {path.name for path in (PROJECT / "seeds" / "empty").iterdir()}
    assert {path.stem for path in folder.iterdir()} <= known
