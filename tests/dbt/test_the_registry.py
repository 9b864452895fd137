"""The registry as Power BI and the board read it: wordings, questions, owners and engagements beside the targets."""

import pytest

from tests.dbt.warehouses import Built


def test_a_target_carries_its_place_in_the_registry(built: Built) -> None:
    found = dict(built.rows("select registry_status, count(*) from marts.dim_target group by all"))
    assert found == {"active": 122, "contested": 4, "cancelled": 2}
    kinds = dict(built.rows("select target_id, series_kind from marts.dim_target"))
    assert kinds["road_deaths"] == "rare_count"
    assert kinds["tickets_1777_5wd"] == "share"
    assert kinds["charge_points_total"] == "event"
    assert kinds["co2_territory_2030"] == "level"
    assert kinds["skatepark"] == "none"


def test_every_ratio_with_a_fixed_base_knows_its_denominator(built: Built) -> None:
    rows = built.rows(
        """select targets.target_id, denominators.value from marts.dim_target as targets
        inner join seeds.denominators as denominators using (denominator_id)
        where denominators.basis = 'fixed' order by targets.target_id"""
    )
    based = dict(rows)
    assert based["charge_points_per_100"] == 79_268
    assert based["hedge_per_inhabitant"] == 77_746


def test_a_target_is_bound_by_the_pact_the_plan_and_the_covenant(built: Built) -> None:
    rows = built.rows(
        """select framework, reference_title_nl, is_synthetic from marts.bridge_target_framework
        where target_id = 'trees_extra' order by framework"""
    )
    assert rows == [
        ("covenant", "Bomen en groen", True),
        ("lekp", "Werf 1: Vergroening - Bomen", False),
        ("plan", "Bomen, hagen en geveltuinen planten", True),
    ]


def test_one_engagement_may_bind_many_targets_and_one_target_many_engagements(built: Built) -> None:
    many = "select max(n) from (select count(*) as n from marts.bridge_target_framework group by {})"
    assert built.rows(many.format("framework, reference"))[0][0] > 1
    assert built.rows(many.format("target_id"))[0][0] > 1


def test_a_goal_of_the_pact_without_a_target_is_shown_with_none(built: Built) -> None:
    goals = dict(built.rows("select label_nl, targets_linked from marts.dim_lekp_goal"))
    assert len(goals) == 20
    assert goals["Werf 3: Mobiliteit - Fietspaden"] == 0
    assert goals["Werf 3: Mobiliteit - Laadpunten"] == 3


def test_an_action_knows_the_plan_and_the_objective_above_it(built: Built) -> None:
    rows = built.rows(
        """select parent_title_nl, objective_title_nl from marts.dim_policy_action
        where code in ('03', '03.03', '03.03.01') order by code"""
    )
    assert rows == [
        (None, None),
        ("Klimaat en energie", "Klimaat en energie"),
        ("Groen en water", "Klimaat en energie"),
    ]


def test_a_question_without_a_date_is_open(built: Built) -> None:
    rows = dict(built.rows("select decision_id, is_decided from marts.fct_target_decisions"))
    assert rows["epc_c_2030.1"] is False
    assert rows["ecoc_2030.1"] is True


def test_wordings_of_one_target_stand_together(built: Built) -> None:
    rows = built.rows(
        """select section, relation, alias_target_id from marts.dim_target_wording
        where target_id = 'epc_c_2030' order by wording_id"""
    )
    assert rows == [("2.2", "chosen", None), ("5.2", "weaker", "epc_c_2030_best_effort")]


def test_every_target_has_one_owner_and_one_data_owner_today(built: Built) -> None:
    [(owners, targets)] = built.rows(
        """select count(*), count(distinct target_id) from marts.dim_target_owner
        where valid_to is null"""
    )
    assert (owners, targets) == (256, 128)


def test_the_weights_of_a_planting_season_make_one_year(built: Built) -> None:
    rows = built.rows(
        "select target_id, round(sum(weight), 9), count(*) from seeds.target_seasons group by all order by 1"
    )
    assert rows == [("hedge_remaining_m", 1, 12), ("trees_extra", 1, 12)]
    ends = built.rows(
        """select count(*) from marts.dim_target as targets
        -- a path through an earlier promise ends at its own
        where trajectory = 'milestones' and follows is null and not exists (
            select 1 from seeds.target_milestones as milestones
            where milestones.target_id = targets.target_id
                and milestones.milestone_date = targets.target_date
                and milestones.milestone_value = targets.target_value
        )"""
    )
    assert ends == [(0,)]


def test_three_wordings_with_another_base_year_get_one_verdict_and_each_its_own_number(built: Built) -> None:
    rows = built.rows(
        """select target_id, round(value, 4), target_value, round(required_value, 3), status, months_behind
        from verdicts.fct_target_verdicts where target_id like 'own_buildings_%' order by target_id"""
    )
    since_2015 = (-39.6985, -55, -43.66, "at_risk")
    assert [row[:5] for row in rows] == [
        ("own_buildings_co2_2030_vs_2015", *since_2015),
        ("own_buildings_co2_2030_vs_2019", -20, -40.3, -25.255, "at_risk"),
        ("own_buildings_ghg_2030", *since_2015),
    ]
    assert [row[5] for row in rows] == pytest.approx([rows[1][5]] * 3, abs=1e-4)


def test_a_wording_says_what_its_factor_rests_on_and_which_question_is_behind_it(built: Built) -> None:
    rows = built.rows(
        """select wordings.rebase_source_nl, decisions.is_decided from marts.dim_target_wording as wordings
        inner join marts.fct_target_decisions as decisions using (decision_id)
        where wordings.relation = 'rebased' order by wordings.wording_id"""
    )
    assert len(rows) == 3
    assert "75,4 %" in rows[0][0]
    assert {decided for _, decided in rows} == {False}


def test_the_inventory_of_2021_is_held_against_the_base_year_of_the_promise(built: Built) -> None:
    """The numbers of the method's own example, from the rows of the registry (note, section 5)."""
    by_2050, by_2030, by_2040 = built.rows(
        """select value, round(required_value, 2), round(months_behind / 12, 1), last_status,
            round(eurostat_ratio, 3), round(unsd_ratio, 3), round(destatis_miss, 3)
        from verdicts.fct_target_verdicts
        where target_id in ('co2_territory_2030', 'co2_territory_2040', 'co2_neutral_2050') order by target_id"""
    )
    assert by_2030 == (-6.17, -25.6, 12.1, "at_risk", 0.196, 0.237, 0.897)
    assert by_2040[:2] == by_2050[:2] == (-6.17, -25.6), "the way there leads along what 2030 asks"


def test_three_promises_on_one_figure_are_one_story_with_one_way_and_at_most_one_alarm(built: Built) -> None:
    rows = built.rows(
        """select target_id, story_id, value_kpi_id, is_first_of_story, story_nl is not null
        from verdicts.fct_target_verdicts where story_id = 'co2_territory_2030' order by target_date"""
    )
    assert [row[0] for row in rows] == ["co2_territory_2030", "co2_territory_2040", "co2_neutral_2050"]
    assert {row[1:3] for row in rows} == {("co2_territory_2030", "co2_territory_2030")}
    assert [row[3] for row in rows].count(True) == 1
    assert all(row[4] for row in rows)
    alarms = built.rows(
        "select count(*) from verdicts.fct_target_verdicts where is_alarm group by story_id, department_id"
    )
    assert {count for (count,) in alarms} <= {1}


def test_a_target_with_an_open_question_is_judged_by_each_reading_and_keeps_one_row(built: Built) -> None:
    rows = built.rows(
        """select reading_id, is_of_registry, target_date::varchar, value, status from verdicts.fct_target_readings
        where target_id = 'renovation_collective' order by is_of_registry desc"""
    )
    assert [row[:4] for row in rows] == [
        ("renovation_collective", True, "2025-12-31", 6),
        ("renovation_collective.1.b", False, "2030-12-31", 6),
    ]
    assert [row[4] for row in rows] == ["overdue", "behind"]
    [verdict] = built.rows(
        """select status, is_disputed, is_alarm, n_readings, sentence_nl from verdicts.fct_target_verdicts
        where target_id = 'renovation_collective'"""
    )
    # late in each way
    assert verdict[:4] == ("overdue", True, True, 2)
    both = "tegen eind 2025, zoals de nota: termijn verstreken; tegen eind 2030, zoals het pact: achter op schema"
    assert both in verdict[4]
    assert verdict[4].endswith("Daarover beslist het college, samen met de Vlaamse overheid (energie- en klimaatpact).")


def test_a_target_that_one_reading_finds_late_and_another_does_not_alarms_nobody(built: Built) -> None:
    [verdict] = built.rows(
        """select status, is_disputed, is_alarm, attention_nl from verdicts.fct_target_verdicts
        where target_id = 'own_buildings_co2_2030_vs_2019'"""
    )
    assert verdict[:3] == ("at_risk", True, False)
    assert verdict[3] == (
        "Het oordeel hangt af van een open vraag: gas en elektriciteit: let op; enkel gas: achter op schema. "
        "Daarover beslist het college van burgemeester en schepenen."
    )


def test_a_trajectory_is_counted_by_dwelling_and_by_dossier_and_the_registry_says_which(built: Built) -> None:
    rows = built.rows(
        """select reading_nl, value_kpi_id, value from verdicts.fct_target_readings
        where target_id = 'renovation_custom_trajectories' and target_date = date '2025-12-31'
        order by is_of_registry desc"""
    )
    assert rows == [
        ("tegen eind 2025, zoals de nota, per woning", "renovation_custom_dwellings", 5),
        ("tegen eind 2025, zoals de nota, per dossier", "renovation_custom_trajectories", 6),
    ]


def test_every_question_that_is_judged_in_more_ways_names_who_may_decide_it(built: Built) -> None:
    asked = built.rows("select distinct target_id, may_decide_nl from verdicts.fct_target_readings")
    assert len(asked) >= 10
    assert all(who for _, who in asked)
