"""Quality at the exit: what failed, and exactly which KPIs may therefore not be trusted.

Belongs here: running the suite of `contracts.marts`, reading dbt's own results, and joining them into one verdict
per KPI. Does not belong here: Dagster, or the rules themselves.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from contracts.marts.kpi_observations import EVERY_KPI, Expectation, expectations_of
from orchestration.data_docs import Family, make_stand_alone
from orchestration.environment import silence_great_expectations

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_COMPLETENESS_LIMIT = 0.95
DEFAULT_ACCEPTED_LIMIT = 0.98
VERDICT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "kpi_id": pl.String,
    "verdict": pl.String,
    "reasons": pl.List(pl.String),
    "build_id": pl.String,
}

_FAILING = frozenset({"warn", "fail", "error"})
# a test of which the rows are kept for whoever looks, and nothing else follows
_NOTE = "note"
_TESTED_KINDS = ("model.", "seed.", "snapshot.", "source.")
_SHARE_COLUMNS = ("source", "kpi_id", "accepted_share")
_EARLIER_CHANGES_NEEDED = 6
_GROWN_SHARE = 0.5
_PERIOD_COLUMNS = ("period_start", "ref_date")


def run_suite(
    observations: "pd.DataFrame", docs: Path, build_id: str, previous: "pd.DataFrame | None" = None
) -> dict[str, list[str]]:
    """Run the exit suite and write its Data Docs: one page per KPI family, named after the build.

    Args:
        observations: all rows of `fct_kpi_observations`.
        docs: the folder of this build's Data Docs; an earlier run of the same build in it is replaced.
        build_id: name of the run.
        previous: the observations of the last published build, for what must not shrink.

    Returns:
        Per KPI with a failed expectation its reasons in plain Dutch.
    """
    context = _fresh_context(docs)
    source = context.data_sources.add_pandas("kpi_observations")
    failures: dict[str, list[str]] = defaultdict(list)
    families: list[Family] = []
    for family, rows in _with_measures(observations, previous).groupby("kpi_model", sort=True):
        batch = source.add_dataframe_asset(str(family)).add_batch_definition_whole_dataframe("whole build")
        result = _validate(context, batch, rows, build_id)
        families.append(Family(str(family), sum(each.success for each in result.results), len(result.results)))
        for kpi_id, reason in _failures(result):
            failures[kpi_id].append(reason)
    context.build_data_docs()
    make_stand_alone(docs, build_id, families)
    return dict(failures)


def _fresh_context(docs: Path) -> Any:  # noqa: ANN401 - Great Expectations is published without usable types
    silence_great_expectations()
    import great_expectations as gx  # noqa: PLC0415 - four seconds, needed by one step
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415 - idem

    shutil.rmtree(docs / "gx", ignore_errors=True)
    docs.mkdir(parents=True, exist_ok=True)
    context = gx.get_context(mode="file", project_root_dir=str(docs))
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _with_measures(observations: "pd.DataFrame", previous: "pd.DataFrame | None") -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - heavy, and only the suite speaks pandas

    start, end = (pd.to_datetime(observations[column]) for column in _PERIOD_COLUMNS)
    kept = _kept_shares(observations, previous)
    return observations.assign(
        kpi_model=observations["kpi_model"].fillna("kpi_unknown"),
        days_to_ref_date=(end - start).dt.days,
        kept_share=observations["kpi_id"].map(kept).astype("float64"),
        step_ratio=_step_ratios(observations),
    )


def _kept_shares(observations: "pd.DataFrame", previous: "pd.DataFrame | None") -> dict[str, float]:
    if previous is None:
        return {}
    before, now = (frame["kpi_id"].value_counts() for frame in (previous, observations))
    return {str(kpi_id): float(now[kpi_id] / before[kpi_id]) for kpi_id in now.index.intersection(before.index)}


def _step_ratios(observations: "pd.DataFrame") -> "pd.Series[float]":
    """Only the newest row of a series has one: earlier jumps were judged when they were new.

    A period that has hardly begun (the first days of a month or year) counts few units and says nothing yet.
    """
    ordered = observations.sort_values("ref_date", kind="stable")
    keys = [ordered[name] for name in ("kpi_id", "kpi_model", "area_id")]
    steps = ordered["value"].groupby(keys).diff().abs()
    is_newest = ordered.groupby(keys).cumcount(ascending=False) == 0
    earlier = steps.mask(is_newest).groupby(keys)
    usual, known = earlier.transform("median"), earlier.transform("count")
    units = ordered["n"].astype("float64")
    is_grown = units.isna() | (units >= _GROWN_SHARE * units.groupby(keys).transform("median"))
    is_judged = is_newest & is_grown & (known >= _EARLIER_CHANGES_NEEDED) & (usual > 0)
    return (steps / usual).where(is_judged).reindex(observations.index)


def _validate(context: Any, batch: Any, rows: "pd.DataFrame", build_id: str) -> Any:  # noqa: ANN401 - GX is untyped
    import great_expectations as gx  # noqa: PLC0415 - as above
    from great_expectations.core.run_identifier import RunIdentifier  # noqa: PLC0415 - as above

    family = str(rows["kpi_model"].iloc[0])
    # whole before it is kept: a suite that is kept is written again at every expectation
    suite = context.suites.add(gx.ExpectationSuite(name=family, expectations=list(_as_gx(rows))))
    validation = gx.ValidationDefinition(name=family, data=batch, suite=suite)
    return context.validation_definitions.add(validation).run(
        batch_parameters={"dataframe": rows},
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["kpi_id", "area_id", "ref_date"]},
        run_id=RunIdentifier(run_name=build_id),
    )


def _as_gx(rows: "pd.DataFrame") -> Iterator[Any]:
    """One expectation per rule, about all the KPIs it holds for: a run pays for each expectation, not for each KPI."""
    units = rows.groupby("kpi_id", sort=True)["unit"].first()
    about: dict[Expectation, list[str]] = defaultdict(list)
    for kpi_id, unit in units.items():
        for expectation in expectations_of(str(kpi_id), str(unit)):
            about[expectation].append(str(kpi_id))
    for expectation, kpis in about.items():
        yield _between(expectation, kpis, is_of_all=len(kpis) == len(units))


def _between(expectation: Expectation, kpis: list[str], *, is_of_all: bool) -> Any:  # noqa: ANN401 - GX is untyped
    import great_expectations.expectations as gxe  # noqa: PLC0415 - as above
    from great_expectations.expectations.row_conditions import Column  # noqa: PLC0415 - as above

    return gxe.ExpectColumnValuesToBeBetween(
        column=expectation.column,
        min_value=expectation.minimum,
        max_value=expectation.maximum,
        row_condition=None if is_of_all else Column("kpi_id").is_in(kpis),
        description=_described(expectation, kpis),
        meta={"reason_nl": expectation.reason_nl},
    )


def _described(expectation: Expectation, kpis: list[str]) -> str:
    """What the Data Docs show: the sentence, its limits, and whom it is about."""
    limits = [
        f"{words} {limit:g}"
        for words, limit in (("at least", expectation.minimum), ("at most", expectation.maximum))
        if limit is not None
    ]
    sentence = expectation.name.replace("_", " ")
    whom = "every KPI" if expectation in EVERY_KPI else ", ".join(kpis)
    return f"{whom}: {sentence} ({expectation.column} {' and '.join(limits)})"


def _failures(result: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - GX is untyped
    """Per failed expectation and KPI how many rows fail, with one of them as an example."""
    for outcome in result.results:
        settings = outcome.expectation_config
        if outcome.exception_info.get("raised_exception"):
            raise RuntimeError(f"expectation on {settings.kwargs['column']}: {outcome.exception_info}")
        rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in outcome.result.get("unexpected_index_list") or ():
            rows[str(row["kpi_id"])].append(row)
        for kpi_id, failing in rows.items():
            yield kpi_id, f"{settings.meta['reason_nl']} ({_example(settings.kwargs['column'], failing)})"


def _example(column: str, rows: Sequence[Mapping[str, Any]]) -> str:
    worst = max(rows, key=lambda row: str(row["ref_date"]))
    count = "1 rij" if len(rows) == 1 else f"{len(rows)} rijen"
    return f"{count}, bv. {_number(float(worst[column]))} op {worst['ref_date']:%d/%m/%Y}"


def failing_models(manifest: Mapping[str, Any], tests: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """What dbt's data tests found, by the model they test; a mere note is no failure.

    Args:
        manifest: dbt's `manifest.json`.
        tests: unique_id, status and failures of every test, as in dbt's `run_results.json`.

    Returns:
        Per unique id of a tested model, seed or source the reasons in plain Dutch.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for result in tests:
        test = manifest["nodes"].get(result["unique_id"])
        if test is None or test["resource_type"] != "test" or result["status"] not in _FAILING:
            continue
        if _NOTE in test.get("tags", ()):
            continue
        for model in _tested(test):
            found[model].append(_test_reason(test, result, model))
    return dict(found)


def _tested(test: Mapping[str, Any]) -> list[str]:
    # A generic test hangs on one model although `relationships` also depends on the other; a singular test on all.
    if test.get("attached_node"):
        return [test["attached_node"]]
    return [node for node in test["depends_on"]["nodes"] if node.startswith(_TESTED_KINDS)]


def _test_reason(test: Mapping[str, Any], result: Mapping[str, Any], model: str) -> str:
    what = test.get("description") or f"controle {test['name']}"
    if result["status"] == "error":
        return f"{what}: kon niet draaien op {_short(model)}"
    count = result.get("failures") or 0
    return f"{what}: {count} {'rij klopt' if count == 1 else 'rijen kloppen'} niet in {_short(model)}"


def _short(unique_id: str) -> str:
    return unique_id.rsplit(".", 1)[-1]


def downstream_kpi_models(manifest: Mapping[str, Any], models: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The KPI models (tag `kpi`) that are a model in `models` or stand below one, with the reasons of all of those."""
    reached: dict[str, list[str]] = {}
    for kpi, ancestors in _kpi_ancestry(manifest):
        reasons = [reason for model in sorted(ancestors & models.keys()) for reason in models[model]]
        if reasons:
            reached[kpi] = reasons
    return reached


def source_kpi_models(manifest: Mapping[str, Any]) -> dict[str, set[str]]:
    """Per source of the city the KPI models that are computed from it, by the names `<source>__<table>` of landing."""
    found: dict[str, set[str]] = defaultdict(set)
    for kpi, ancestors in _kpi_ancestry(manifest):
        for node in ancestors & manifest["sources"].keys():
            source, separator, _ = manifest["sources"][node]["identifier"].partition("__")
            if separator:
                found[source].add(kpi)
    return dict(found)


def _kpi_ancestry(manifest: Mapping[str, Any]) -> Iterator[tuple[str, set[str]]]:
    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] == "model" and "kpi" in node["tags"]:
            yield node["name"], _with_ancestors(manifest, unique_id)


def _with_ancestors(manifest: Mapping[str, Any], unique_id: str) -> set[str]:
    seen: set[str] = set()
    waiting = [unique_id]
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting.extend(manifest["nodes"].get(node, {}).get("depends_on", {}).get("nodes", ()))
    return seen


def judge_quality(  # noqa: PLR0913, PLR0917 - the verdict joins exactly these seven inputs
    manifest: Mapping[str, Any],
    tests: Sequence[Mapping[str, Any]],
    suite_failures: Mapping[str, Sequence[str]],
    observations: pl.DataFrame,
    sources: pl.DataFrame,
    registry: pl.DataFrame,
    build_id: str,
) -> pl.DataFrame:
    """One quality verdict per KPI that has an observation.

    Args:
        manifest: dbt's `manifest.json`.
        tests: what `failing_models` takes.
        suite_failures: what `run_suite` returned.
        observations: kpi_id, kpi_model, area_id, ref_date, completeness (0 to 1).
        sources: source, kpi_id, accepted_share (0 to 1); without kpi_id, of every KPI of the source.
        registry: kpi_id, completeness_limit, accepted_limit (0 to 1); a missing one is the default.
        build_id: the build the verdicts are of.

    Returns:
        kpi_id, verdict (`verified` or `unverified`), reasons in plain Dutch, build_id; in order of kpi_id.
    """
    tested = downstream_kpi_models(manifest, failing_models(manifest, tests))
    upstream = _sources_of(manifest)
    accepted = {(source, kpi): share for source, kpi, share in sources.select(_SHARE_COLUMNS).iter_rows()}
    rows = []
    for kpi in _with_limits(_newest_municipal(observations), registry).iter_rows(named=True):
        of_model = upstream.get(kpi["kpi_model"], ())
        shares = {source: accepted.get((source, kpi["kpi_id"]), accepted.get((source, None))) for source in of_model}
        reasons = [
            *tested.get(kpi["kpi_model"], ()),
            *suite_failures.get(kpi["kpi_id"], ()),
            *_completeness_reasons(kpi["completeness"], kpi["completeness_limit"]),
            *_accepted_reasons(shares, kpi["accepted_limit"]),
        ]
        rows.append((kpi["kpi_id"], "unverified" if reasons else "verified", reasons, build_id))
    return pl.DataFrame(rows, schema=VERDICT_SCHEMA, orient="row")


def _sources_of(manifest: Mapping[str, Any]) -> dict[str, list[str]]:
    by_kpi: dict[str, list[str]] = defaultdict(list)
    for source, models in sorted(source_kpi_models(manifest).items()):
        for model in models:
            by_kpi[model].append(source)
    return by_kpi


def _newest_municipal(observations: pl.DataFrame) -> pl.DataFrame:
    """One row per KPI, the one its target is judged on.

    A sector's code extends its municipality's, so the shortest code is the municipality; a measurement speaks before
    a value that somebody filled in.
    """
    order = (
        pl.col("area_id").str.len_chars(),
        pl.col("ref_date").to_physical() * -1,
        pl.col("kpi_model") == "kpi_indicators",
        pl.col("completeness"),
    )
    return (
        observations.sort("kpi_id", *order, nulls_last=False)
        .unique("kpi_id", keep="first", maintain_order=True)
        .select("kpi_id", "kpi_model", "completeness")
    )


def _with_limits(newest: pl.DataFrame, registry: pl.DataFrame) -> pl.DataFrame:
    limits = registry.group_by("kpi_id").agg(pl.col("completeness_limit", "accepted_limit").max())
    return newest.join(limits, on="kpi_id", how="left", maintain_order="left").with_columns(
        pl.col("completeness_limit").fill_null(DEFAULT_COMPLETENESS_LIMIT),
        pl.col("accepted_limit").fill_null(DEFAULT_ACCEPTED_LIMIT),
    )


def _completeness_reasons(completeness: float | None, limit: float) -> Iterable[str]:
    if completeness is None:
        yield "de volledigheid van de nieuwste waarneming is niet bekend"
    elif completeness < limit:
        yield f"slechts {_percent(completeness)} van de verwachte gegevens is binnen; {_percent(limit)} is nodig"


def _accepted_reasons(shares: Mapping[str, float | None], limit: float) -> Iterable[str]:
    for source, share in shares.items():
        if share is not None and share < limit:
            yield f"slechts {_percent(share)} van de rijen van {source} is aanvaard; {_percent(limit)} is nodig"


def _percent(share: float) -> str:
    # Rounded down: 94,96 % of 95 % needed must not read as enough.
    return f"{_number(floor(round(share * 1000, 6)) / 10)}%"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".").replace(".", ",")
