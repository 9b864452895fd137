"""What the demo's readers read, held against the same rules as every sentence: `tests/verdicts/plain_words.py`."""

import io
import re
from email import message_from_bytes, policy
from html import unescape

import polars as pl
from rich.console import Console

from orchestration.alerts import wording
from orchestration.report import print_targets, published_frame
from orchestration.settings import Settings
from orchestration.why import print_why
from tests.verdicts.plain_words import faults
from tests.verdicts.test_sentences import AS_OF, wrong_with
from warehouse.state import State

SHOWN = ("behind", "at_risk", "on_track", "overdue", "awaiting_figure", "reached", "monitored", "stale", "unverified")


def test_the_sentences_of_the_demo_keep_the_rules(demo: Settings) -> None:
    signs = pl.col("direction").is_in(["increase", "at_least"]).cast(pl.Int8) * 2 - 1
    verdicts = published_frame(demo, "verdicts.fct_target_verdicts").select("title_nl", "sentence_nl", signs)
    wrong = {
        sentence: found
        for title, sentence, sign in verdicts.iter_rows()
        if (found := wrong_with(sentence.replace(title, "Doel"), sign))
    }
    assert wrong == {}


def test_only_a_share_of_months_is_told_of_twelve_months_together(demo: Settings) -> None:
    days = (pl.col("period_end") - pl.col("period_start")).dt.total_days().max().alias("days")
    periods = published_frame(demo, "marts.fct_kpi_observations").group_by("kpi_id").agg(days)
    told = published_frame(demo, "verdicts.fct_target_verdicts").filter(
        pl.col("sentence_nl").str.contains("twaalf maanden")
    )
    assert told.join(periods, on="kpi_id")["days"].max() == 30, "the longest month ends thirty days after it began"


def test_the_mails_of_the_demo_keep_the_rules(demo: Settings) -> None:
    titles = published_frame(demo, "verdicts.fct_target_verdicts")["title_nl"]
    with State(demo.layout.state) as state:
        mails = [message_from_bytes(row.message, policy=policy.default) for row in state.unsent()]
    assert mails
    for mail in mails:
        markup = re.sub(r"<style>.*?</style>", "", mail.get_body(("html",)).get_content(), flags=re.DOTALL)
        read = unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</?(strong|span)\b[^>]*>", "", markup)))
        for text in (mail.get_body(("plain",)).get_content(), read):
            words = " ".join(text.split())
            for title in titles:
                words = words.replace(title, "Doel")
            assert list(faults(words, AS_OF)) == []
            is_late = re.search(r"\d+ doelstelling\w* (achter op schema|waarvan de termijn)", words)
            assert ("Stand op" in words) == bool(is_late)


def test_the_limit_of_a_norm_is_the_norm_with_the_margin_that_its_sentence_names(demo: Settings) -> None:
    norms = published_frame(demo, "verdicts.fct_target_verdicts").filter(pl.col("limit_value").is_not_null())
    told = norms.filter(pl.col("what_nl").str.contains("met een marge van"))
    assert told.height > 1
    for what, norm, limit in told.select("what_nl", "required_value", "limit_value").iter_rows():
        assert f"met een marge van {wording.number(abs(norm - limit))}" in what


def test_status_tells_the_day_of_every_figure(demo: Settings) -> None:
    console = Console(width=300, record=True, file=io.StringIO(), highlight=False)
    print_targets(console, demo)
    lines = console.export_text().splitlines()
    assert not [line for line in lines if " now" in line]
    is_told = pl.col("status").is_in(SHOWN) & pl.col("ref_date").is_not_null()
    verdicts = published_frame(demo, "verdicts.fct_target_verdicts").filter(is_told)
    for target_id, ref_date in verdicts.select("target_id", "ref_date").iter_rows():
        (line,) = [line for line in lines if f"({target_id})" in line]
        assert f" on {ref_date}" in line


def test_why_of_every_target_keeps_the_rules_and_says_behind_only_of_what_is(demo: Settings) -> None:
    drivers = published_frame(demo, "verdicts.fct_gap_drivers")
    verdicts = published_frame(demo, "verdicts.fct_target_verdicts")
    explained = verdicts.filter(pl.col("target_id").is_in(drivers["target_id"].unique().to_list()))
    assert explained.height > 3
    for target_id, title, status in explained.select("target_id", "title_nl", "status").iter_rows():
        console = Console(width=80, record=True, file=io.StringIO(), highlight=False)
        print_why(console, demo, target_id)
        told = " ".join(console.export_text().split()).replace(title, "Doel")
        assert list(faults(told, AS_OF)) == [], target_id
        assert ("Waardoor blijft dit doel achter?" in told) <= (status in {"behind", "at_risk", "overdue"})
        assert "Overige 100 %" not in told


def test_the_drivers_of_a_kind_are_a_whole_and_none_is_all_rest(demo: Settings) -> None:
    drivers = published_frame(demo, "verdicts.fct_gap_drivers")
    kinds = drivers.group_by("target_id", "driver_type", "unit").agg(
        pl.col("share").sum().round(4).alias("whole"), (pl.col("driver_key") != "overige").any().alias("is_named")
    )
    assert kinds["whole"].unique().to_list() == [1]
    assert kinds["is_named"].all()


def test_most_departments_tell_every_month_of_1777_that_is_over(demo: Settings) -> None:
    months = published_frame(demo, "marts.fct_ticket_service_monthly")
    told = months.filter(pl.col("n_late").is_not_null())
    assert (months.height, told.height) == (28, 24)
    assert months.filter(pl.col("n_late").is_null())["empty_reason_nl"].unique().to_list() == [
        "nog niet elke termijn is voorbij"
    ]
