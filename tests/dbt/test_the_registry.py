"""The registry as Power BI and the board read it: wordings, questions, owners and engagements beside the targets."""

from tests.dbt.warehouses import Built


def test_a_target_carries_its_place_in_the_registry(built: Built) -> None:
    found = dict(built.rows("select registry_status, count(*) from marts.dim_target group by all"))
    assert found == {"active": 103, "contested": 4, "cancelled": 2}
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
    assert (owners, targets) == (218, 109)


def test_the_weights_of_a_planting_season_make_one_year(built: Built) -> None:
    rows = built.rows(
        "select target_id, round(sum(weight), 9), count(*) from seeds.target_seasons group by all order by 1"
    )
    assert rows == [("hedge_remaining_m", 1, 12), ("trees_extra", 1, 12)]
    ends = built.rows(
        """select count(*) from marts.dim_target as targets
        where trajectory = 'milestones' and not exists (
            select 1 from seeds.target_milestones as milestones
            where milestones.target_id = targets.target_id
                and milestones.milestone_date = targets.target_date
                and milestones.milestone_value = targets.target_value
        )"""
    )
    assert ends == [(0,)]
