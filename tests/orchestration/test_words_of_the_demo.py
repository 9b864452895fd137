"""What the demo's readers read, held against the same rules as every sentence: `tests/verdicts/plain_words.py`."""

import io
from email import message_from_bytes, policy

import polars as pl
from rich.console import Console

from orchestration.report import print_targets, published_frame
from orchestration.settings import Settings
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


def test_the_mails_of_the_demo_keep_the_rules(demo: Settings) -> None:
    titles = published_frame(demo, "verdicts.fct_target_verdicts")["title_nl"]
    with State(demo.layout.state) as state:
        mails = [message_from_bytes(row.message, policy=policy.default) for row in state.unsent()]
    assert mails
    for mail in mails:
        words = " ".join(mail.get_body(("plain",)).get_content().split())
        for title in titles:
            words = words.replace(title, "Doel")
        assert list(faults(words, AS_OF)) == []
        assert "Stand op" in words


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
