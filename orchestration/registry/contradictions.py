"""Where a registry says two things that cannot both hold: of promises, of readings, and of sums.

What the note itself contradicts is no fault once a question about it is open: then each reading is judged.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product

from orchestration.registry.fault import Fault
from orchestration.registry.seeds import Registry, Row

_UPWARDS = ("increase", "at_least")
# a total in whole things may be the half of one beside its ratio
_ROUNDED = 0.5
# what an answer to an open question may say otherwise than the registry
_READ_OTHERWISE = (
    "value_kpi_id",
    "denominator_id",
    "baseline_value",
    "baseline_date",
    "target_value",
    "target_date",
)


def _promises(registry: Registry) -> Iterator[Fault]:
    """Promises on one figure: the later asks more, of the same thing, from the same start."""
    targets = {row["target_id"]: row for row in registry["targets"].rows}
    for line, row in registry["targets"].numbered():
        if row["follows"]:
            told = _against(row, targets[row["follows"]])
            yield from (Fault("targets", line, why, remedy) for why, remedy in told)
    for line, row in registry["targets"].numbered():
        if row["target_id"] in _line_of(row, targets):
            yield Fault("targets", line, "a promise follows itself", "Name the promise before it, or none")


def _line_of(target: Row, targets: dict[str, Row]) -> list[str]:
    """The promises before a promise, as far as they lead."""
    found: list[str] = []
    while target["follows"] and target["follows"] not in found:
        found.append(target["follows"])
        target = targets[target["follows"]]
    return found


def _against(later: Row, earlier: Row) -> Iterator[tuple[str, str]]:
    for name in ("unit", "baseline_value", "baseline_date"):
        if later[name] != earlier[name]:
            why = f"{name} is {later[name]!r}, but {earlier['target_id']}, which it follows, says {earlier[name]!r}"
            yield why, "One figure has one of them: correct it, or let the promise follow none"
    if (later["direction"] in _UPWARDS) != (earlier["direction"] in _UPWARDS):
        yield f"it wants the other way of {earlier['target_id']}, which it follows", "Correct one of the directions"
    if later["trajectory"] != "milestones":
        yield f"a promise that follows another has the path {later['trajectory']}", "Give it the path milestones"
    if not all(row[name] for row in (later, earlier) for name in ("target_date", "target_value")):
        yield "a promise on a figure with several lacks a value or a date", "Fill in both, or let it follow none"
        return
    if later["target_date"] <= earlier["target_date"]:
        yield f"it follows {earlier['target_id']}, but is due no later", "Correct one of the dates"
    more = float(later["target_value"]) - float(earlier["target_value"])
    if more * (1 if later["direction"] in _UPWARDS else -1) < 0:
        yield f"it asks less than {earlier['target_id']}, which it follows", "Correct one of the values"


def _readings(registry: Registry) -> Iterator[Fault]:
    """A question is read in at least two ways, one of which is the registry's own, and in none once it is decided."""
    questions = {row["decision_id"]: row for row in registry["target_decisions"].rows}
    targets = {row["target_id"]: row for row in registry["targets"].rows}
    own = Counter(row["decision_id"] for row in registry["target_readings"].rows if not _other(row))
    read = Counter(row["decision_id"] for row in registry["target_readings"].rows)
    for line, row in registry["target_readings"].numbered():
        question = questions[row["decision_id"]]
        if not row["reading_id"].startswith(f"{row['decision_id']}."):
            yield Fault("target_readings", line, "reading_id does not begin with its decision_id", "Name it so")
        if question["decided_on"]:
            why = "the question is decided: one reading is left, and that is the registry"
            yield Fault("target_readings", line, why, "Write it in targets.csv and take the readings out")
        if own[row["decision_id"]] != 1 or read[row["decision_id"]] < 2:
            count = f"{read[row['decision_id']]} readings, of which {own[row['decision_id']]} fill in nothing else"
            why = f"{row['decision_id']} has {count}"
            yield Fault("target_readings", line, why, "Give the registry's own reading and at least one other")
        same = [name for name in _other(row) if row[name] == targets.get(question["target_id"], {}).get(name)]
        if same:
            why = f"{', '.join(same)} is what the registry says already"
            yield Fault("target_readings", line, why, "Leave it empty, or write what the other reading says")


def _other(reading: Row) -> list[str]:
    """The columns in which a reading says otherwise than the registry."""
    return [name for name in _READ_OTHERWISE if reading[name]]


def _sums(registry: Registry) -> Iterator[Fault]:
    """Wordings of one target that do not add up contradict each other, and then a question about them is open."""
    targets = {row["target_id"]: row for row in registry["targets"].rows}
    opened = {row["target_id"] for row in registry["target_decisions"].rows if not row["decided_on"]}
    wordings = [row for row in registry["target_wordings"].rows if row["alias_target_id"]]
    for line, row in registry["targets"].numbered():
        said = [each for each in wordings if each["target_id"] == row["target_id"]]
        named = {relation: _valued(relation, said, targets) for relation in ("part", "stock", "increase", "ratio")}
        for why in (_parts(row, named), _stock(named), _ratio(row, named, registry)):
            about = {row["target_id"], *(each["alias_target_id"] for each in said)}
            if why and not about & opened:
                yield Fault("targets", line, why, "Correct a figure, or ask in target_decisions.csv which one holds")


def _valued(relation: str, wordings: list[Row], targets: dict[str, Row]) -> list[Row]:
    named = (targets[row["alias_target_id"]] for row in wordings if row["relation"] == relation)
    return [row for row in named if row["target_value"]]


def _parts(whole: Row, named: dict[str, list[Row]]) -> str:
    parts = [float(row["target_value"]) for row in named["part"]]
    if len(parts) < 2 or not whole["target_value"] or sum(parts) == float(whole["target_value"]):
        return ""
    return f"its parts add to {sum(parts):g}, not to {float(whole['target_value']):g}"


def _stock(named: dict[str, list[Row]]) -> str:
    for stock, increase in product(named["stock"], named["increase"]):
        if stock["baseline_value"]:
            reached = float(stock["baseline_value"]) + float(increase["target_value"])
            if reached != float(stock["target_value"]):
                more = f"{stock['baseline_value']} and {increase['target_value']} more are {reached:g}"
                return f"{more}, not the {stock['target_value']} of {stock['target_id']}"
    return ""


def _ratio(target: Row, named: dict[str, list[Row]], registry: Registry) -> str:
    """A ratio is its total over its base; the total is the target itself, or a stock beside it."""
    bases = {row["denominator_id"]: row for row in registry["denominators"].rows}
    ratios = [(row, target) for row in named["ratio"]] + [(target, stock) for stock in named["stock"]]
    for ratio, total in ratios:
        base = bases.get(ratio["denominator_id"])
        if base is None or not total["target_value"] or not ratio["target_value"]:
            continue
        makes = float(ratio["target_value"]) * float(base["value"]) / _per(ratio["unit"])
        if abs(makes - float(total["target_value"])) > _ROUNDED:
            told = f"{ratio['target_value']} {ratio['unit']} of {base['value']} is {makes:.0f}"
            return f"{told}, not the {total['target_value']} of {total['target_id']}"
    return ""


def _per(unit: str) -> float:
    """Of how many a ratio speaks: 1000 for `cars per 1,000 inhabitants`."""
    found = re.search(r"per ([\d,]+)", unit)
    return float(found[1].replace(",", "")) if found else 1.0


def _one_figure(registry: Registry) -> Iterator[Fault]:
    """Two promises of one figure for one day, of which neither is another wording of the other."""
    first: dict[tuple[str, str], Row] = {}
    for line, row in registry["targets"].numbered():
        key = (row["value_kpi_id"] or row["kpi_id"], row["target_date"])
        if row["alias_of"] or row["registry_status"] == "cancelled" or not (row["target_value"] and row["target_date"]):
            continue
        earlier = first.setdefault(key, row)
        if float(earlier["target_value"]) != float(row["target_value"]) and not _shares_a_question(
            row, earlier, registry
        ):
            why = f"promises {row['target_value']}, and {earlier['target_id']} {earlier['target_value']} of one figure"
            yield Fault("targets", line, why, "Correct one, make it an alias, or ask which one holds")


def _shares_a_question(one: Row, other: Row, registry: Registry) -> bool:
    both = {one["target_id"], other["target_id"]}
    return any(row["target_id"] in both and not row["decided_on"] for row in registry["target_decisions"].rows)


CONTRADICTIONS: tuple[Callable[[Registry], Iterator[Fault]], ...] = (_readings, _promises, _sums, _one_figure)
