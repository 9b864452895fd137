"""Why a target is where it is: a bar per driver, in Dutch, never wider than 80 columns."""

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest
from rich.console import Console

from orchestration.loop.publishing import show, stage
from orchestration.settings import Settings
from orchestration.why import print_why
from tests.orchestration.profiles import NOW
from warehouse.engine import connect

DRIVER: dict[str, Any] = {
    "target_id": "plans",
    "rank_no": 1,
    "driver_type": "step",
    "driver_key": "intake_to_visit",
    "label_nl": "Wacht tussen intake en huisbezoek",
    "contribution": 1234.0,
    "unit": "dossiers",
    "share": 0.75,
    "median_days": None,
    "compared_with": "path",
    "ref_date": date(2026, 11, 22),
}
SCHEMA = pl.DataFrame([DRIVER]).schema | {"median_days": pl.Float64}


@pytest.fixture
def why(empty_profile: Callable[..., Settings]) -> Callable[..., str]:
    """What the command prints of the target `plans` with these drivers."""

    def make(
        *drivers: dict[str, Any],
        target_id: str = "plans",
        status: str = "behind",
        gap: float | None = -231.0,
        story: str | None = None,
        reasons: object = "slechts 80% van de rijen [van planten] is aanvaard",
    ) -> str:
        settings = empty_profile()
        rows = pl.DataFrame([DRIVER | driver for driver in drivers], schema=SCHEMA)
        verdicts = pl.DataFrame(
            {
                "target_id": ["plans"],
                "as_of_date": [date(2026, 11, 23)],
                "sentence_nl": ["Trajecten: 1.500 [van 1.731]."],
                "story_nl": pl.Series([story], dtype=pl.String),
                "status": [status],
                "is_alarm": [True],
                "gap": pl.Series([gap], dtype=pl.Float64),
                "ref_date": [date(2026, 11, 22)],
                "dq_reasons": [reasons],
            }
        )

        with connect(settings.layout.warehouse) as con:
            con.execute("create schema if not exists verdicts")
            for table, frame in (("fct_gap_drivers", rows), ("fct_target_verdicts", verdicts)):
                con.register("frame", frame)
                con.execute(f"create or replace table verdicts.{table} as select * from frame")
        stage(settings, "b1", NOW)
        show(settings, "b1", NOW)
        console = Console(width=80, record=True, file=io.StringIO(), highlight=False)
        print_why(console, settings, target_id)
        return console.export_text()

    return make


def test_a_build_that_an_earlier_version_published_says_its_reasons_too(why: Callable[..., str]) -> None:
    assert "- te laat; te weinig" in why(status="unverified", reasons=["te laat", "te weinig"])


@pytest.mark.parametrize("status", ["unverified", "behind"])
def test_only_a_figure_that_is_not_verified_says_why(why: Callable[..., str], status: str) -> None:
    reason = "- slechts 80% van de rijen [van planten] is aanvaard"
    assert (reason in why(status=status)) == (status == "unverified")


def test_the_largest_driver_stands_first_with_the_longest_bar(why: Callable[..., str]) -> None:
    text = why(
        {"rank_no": 2, "driver_key": "overige", "label_nl": "Overige", "share": 0.25, "contribution": 411.0},
        {"rank_no": 1, "median_days": 34.4},
    )
    lines = [line for line in text.splitlines() if "█" in line]
    assert [line.split()[0] for line in lines] == ["1.", "2."]
    assert lines[0].count("█") == 16
    assert lines[1].count("█") == 5
    assert "75 %" in lines[0]
    assert "1.234 dossiers, al 34" in lines[0]
    assert "411 dossiers" in lines[1]
    assert "al " not in lines[1].partition("%")[2]


def test_the_sentence_of_the_target_and_its_date_stand_above(why: Callable[..., str]) -> None:
    text = why({})
    assert text.startswith("Trajecten: 1.500 [van 1.731].")
    assert "Stand op 22/11/2026, tegenover het pad." in text


def test_without_a_path_the_year_before_is_what_it_is_held_against(why: Callable[..., str]) -> None:
    text = why({"compared_with": "previous_year", "ref_date": None, "unit": "kg CO2"})
    assert "twaalf maanden tegenover de twaalf ervoor" in " ".join(text.split())
    assert "1.234 kg CO₂" in text


@pytest.mark.parametrize(
    ("gap", "told"),
    [
        (-231.0, "De cijfers zeggen niet waardoor dit doel op 22/11/2026 achterbleef."),
        (0.0, "Op 22/11/2026 stond dit doel op zijn pad of beter."),
        (12.0, "Op 22/11/2026 stond dit doel op zijn pad of beter."),
        (None, "De cijfers zeggen niet meer dan dit."),
    ],
)
def test_without_drivers_it_does_not_contradict_the_judgement(
    why: Callable[..., str], gap: float | None, told: str
) -> None:
    text = why({"target_id": "another"}, gap=gap)
    assert told in text
    assert "geen achterstand" not in text


def _percents_in(text: str) -> list[int]:
    return [int(line.partition(" %")[0].split()[-1]) for line in text.splitlines() if "█" in line]


def test_sixths_add_to_a_hundred(why: Callable[..., str]) -> None:
    text = why(*({"rank_no": rank, "share": 1 / 6} for rank in range(1, 7)))
    assert sorted(_percents_in(text)) == [16, 16, 17, 17, 17, 17]


def test_two_kinds_of_drivers_each_add_to_a_hundred_under_their_own_heading(why: Callable[..., str]) -> None:
    text = why({"share": 1.0}, {"rank_no": 2, "driver_type": "category", "driver_key": "dak", "share": 1.0})
    assert text.index("Per stap") < text.index("Per soort")
    assert _percents_in(text) == [100, 100]


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        *((status, "Waardoor blijft dit doel achter?") for status in ("behind", "at_risk", "overdue")),
        *((status, "Wat houdt dit doel het meest tegen?") for status in ("on_track", "unverified", "reached")),
    ],
)
def test_what_is_not_judged_to_be_late_is_not_said_to_be(why: Callable[..., str], status: str, asked: str) -> None:
    assert asked in why({}, status=status)
    assert "achterbleef" not in why({"target_id": "another"}, status="on_track")


def test_a_unit_of_the_register_reads_in_dutch(why: Callable[..., str]) -> None:
    assert "0,5 laadpuntequivalenten" in why({"unit": "equivalents per 100 inhabitants", "contribution": 0.5})


def test_nothing_is_wider_than_a_terminal(why: Callable[..., str]) -> None:
    names = ("Sluikstorten en zwerfvuil langs de ring (Team Omgeving en Klimaat)", "Z" * 120)
    text = why(*({"rank_no": rank, "label_nl": name} for rank, name in enumerate(names, start=1)))
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "Team Omgeving" in text


def test_an_unknown_target_says_where_the_known_ones_are(why: Callable[..., str]) -> None:
    with pytest.raises(LookupError, match="no target nothing in the register; `ademruimte targets list`"):
        why({}, target_id="nothing")


def test_the_other_promises_on_the_figure_are_named(why: Callable[..., str]) -> None:
    assert "Op hetzelfde cijfer rust ook: −70 % (let op)." in why(story="−70 % (let op)")


def test_a_figure_with_one_promise_names_no_other(why: Callable[..., str]) -> None:
    assert "hetzelfde cijfer" not in why()
