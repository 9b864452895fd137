"""Every sentence a head of department may read, held against `plain_words`: no word beside a day it is not of."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import product
from typing import Any

import duckdb
import polars as pl
import pytest

from tests.verdicts.method import DATABASE, PROJECT, compiled
from tests.verdicts.plain_words import direction_faults, faults, reached_faults

AS_OF = date(2026, 11, 23)
SEEDS = ("status_labels", "sentence_templates", "unit_labels")
DAYS = {"old": date(2024, 12, 31), "new": date(2026, 11, 22), "today": AS_OF}
ROW: dict[str, Any] = {
    **dict.fromkeys(("target_id", "kpi_id", "value_kpi_id", "department_id", "data_owner_department_id"), "t"),
    "section": "1",
    "title_nl": "Doel",
    "title_en": "Target",
    "unit": "m",
    "direction": "increase",
    "direction_sign": 1,
    "trajectory": "linear",
    "series_kind": "event",
    "tolerance": 0.0,
    "is_start_measured": False,
    "as_of_date": AS_OF,
    "ref_date": DAYS["old"],
    "complete_until": None,
    "known_at": None,
    "baseline_value": 0.0,
    "baseline_date": date(2020, 12, 31),
    "target_value": 100.0,
    "target_date": date(2030, 12, 31),
    "value": 30.0,
    "required_value": 40.0,
    "required_today": 59.0,
    "gap": -10.0,
    **dict.fromkeys(("progress", "time_share", "attainment", "completeness", "forecast_low", "forecast_high"), 0.5),
    "recent_pace_per_year": 7.5,
    "required_pace_per_year": 17.1,
    "pace_ratio": 0.4,
    "acceleration": 2.3,
    "forecast_value": 75.0,
    "p_reach": 0.2,
    "is_indicative": False,
    "cadence_days": 30,
    "is_vague": False,
    "is_plan_unknown": False,
    "is_bent": False,
    "year_share": None,
    "judged_gap": -10.0,
    "is_running": False,
    "is_sticky": True,
    "may_be_behind": True,
    "doubted_on": None,
    "doubted_value": None,
    "doubt_nl": None,
    "status": "behind",
    "folded_status": "behind",
    "wanted_status": "behind",
    "status_since": DAYS["old"],
    "reached_on": None,
    "reached_value": None,
    "history_hash": "",
    "dq_verdict": "verified",
    "dq_reasons": ["x"],
    "is_binding": True,
    "is_public": True,
    "is_contested": False,
    "other_reading_of": None,
    "alias_of": None,
    "story_id": "t",
    "deprecated_reason": "De jury koos andere steden.",
    "empty_reason_nl": None,
    "beside_kpi_id": None,
    "beside_date": None,
    "beside_value": None,
    "beside_reason_nl": None,
    "definition_version": 1,
    "build_id": "b",
}
# what is open about a target: a column of these in a row goes there
DISPUTE: dict[str, Any] = {
    "is_disputed": False,
    "n_readings": 1,
    "is_late_in_one": False,
    "readings_nl": None,
    "questions_nl": "Welk basisjaar geldt?",
    "may_decide_nl": "het college",
}
STORY: dict[str, Any] = {"may_alarm": False, "is_first_of_story": True, "others_nl": None}
DISPUTED = {
    "is_disputed": True,
    "n_readings": 2,
    "is_late_in_one": True,
    "readings_nl": "tegen 2025: termijn verstreken; tegen 2030: op schema",
}
TYPES = {
    **dict.fromkeys(
        ("other_reading_of", "alias_of", "empty_reason_nl", "beside_kpi_id", "beside_reason_nl"), pl.String
    ),
    **dict.fromkeys(("readings_nl", "others_nl"), pl.String),
    "beside_date": pl.Date,
    "beside_value": pl.Float64,
    "reached_on": pl.Date,
    "doubted_on": pl.Date,
    "doubted_value": pl.Float64,
    "year_share": pl.Float64,
    "forecast_low": pl.Float64,
    "forecast_value": pl.Float64,
    "doubt_nl": pl.String,
    "reached_value": pl.Float64,
    "complete_until": pl.Datetime("us", "UTC"),
    "known_at": pl.Datetime("us", "UTC"),
    "ref_date": pl.Date,
    "target_date": pl.Date,
}
UP = {"direction": "increase", "direction_sign": 1}
DOWN = {"direction": "decrease", "direction_sign": -1}
LOWER = {"target_value": 10.0, "baseline_value": 60.0, "required_value": 40.0, "required_today": 30.0, "value": 50.0}
KINDS: dict[str, dict[str, Any]] = {
    "a count": UP,
    "a share": UP | {"unit": "% of roofs", "series_kind": "share"},
    "a rate that must fall": DOWN | LOWER | {"series_kind": "level", "required_pace_per_year": -9.7},
    "events that must be fewer": DOWN | LOWER | {"required_pace_per_year": -9.7},
    "a change that must be a fall": DOWN
    | {
        "unit": "% change vs 2005",
        "series_kind": "level",
        "target_value": -40.0,
        "value": -9.8,
        "required_value": -30.4,
    }
    | {"required_today": -33.4, "gap": -20.6, "required_pace_per_year": -7.4, "recent_pace_per_year": -1.1},
    "a norm": UP | {"trajectory": "constant", "tolerance": 5.0, "required_value": 100.0, "required_today": 100.0},
    "a quota": UP | {"trajectory": "annual_quota", "target_date": None},
    "a plan": UP | {"unit": "milestone 0/1", "trajectory": "step", "value": 0.0, "target_value": 1.0, "gap": 0.0},
    "a rare event": DOWN | LOWER | {"series_kind": "rare_count"},
    "a yearly rate": DOWN | LOWER | {"trajectory": "compound", "target_date": None, "required_pace_per_year": -3.0},
}
STATUSES = (
    *("cancelled", "contested", "not_started", "unverified", "no_data", "monitored", "overdue", "awaiting_figure"),
    *("stale", "on_track", "at_risk", "behind"),
)
BEST = {"value": 60.0, "gap": 20.0, "p_reach": 0.9}
REACHED = {**dict.fromkeys(("status", "folded_status", "wanted_status"), "reached"), "reached_on": DAYS["new"]}
DOUBTED = {
    **dict.fromkeys(("status", "folded_status", "wanted_status"), "unverified"),
    "doubted_on": DAYS["new"],
    "doubted_value": 30_000.0,
    "doubt_nl": "duizend keer meer dan ervoor",
}
AT_RISK = dict.fromkeys(("status", "folded_status", "wanted_status"), "at_risk")
# what a row must hold to be told in a way that its status and kind alone do not bring about
OCCASIONS: dict[str, dict[str, Any]] = {
    "doubted": DOUBTED,
    "doubted without a figure before it": DOUBTED | {"value": None, "ref_date": None, "gap": None},
    "nothing yet": dict.fromkeys(("status", "folded_status", "wanted_status"), "no_data")
    | {"value": None, "ref_date": None, "gap": None},
    "a start that was measured": AT_RISK | {"is_start_measured": True},
    "a band around the outlook": AT_RISK | {"forecast_low": 60.0, "forecast_high": 90.0},
    "a figure that comes once a year": AT_RISK | {"cadence_days": 365},
    "the path asks the same today": AT_RISK | {"required_today": 40.0},
    "reached today": REACHED | {"value": 101.0, "ref_date": DAYS["new"], "reached_value": 101.0},
    "reached before": REACHED
    | {"value": 105.0, "ref_date": DAYS["new"], "reached_on": date(2025, 12, 31), "reached_value": 101.0},
    "reached and fallen": REACHED
    | {"value": 95.0, "ref_date": DAYS["new"], "reached_on": date(2025, 12, 31), "reached_value": 101.0},
    "rare and reached": KINDS["a rare event"] | REACHED | {"value": 9.0, "reached_value": 9.0},
    "within a limit": REACHED
    | {"direction": "at_most", "direction_sign": -1, "value": 90.0, "gap": 10.0, "ref_date": DAYS["new"]},
    "a plan that is ready": KINDS["a plan"] | REACHED | {"value": 1.0, "reached_value": 1.0},
    "a deadline passed, told after it": dict.fromkeys(("status", "folded_status", "wanted_status"), "overdue")
    | {"target_date": date(2025, 12, 31), "ref_date": DAYS["new"]},
    "monitored, and old": {"status": "stale", "folded_status": "monitored", "wanted_status": "monitored"},
    "a chance": KINDS["a rare event"] | dict.fromkeys(("status", "folded_status", "wanted_status"), "on_track"),
    "on the path": AT_RISK | {"gap": 0.0, "value": 40.0},
    "one figure is better": AT_RISK | {"wanted_status": "on_track"},
    "one figure is worse": AT_RISK | {"wanted_status": "behind"},
    "a month that runs": AT_RISK | {"wanted_status": "behind", "is_running": True},
    "a pace that changes too much": AT_RISK | {"is_vague": True, "forecast_value": None, "forecast_low": None},
    "a line that nobody planned": AT_RISK | {"is_plan_unknown": True},
    "a plan that bends": AT_RISK | {"is_bent": True},
    "twelve months of answers": KINDS["a norm"] | AT_RISK | {"year_share": 94.2},
    "a month of answers that wants another status": KINDS["a norm"]
    | AT_RISK
    | {"year_share": 94.2, "wanted_status": "behind"},
    "less than a year": AT_RISK | {"may_be_behind": False},
    "a plan near its day": KINDS["a plan"] | AT_RISK,
    "near a norm": KINDS["a norm"] | AT_RISK | {"p_reach": None},
    "too few answers to be sure of a norm": KINDS["a norm"] | AT_RISK,
    "ahead, and slow": AT_RISK | BEST | {"p_reach": 0.2},
    "behind its path, and slow": AT_RISK | {"p_reach": None},
    "sure to miss": AT_RISK | {"p_reach": 0.001},
    "no end": AT_RISK | {"target_date": None},
    "not measured yet": AT_RISK | {"empty_reason_nl": "factoren ontbreken: elektriciteit 2019"},
    "disputed": AT_RISK | DISPUTED,
    "beside a normal year": AT_RISK | {"beside_kpi_id": "b", "beside_value": 12.0, "beside_date": DAYS["old"]},
    "no normal year": AT_RISK | {"beside_kpi_id": "b", "beside_reason_nl": "graaddagen ontbreken: 2022"},
}
Said = Callable[..., list[str]]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """The sentences of verdict rows that a test changes, with why attention is asked for, by the compiled SQL."""
    about = ("int_target_disputes", "int_target_stories")
    given = ("int_target_verdicts", "int_target_delays", "int_target_comparisons", *about, *SEEDS)
    code = compiled(tmp_path_factory.mktemp("sentences"), ("fct_target_verdicts",), given)["fct_target_verdicts"]

    def say(*changes: Mapping[str, Any]) -> list[str]:
        con = duckdb.connect()
        con.execute(f"attach ':memory:' as {DATABASE}; create schema {DATABASE}.intermediate")
        others = [f"{name}_{part}" for name in ("eurostat", "unsd", "destatis") for part in ("ratio", "label", "miss")]
        rows = [{**ROW, **change, "target_id": f"{number:04}"} for number, change in enumerate(changes)]
        disputes, stories = ([{**one, **_of(row, one)} for row in rows] for one in (DISPUTE, STORY))
        rows = [{name: row[name] for name in row if name not in {*DISPUTE, *STORY}} for row in rows]
        delays = [{"target_id": row["target_id"], "months_behind": 30.0} for row in rows]
        for name, given_rows in (
            ("int_target_verdicts", pl.DataFrame(rows, schema_overrides=TYPES, infer_schema_length=None)),
            ("int_target_delays", pl.DataFrame(delays)),
            ("int_target_disputes", pl.DataFrame(disputes, schema_overrides=TYPES)),
            ("int_target_stories", pl.DataFrame(stories, schema_overrides=TYPES)),
            ("int_target_comparisons", pl.DataFrame(schema=dict.fromkeys(("target_id", *others), pl.String))),
            *((seed, pl.read_csv(PROJECT / "seeds" / "shared" / f"{seed}.csv")) for seed in SEEDS),
        ):
            con.register("given", given_rows.to_arrow())
            con.execute(f"create table {DATABASE}.intermediate.{name} as select * from given")
            con.unregister("given")
        told = "sentence_nl, needed_nl, remark_nl, attention_nl"
        said = con.sql(f"select concat_ws(' ', {told}) from ({code}) order by target_id").fetchall()
        return [sentence for (sentence,) in said]

    return say


def _of(row: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("target_id", *about) if name in row}


def wrong_with(sentence: str, direction_sign: int) -> list[str]:
    return [
        *faults(sentence, AS_OF),
        *direction_faults(sentence, direction_sign),
        *reached_faults(sentence, direction_sign),
    ]


def _rows() -> Iterator[dict[str, Any]]:
    for status, kind, age in product(STATUSES, KINDS.values(), DAYS.values()):
        row = {**kind, "ref_date": age, "status": status, "folded_status": status, "wanted_status": status}
        if status in {"overdue", "awaiting_figure"} and "target_date" not in kind:
            row["target_date"] = date(2025, 12, 31)
        yield row | {"folded_status": "behind"} if status == "stale" else row


def test_every_status_of_every_kind_says_only_what_is_true_of_a_figure_old_or_new(said: Said) -> None:
    wrong = {}
    rows = list(_rows())
    for row, sentence in zip(rows, said(*rows), strict=True):
        found = wrong_with(sentence, row["direction_sign"])
        if row["status"] not in {"cancelled", "contested", "not_started"} and not _names_a_day(
            sentence, row["ref_date"]
        ):
            found.append("the day of the figure is missing")
        if found:
            wrong[sentence] = found
    assert wrong == {}


@pytest.mark.parametrize("occasion", sorted(OCCASIONS))
def test_on_every_occasion_only_what_is_true_is_said(said: Said, occasion: str) -> None:
    row = OCCASIONS[occasion]
    [sentence] = said(row)
    assert wrong_with(sentence, row.get("direction_sign", 1)) == []


def test_every_template_is_said_of_some_row_that_is_held_against_the_rules(said: Said) -> None:
    sentences = said(*_rows(), *OCCASIONS.values())
    templates = pl.read_csv(PROJECT / "seeds" / "shared" / "sentence_templates.csv")
    unsaid = [
        template_id
        for template_id, template in templates.iter_rows()
        if not any(re.search(_said_as(template), sentence) for sentence in sentences)
    ]
    assert unsaid == []


def _said_as(template: str) -> str:
    """The words of a template, whatever fills its gaps."""
    return ".+?".join(re.escape(words) for words in re.split(r"\{\w+\}", template))


def test_a_judgement_in_dispute_says_what_each_reading_says_and_who_may_decide(said: Said) -> None:
    rows = [row | DISPUTED for row in _rows() if row["status"] not in {"cancelled", "contested"}]
    wrong = {}
    for row, sentence in zip(rows, said(*rows), strict=True):
        found = wrong_with(sentence, row["direction_sign"])
        both = "tegen 2025: termijn verstreken; tegen 2030: op schema"
        if f"open vraag ({both}). Daarover beslist het college." not in sentence:
            found.append("both readings, or who may decide, are missing")
        if found:
            wrong[sentence] = found
    assert wrong == {}


def test_what_lapsed_says_why_and_what_cannot_be_judged_asks_its_question(said: Said) -> None:
    lapsed, asked = said({"status": "cancelled"}, {"status": "contested"})
    assert lapsed == "Doel: dit doel geldt niet meer. De jury koos andere steden."
    assert asked == (
        "Doel: dit is nog niet te beoordelen. Open vraag: Welk basisjaar geldt? Daarover beslist het college."
    )


@pytest.mark.parametrize("status", ["monitored", "on_track", "at_risk", "behind", "stale", "no_data"])
def test_a_path_without_an_end_says_so_and_a_norm_or_a_quota_does_not(said: Said, status: str) -> None:
    status_of = dict.fromkeys(("status", "folded_status", "wanted_status"), status)
    open_end, norm, quota, dated = said(
        status_of | {"target_date": None},
        status_of | KINDS["a norm"] | {"target_date": None},
        status_of | KINDS["a quota"],
        status_of,
    )
    assert "Er is geen einddatum vastgelegd." in open_end
    assert not any("einddatum" in sentence for sentence in (norm, quota, dated))


def _names_a_day(sentence: str, ref_date: date) -> bool:
    return f"{ref_date:%d/%m/%Y}" in sentence or f"in {ref_date.year}" in sentence or "na de start op" in sentence


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"a plan", "a yearly rate"}))
@pytest.mark.parametrize("is_sticky", [True, False], ids=["counted", "must hold"])
@pytest.mark.parametrize("has_fallen", [True, False], ids=["fallen", "holds"])
def test_a_target_that_is_reached_names_the_figure_that_reached_it(
    said: Said,
    kind: str,
    *,
    is_sticky: bool,
    has_fallen: bool,
) -> None:
    target = {**ROW, **KINDS[kind]}
    sign, enough = target["direction_sign"], target["target_value"] + target["direction_sign"]
    row = {
        **KINDS[kind],
        **dict.fromkeys(("status", "folded_status", "wanted_status"), "reached"),
        "is_sticky": is_sticky,
        "reached_on": date(2025, 12, 31) if has_fallen else DAYS["new"],
        "reached_value": enough,
        "ref_date": DAYS["new"],
        "value": target["target_value"] - 5 * sign if has_fallen else enough,
    }
    [sentence] = said(row)
    assert wrong_with(sentence, sign) == []
    if has_fallen and kind != "a rare event":
        assert "31/12/2025" in sentence
        assert f"{'lager' if sign > 0 else 'hoger'} dan het doel" in sentence


def test_an_old_figure_stands_beside_what_was_asked_then_and_what_is_asked_today(said: Said) -> None:
    [sentence] = said(KINDS["a change that must be a fall"])
    assert "Het pad vroeg toen −30,4 %: 20,6 procentpunt te weinig gedaald." in sentence
    assert "Op 23/11/2026 vraagt het pad −33,4 %. Nodig van 23/11/2026 tot 31/12/2030: −7,4" in sentence


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0.0, "minder dan 1 op 10"),
        (0.099, "minder dan 1 op 10"),
        (0.1, "ongeveer 1 op 10"),
        (0.586, "ongeveer 6 op 10"),
        (0.9, "ongeveer 9 op 10"),
        (0.97, "meer dan 9 op 10"),
    ],
)
def test_a_chance_is_said_no_finer_than_such_chances_came_true(said: Said, chance: float, words: str) -> None:
    [sentence] = said({"p_reach": chance})
    assert sentence.endswith(f"op 5 % van de weg na: {words}.")


def test_what_nobody_can_foresee_has_no_figure_and_no_chance_but_keeps_its_gap_and_the_pace_it_needs(
    said: Said,
) -> None:
    [sentence] = said({"is_vague": True, "forecast_value": None, "forecast_low": None, "forecast_high": None})
    assert "Het tempo wisselt te sterk voor een voorspelling." in sentence
    assert "Aan dat tempo" not in sentence
    assert "Kans" not in sentence
    assert "10 te weinig" in sentence
    assert "Nodig van 23/11/2026 tot 31/12/2030: 17 per jaar." in sentence


def test_a_forecast_without_an_interval_has_no_chance(said: Said) -> None:
    [sentence] = said({"forecast_low": None, "forecast_high": None})
    assert "Aan dat tempo wordt het 75 op 31/12/2030." in sentence
    assert "Kans" not in sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "CO2: −9,8 %; het pad vraagt −30,4 %.",
        "CO2: -9,8 % op 31/12/2024.",
        "Nodig vanaf nu: 5 per jaar.",
        "Op 31/12/2024 vraagt het pad 5.",
        "Plaatsen: 95 op 31/10/2026. Het doel van 100 is behaald.",
        "Plaatsen: 95 op 31/10/2026. Het pad vroeg toen 90: 5 te veel.",
        "Nog niet achter. De achterstand was toen 2 maanden.",
        "Op 23/11/2026 vraagt het pad .",
    ],
)
def test_the_rules_find_an_untrue_sentence(sentence: str) -> None:
    assert wrong_with(sentence, 1)


def test_what_is_needed_is_told_by_the_month_where_figures_come_by_the_month_and_one_a_month_is_asked(
    said: Said,
) -> None:
    monthly, yearly, late, norm, plan = said(
        {"required_pace_per_year": 144.0, "recent_pace_per_year": 60.0, "status": "behind"},
        {"required_pace_per_year": 144.0, "recent_pace_per_year": 60.0, "cadence_days": 365},
        {"status": "overdue", "target_date": date(2025, 12, 31), "required_pace_per_year": None},
        KINDS["a norm"] | {"required_pace_per_year": None},
        KINDS["a plan"] | {"required_pace_per_year": None},
    )
    assert "Nodig van 23/11/2026 tot 31/12/2030: 12 per maand. Recent tempo, tot 31/12/2024: 5 per maand." in monthly
    assert "per maand" not in yearly
    assert "Nodig: van 30 naar 100, dus 70 erbij. Recent tempo, tot 31/12/2024: 8 per jaar." in late
    assert "Nodig: van 30 naar 100, dus 70 erbij." in norm
    assert "Nodig: klaar zijn op 31/12/2030." in plan
