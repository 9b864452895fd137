from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from orchestration.quality import (
    VERDICT_SCHEMA,
    downstream_kpi_models,
    failing_models,
    judge_quality,
    source_kpi_models,
)

BUILD = "20261123T060000000000Z-0123456789ab"
ENERGY, TICKETS = "own_energy_use_yearly", "tickets_1777_5wd"
STG_TICKETS = "model.ademruimte.stg_tickets_1777__requests"
STG_METERS = "model.ademruimte.stg_energy_meters__readings"


def _observations(**completeness: float | None) -> pl.DataFrame:
    rows = [
        (kpi_id, model, "34022", date(2026, 11, 22), completeness.get(kpi_id, 1.0))
        for kpi_id, model in ((ENERGY, "kpi_own_energy"), (TICKETS, "kpi_tickets_on_time"))
    ]
    return pl.DataFrame(
        rows, schema=["kpi_id", "kpi_model", "area_id", "ref_date", "completeness"], orient="row", strict=False
    )


def _sources(**shares: float | None) -> pl.DataFrame:
    accepted = {"energy_meters": 1.0, "tickets_1777": 1.0} | shares
    return pl.DataFrame(
        {"source": list(accepted), "kpi_id": None, "accepted_share": list(accepted.values())},
        schema={"source": pl.String, "kpi_id": pl.String, "accepted_share": pl.Float64},
    )


def _registry(*rows: tuple[str, float, float]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema={"kpi_id": pl.String, "completeness_limit": pl.Float64, "accepted_limit": pl.Float64}, orient="row"
    )


@pytest.fixture
def judged(
    manifest: dict[str, Any], results: Callable[..., list[dict[str, Any]]]
) -> Callable[..., dict[str, tuple[str, list[str]]]]:
    """Verdict and reasons per KPI; everything is fine unless an argument says otherwise."""

    def judge(
        *,
        run: list[dict[str, Any]] | None = None,
        suite: dict[str, list[str]] | None = None,
        observations: pl.DataFrame | None = None,
        sources: pl.DataFrame | None = None,
        registry: pl.DataFrame | None = None,
    ) -> dict[str, tuple[str, list[str]]]:
        verdicts = judge_quality(
            manifest,
            run or results(),
            suite or {},
            _observations() if observations is None else observations,
            _sources() if sources is None else sources,
            _registry() if registry is None else registry,
            BUILD,
        )
        assert verdicts.schema == pl.Schema(VERDICT_SCHEMA)
        return {row["kpi_id"]: (row["verdict"], row["reasons"]) for row in verdicts.iter_rows(named=True)}

    return judge


FINE = ("verified", [])


def test_with_nothing_wrong_every_kpi_is_verified_in_the_name_of_the_build(
    manifest: dict[str, Any],
    results: Callable[..., list[dict[str, Any]]],
    judged: Callable[..., dict[str, tuple[str, list[str]]]],
) -> None:
    assert judged() == {ENERGY: FINE, TICKETS: FINE}
    verdicts = judge_quality(manifest, results(), {}, _observations(), _sources(), _registry(), BUILD)
    assert verdicts["build_id"].unique().to_list() == [BUILD]


@pytest.mark.parametrize("status", ["warn", "fail"])
def test_a_failing_data_test_makes_exactly_the_kpis_below_it_unverified(
    judged: Callable[..., dict[str, tuple[str, list[str]]]], results: Callable[..., list[dict[str, Any]]], status: str
) -> None:
    verdicts = judged(run=results(readings_not_negative=(status, 3)))
    assert verdicts[TICKETS] == FINE
    assert verdicts[ENERGY] == (
        "unverified",
        ["controle readings_not_negative: 3 rijen kloppen niet in stg_energy_meters__readings"],
    )


def test_a_described_test_speaks_its_own_words(
    judged: Callable[..., dict[str, tuple[str, list[str]]]], results: Callable[..., list[dict[str, Any]]]
) -> None:
    (reason,) = judged(run=results(tickets_close_after_opening=("warn", 1)))[TICKETS][1]
    assert reason == "sluiting na opening: 1 rij klopt niet in stg_tickets_1777__requests"


def test_a_test_that_could_not_run_is_no_proof_that_all_is_well(
    judged: Callable[..., dict[str, tuple[str, list[str]]]], results: Callable[..., list[dict[str, Any]]]
) -> None:
    verdict, (reason,) = judged(run=results(readings_not_negative=("error", None)))[ENERGY]
    assert verdict == "unverified"
    assert "kon niet draaien" in reason


def test_a_passing_or_skipped_test_and_a_failing_model_are_no_findings(
    manifest: dict[str, Any], results: Callable[..., list[dict[str, Any]]]
) -> None:
    run = results(readings_not_negative=("pass", 0), tickets_close_after_opening=("skipped", None))
    run.append({"unique_id": STG_METERS, "status": "error", "failures": None})
    assert failing_models(manifest, run) == {}


def test_a_note_is_kept_and_makes_no_kpi_unverified(
    judged: Callable[..., dict[str, tuple[str, list[str]]]], results: Callable[..., list[dict[str, Any]]]
) -> None:
    assert judged(run=results(meters_look_odd=("warn", 3))) == {ENERGY: FINE, TICKETS: FINE}


def test_a_result_of_a_node_that_is_not_in_the_manifest_is_passed_over(
    manifest: dict[str, Any], results: Callable[..., list[dict[str, Any]]]
) -> None:
    assert failing_models(manifest, results(removed_since=("warn", 2))) == {}


def test_a_relationship_blames_the_model_it_hangs_on_and_not_the_one_it_looks_up(
    manifest: dict[str, Any], results: Callable[..., list[dict[str, Any]]]
) -> None:
    assert failing_models(manifest, results(relationships_tickets_date=("warn", 2))).keys() == {STG_TICKETS}


def test_a_singular_test_blames_every_model_it_reads(
    manifest: dict[str, Any], results: Callable[..., list[dict[str, Any]]]
) -> None:
    failing = failing_models(manifest, results(singular_days_and_meters=("warn", 2)))
    assert failing.keys() == {STG_METERS, "model.ademruimte.dim_date"}
    assert downstream_kpi_models(manifest, failing).keys() == {"kpi_own_energy", "kpi_tickets_on_time"}


def test_a_test_of_a_source_reaches_the_kpis_computed_from_it(
    judged: Callable[..., dict[str, tuple[str, list[str]]]], results: Callable[..., list[dict[str, Any]]]
) -> None:
    verdicts = judged(run=results(source_tickets_recent=("warn", 1)))
    assert verdicts[TICKETS][0] == "unverified"
    assert verdicts[ENERGY] == FINE


def test_a_test_below_the_kpis_blames_none_of_them(
    judged: Callable[..., dict[str, tuple[str, list[str]]]], results: Callable[..., list[dict[str, Any]]]
) -> None:
    assert judged(run=results(union_complete=("warn", 1))) == {ENERGY: FINE, TICKETS: FINE}


def test_a_kpi_model_that_fails_its_own_test_is_among_its_own_ancestors(manifest: dict[str, Any]) -> None:
    found = downstream_kpi_models(manifest, {"model.ademruimte.kpi_own_energy": ["reden"]})
    assert found == {"kpi_own_energy": ["reden"]}


def test_every_source_knows_its_kpis_and_the_calendar_is_no_source(manifest: dict[str, Any]) -> None:
    assert source_kpi_models(manifest) == {
        "energy_meters": {"kpi_own_energy"},
        "tickets_1777": {"kpi_tickets_on_time"},
    }


def test_a_failed_expectation_makes_only_its_own_kpi_unverified(
    judged: Callable[..., dict[str, tuple[str, list[str]]]],
) -> None:
    verdicts = judged(suite={TICKETS: ["een percentage ligt niet tussen 0 en 100"]})
    assert verdicts == {ENERGY: FINE, TICKETS: ("unverified", ["een percentage ligt niet tussen 0 en 100"])}


def test_too_little_data_is_told_with_both_percentages_and_never_rounded_up_to_enough(
    judged: Callable[..., dict[str, tuple[str, list[str]]]],
) -> None:
    verdicts = judged(observations=_observations(**{ENERGY: 0.9499}))
    assert verdicts[TICKETS] == FINE
    assert verdicts[ENERGY][1] == ["slechts 94,9% van de verwachte gegevens is binnen; 95% is nodig"]


def test_exactly_the_limit_is_enough(judged: Callable[..., dict[str, tuple[str, list[str]]]]) -> None:
    assert judged(observations=_observations(**{ENERGY: 0.95}), sources=_sources(energy_meters=0.98))[ENERGY] == FINE


def test_completeness_that_nobody_knows_is_not_enough(judged: Callable[..., dict[str, tuple[str, list[str]]]]) -> None:
    assert judged(observations=_observations(**{ENERGY: None}))[ENERGY][0] == "unverified"


def test_only_the_newest_observation_of_the_municipality_counts_for_completeness(
    judged: Callable[..., dict[str, tuple[str, list[str]]]],
) -> None:
    rows = [
        (ENERGY, "kpi_own_energy", "34022", date(2026, 10, 31), 0.1),
        (ENERGY, "kpi_own_energy", "34022", date(2026, 11, 22), 1.0),
        (ENERGY, "kpi_own_energy", "34022A00-", date(2026, 11, 22), 0.2),
    ]
    observations = pl.DataFrame(rows, schema=_observations().schema, orient="row")
    assert judged(observations=observations) == {ENERGY: FINE}
    assert judged(observations=observations.reverse()) == {ENERGY: FINE}


def test_a_measured_value_is_judged_before_one_that_was_filled_in(
    judged: Callable[..., dict[str, tuple[str, list[str]]]],
) -> None:
    rows = [
        (ENERGY, model, "34022", date(2026, 11, 22), completeness)
        for model, completeness in (("kpi_indicators", 0.1), ("kpi_own_energy", 1.0))
    ]
    observations = pl.DataFrame(rows, schema=_observations().schema, orient="row")
    assert judged(observations=observations) == {ENERGY: FINE}


def test_a_source_with_many_refused_rows_makes_exactly_its_kpis_unverified(
    judged: Callable[..., dict[str, tuple[str, list[str]]]],
) -> None:
    verdicts = judged(sources=_sources(tickets_1777=0.6123))
    assert verdicts[ENERGY] == FINE
    assert verdicts[TICKETS] == (
        "unverified",
        ["slechts 61,2% van de rijen van tickets_1777 is aanvaard; 98% is nodig"],
    )


def test_a_source_that_received_nothing_has_no_share_to_blame(
    judged: Callable[..., dict[str, tuple[str, list[str]]]],
) -> None:
    assert judged(sources=_sources(tickets_1777=None)) == {ENERGY: FINE, TICKETS: FINE}


def test_the_registry_decides_the_limits_and_the_strictest_of_a_kpi_counts(
    judged: Callable[..., dict[str, tuple[str, list[str]]]],
) -> None:
    observations, sources = _observations(**{ENERGY: 0.8}), _sources(energy_meters=0.9)
    loose = (ENERGY, 0.7, 0.9)
    assert judged(observations=observations, sources=sources, registry=_registry(loose))[ENERGY] == FINE
    verdict, reasons = judged(
        observations=observations, sources=sources, registry=_registry(loose, (ENERGY, 0.85, 0.95))
    )[ENERGY]
    assert verdict == "unverified"
    assert len(reasons) == 2


def test_every_reason_is_kept(
    judged: Callable[..., dict[str, tuple[str, list[str]]]], results: Callable[..., list[dict[str, Any]]]
) -> None:
    verdicts = judged(
        run=results(readings_not_negative=("warn", 3)),
        suite={ENERGY: ["sprong"]},
        observations=_observations(**{ENERGY: 0.5}),
        sources=_sources(energy_meters=0.5),
    )
    assert len(verdicts[ENERGY][1]) == 4


def test_an_empty_lake_gives_no_verdicts_rather_than_an_error(
    judged: Callable[..., dict[str, tuple[str, list[str]]]],
) -> None:
    assert judged(observations=_observations().clear(), sources=_sources().clear()) == {}


def test_a_share_of_accepted_rows_that_is_told_per_kpi_is_nobody_else_s(
    judged: Callable[..., dict[str, tuple[str, list[str]]]],
) -> None:
    columns = {"source": pl.String, "kpi_id": pl.String, "accepted_share": pl.Float64}
    shares = [("tickets_1777", TICKETS, 0.5), ("tickets_1777", "another", 1.0), ("energy_meters", None, 1.0)]
    verdicts = judged(sources=pl.DataFrame(shares, columns, orient="row"))
    assert verdicts[ENERGY] == FINE
    assert verdicts[TICKETS] == ("unverified", ["slechts 50% van de rijen van tickets_1777 is aanvaard; 98% is nodig"])
    assert judged(sources=pl.DataFrame(shares[1:], columns, orient="row"))[TICKETS] == FINE
