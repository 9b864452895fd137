"""What may be wrong in a registry: every fault with its line, why it matters and what to do."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise

from orchestration.registry.contradictions import CONTRADICTIONS
from orchestration.registry.fault import Fault
from orchestration.registry.seeds import MILESTONE_PATHS, SHAPES, Column, Registry, Row, Table

ENGAGEMENTS = {
    "lekp": ("lekp_goals", "goal_uri"),
    "plan": ("policy_tree", "code"),
    "covenant": ("covenant_actions", "covenant_action_id"),
}
_ABOVE = {"objective": "", "plan": "objective", "action": "plan"}
# the note writes its percentages with one decimal
_ROUNDING = 0.05
_SHARES = ("completeness_limit", "accepted_limit")


def faults(registry: Registry) -> list[Fault]:
    """Every fault, by seed and line; a cell that cannot be read hides the faults that need its meaning."""
    cells = [fault for table in registry.values() for fault in _cell_faults(table, registry)]
    found = cells or [fault for rule in _RULES for fault in rule(registry)]
    order = list(registry)
    return sorted(found, key=lambda fault: (order.index(fault.seed), fault.line, fault.why))


def _cell_faults(table: Table, registry: Registry) -> Iterator[Fault]:
    for line, row in table.numbered():
        for column in table.columns:
            told = _wrong_cell(column, row[column.name], registry)
            if told:
                yield Fault(table.name, line, *told)
    yield from _repeated_keys(table)


def _wrong_cell(column: Column, text: str, registry: Registry) -> tuple[str, str] | None:
    if not text:
        return (f"{column.name} is empty", "Fill it in") if column.required else None
    if column.choices and text not in column.choices:
        return f"{column.name} is {text!r}", f"Choose one of {', '.join(column.choices)}"
    if column.refers_to and text not in _known(registry, *column.refers_to):
        seed, _ = column.refers_to
        return f"{column.name} names {text!r}, which {seed}.csv does not know", f"Correct it or add it to {seed}.csv"
    return _unreadable(column, text)


def _unreadable(column: Column, text: str) -> tuple[str, str] | None:
    if "\n" in text or "\r" in text:
        return f"{column.name} holds a line break", "Write it on one line"
    try:
        column.value(text)
    except ValueError:
        shapes = {"double": "a number with a point", "bigint": "a whole number", "date": "a date as 2030-12-31"}
        return f"{column.name} is {text!r}", f"Write {shapes.get(column.kind, 'true or false')}"
    return None


def _known(registry: Registry, seed: str, column: str) -> set[str]:
    return {row[column] for row in registry[seed].rows}


def _repeated_keys(table: Table) -> Iterator[Fault]:
    first: dict[tuple[str, ...], int] = {}
    for line, row in table.numbered():
        key = table.key_of(row)
        if key in first:
            yield Fault(table.name, line, f"{' '.join(key)} stands on line {first[key]} too", "Keep one of the two")
        first.setdefault(key, line)


def _aliases(registry: Registry) -> Iterator[Fault]:
    alias_of = {row["target_id"]: row["alias_of"] for row in registry["targets"].rows}
    for line, row in registry["targets"].numbered():
        if row["alias_of"] and alias_of[row["alias_of"]]:
            why = f"alias_of names {row['alias_of']!r}, which is an alias itself"
            yield Fault("targets", line, why, "Name the target at the end of the chain")


def _dates_and_limits(registry: Registry) -> Iterator[Fault]:
    for line, row in registry["targets"].numbered():
        if row["baseline_date"] and row["target_date"] and row["baseline_date"] >= row["target_date"]:
            yield Fault("targets", line, "baseline_date is not before target_date", "Correct one of the dates")
        for name in _SHARES:
            if row[name] and not 0 <= float(row[name]) <= 1:
                yield Fault("targets", line, f"{name} is {row[name]}", "Write a share between 0 and 1")
        if row["embargo_time"] and not _is_clock(row["embargo_time"]):
            yield Fault("targets", line, f"embargo_time is {row['embargo_time']!r}", "Write a time of day as 09:30")


def _is_clock(text: str) -> bool:
    hours, _, minutes = text.partition(":")
    return len(text) == 5 and hours.isdigit() and minutes.isdigit() and int(hours) < 24 and int(minutes) < 60


def _deprecation(registry: Registry) -> Iterator[Fault]:
    for line, row in registry["targets"].numbered():
        if bool(row["deprecated_on"]) != bool(row["deprecated_reason"]):
            lacking = "deprecated_reason" if row["deprecated_on"] else "deprecated_on"
            yield Fault("targets", line, f"a deprecated target lacks {lacking}", "Fill in both, or neither")
        if row["registry_status"] == "cancelled" and not row["deprecated_on"]:
            yield Fault(
                "targets", line, "a cancelled target has no deprecated_on", "Write when it was cancelled, and why"
            )
        if row["successor_kpi_id"] and not row["deprecated_on"]:
            why = "a target that still counts names a successor_kpi_id"
            yield Fault("targets", line, why, "Fill in deprecated_on, or leave the successor out")
        if row["successor_kpi_id"] == row["kpi_id"]:
            yield Fault("targets", line, "a KPI succeeds itself", "Name the KPI that took its place")


def _kpis(registry: Registry) -> Iterator[Fault]:
    """A KPI keeps one meaning for ever: one unit, and no second life after it was deprecated."""
    first: dict[str, tuple[int, Row]] = {}
    for line, row in registry["targets"].numbered():
        earlier_line, earlier = first.setdefault(row["kpi_id"], (line, row))
        if earlier["unit"] != row["unit"]:
            why = f"{row['kpi_id']} is in {row['unit']!r} here and in {earlier['unit']!r} on line {earlier_line}"
            yield Fault("targets", line, why, "Give one KPI one unit, or the other its own kpi_id")
        if bool(earlier["deprecated_on"]) != bool(row["deprecated_on"]):
            why = f"kpi_id {row['kpi_id']} is reused: on line {earlier_line} and here only one is deprecated"
            yield Fault("targets", line, why, "Give the new target a kpi_id of its own")


def _milestones(registry: Registry) -> Iterator[Fault]:
    targets = {row["target_id"]: row for row in registry["targets"].rows}
    for line, row in registry["target_milestones"].numbered():
        target = targets[row["target_id"]]
        told = _wrong_milestone(row, target)
        if told:
            yield Fault("target_milestones", line, *told)
    last = {row["target_id"]: row for row in sorted(registry["target_milestones"].rows, key=_milestone_date)}
    for line, row in registry["targets"].numbered():
        # the path of a later promise leads along the earlier one, and ends where it says itself
        leads_there = row["trajectory"] in MILESTONE_PATHS and not row["follows"]
        # an S-curve of which nothing more is known needs none
        is_bare = row["trajectory"] == "s_curve" and row["target_id"] not in last
        if leads_there and not is_bare and not _ends_at(row, last.get(row["target_id"])):
            why = f"a path of {row['trajectory']} does not end at the target's own date and value"
            yield Fault("targets", line, why, "Add that milestone to target_milestones.csv")


def _milestone_date(row: Row) -> str:
    return row["milestone_date"]


def _wrong_milestone(milestone: Row, target: Row) -> tuple[str, str] | None:
    day = milestone["milestone_date"]
    if target["trajectory"] not in MILESTONE_PATHS:
        remedy = f"Give it one of the paths {', '.join(MILESTONE_PATHS)}"
        return f"{target['target_id']} follows the path {target['trajectory']}", remedy
    if target["target_date"] and day > target["target_date"]:
        return f"a milestone on {day} lies beyond the deadline, {target['target_date']}", "Correct one of the dates"
    if target["baseline_date"] and day <= target["baseline_date"]:
        return f"a milestone on {day} lies before the start, {target['baseline_date']}", "Correct one of the dates"
    return None


def _plans(registry: Registry) -> Iterator[Fault]:
    """A plan has somebody who made it; a shape is of a plan, for something that is counted up from a known start."""
    for line, row in registry["targets"].numbered():
        if bool(row["planned_by"]) != bool(row["planned_on"]):
            lacking = "planned_on" if row["planned_by"] else "planned_by"
            yield Fault("targets", line, f"a plan lacks {lacking}", "Fill in who planned it and when, or neither")
        if "@" in row["planned_by"]:
            yield Fault("targets", line, "planned_by is an address", "Write the role or body that planned it")
        if row["trajectory"] in SHAPES:
            yield from (Fault("targets", line, why, remedy) for why, remedy in _wrong_shape(row))


def _wrong_shape(target: Row) -> Iterator[tuple[str, str]]:
    if not target["planned_by"]:
        why = f"nobody is named who planned the path {target['trajectory']}"
        yield why, "Fill in planned_by and planned_on: only a plan has that shape"
    if target["series_kind"] != "event":
        why = f"the path {target['trajectory']} is of what is counted, and the series is {target['series_kind']}"
        yield why, "Give it the path milestones"
    lacking = [name for name in ("baseline_value", "baseline_date", "target_value", "target_date") if not target[name]]
    if lacking:
        yield f"the path {target['trajectory']} lacks {', '.join(lacking)}", "Fill in start and end"


def _ends_at(target: Row, milestone: Row | None) -> bool:
    if milestone is None or milestone["milestone_date"] != target["target_date"] or not target["target_value"]:
        return False
    return float(milestone["milestone_value"]) == float(target["target_value"])


def _seasons(registry: Registry) -> Iterator[Fault]:
    weights: dict[str, list[tuple[int, int, float]]] = {}
    for line, row in registry["target_seasons"].numbered():
        weights.setdefault(row["target_id"], []).append((line, int(row["month"]), float(row["weight"])))
    for found in weights.values():
        total = sum(weight for _, _, weight in found)
        if sorted(month for _, month, _ in found) != list(range(1, 13)) or abs(total - 1) > 1e-9:
            why = f"{len(found)} months weigh {total:.4g} together"
            yield Fault("target_seasons", found[0][0], why, "Give each of the twelve months a weight; together 1")
    for line, row in registry["targets"].numbered():
        if (row["trajectory"] == "cumulative_seasonal") != (row["target_id"] in weights):
            why = "a seasonal path needs the weights of its months, and only a seasonal path has them"
            yield Fault("targets", line, why, "Correct the path, or target_seasons.csv")


def _wordings(registry: Registry) -> Iterator[Fault]:
    targets = {row["target_id"]: row for row in registry["targets"].rows}
    chosen = Counter(row["target_id"] for row in registry["target_wordings"].rows if row["relation"] == "chosen")
    for line, row in registry["target_wordings"].numbered():
        if row["alias_target_id"] == row["target_id"]:
            yield Fault(
                "target_wordings", line, "a wording is an alias of its own target", "Leave alias_target_id empty"
            )
        if (row["relation"] == "rebased") != bool(row["rebase_factor"]):
            why = "a rebased wording, and only that, has a rebase_factor"
            yield Fault("target_wordings", line, why, "Correct the relation or the factor")
        if row["rebase_factor"] and row["alias_target_id"] and not _rebases(row, targets):
            why = f"factor and offset do not turn the value of {row['target_id']} into that of {row['alias_target_id']}"
            yield Fault("target_wordings", line, why, "Correct them: this wording = factor x chosen wording + offset")
        if chosen[row["target_id"]] != 1:
            why = f"{row['target_id']} has {chosen[row['target_id']]} chosen wordings"
            yield Fault("target_wordings", line, why, "Mark exactly one as chosen")


def _rebases(wording: Row, targets: dict[str, Row]) -> bool:
    chosen = targets[wording["target_id"]]["target_value"]
    other = targets[wording["alias_target_id"]]["target_value"]
    if not chosen or not other:
        return False
    rebased = float(wording["rebase_factor"]) * float(chosen) + float(wording["rebase_offset"] or 0)
    return abs(rebased - float(other)) <= _ROUNDING


def _decisions(registry: Registry) -> Iterator[Fault]:
    questions = [row for row in registry["target_decisions"].rows if row["is_contested"] == "true"]
    asked = {row["target_id"] for row in questions}
    opened = {row["target_id"] for row in questions if not row["decided_on"]}
    for line, row in registry["target_decisions"].numbered():
        if len({bool(row[name]) for name in ("decided_by", "decided_on", "decision_nl")}) > 1:
            why = "a decision lacks who, when or what"
            yield Fault("target_decisions", line, why, "Fill in decided_by, decided_on and decision_nl together")
        for name in ("decided_by", "may_decide_nl"):
            if "@" in row[name]:
                yield Fault("target_decisions", line, f"{name} is an address", "Write the role or body that decides")
        if row["is_contested"] == "true" and not row["decided_on"] and not row["may_decide_nl"]:
            why = "nobody is named who may decide this open question"
            yield Fault("target_decisions", line, why, "Fill in may_decide_nl: a role or body")
    for line, row in registry["targets"].numbered():
        if row["is_contested"] == "true" and row["target_id"] not in asked:
            yield Fault("targets", line, "a contested target has no question", "Write it in target_decisions.csv")
        if row["is_contested"] != "true" and row["target_id"] in opened:
            why = "an open question contests the target, but is_contested is false"
            yield Fault("targets", line, why, "Make it true, or decide the question in target_decisions.csv")
        if row["registry_status"] == "contested" and row["target_id"] not in opened:
            why = "the status is contested, but no question is open"
            yield Fault("targets", line, why, "Make it active, or open the question in target_decisions.csv")


def _owners(registry: Registry) -> Iterator[Fault]:
    yield from _overlaps(registry["target_owners"], ("target_id", "role"))
    today_owner = {
        (row["target_id"], row["role"]): row["department_id"]
        for row in registry["target_owners"].rows
        if not row["valid_to"]
    }
    for line, row in registry["targets"].numbered():
        for role, column in (("owner", "department_id"), ("data_owner", "data_owner_department_id")):
            if today_owner.get((row["target_id"], role)) != row[column]:
                why = f"{column} is {row[column]!r}, but target_owners.csv says otherwise"
                yield Fault("targets", line, why, f"End the old {role} there and add the new one")


def _links(registry: Registry) -> Iterator[Fault]:
    yield from _overlaps(registry["target_links"], ("target_id", "framework", "reference"))
    for line, row in registry["target_links"].numbered():
        seed, column = ENGAGEMENTS[row["framework"]]
        if row["reference"] not in _known(registry, seed, column):
            why = f"{seed}.csv does not know {row['reference']!r}"
            yield Fault("target_links", line, why, f"Use a {column} of that list")


def _denominators(registry: Registry) -> Iterator[Fault]:
    yield from _overlaps(registry["denominators"], ("denominator_id",))


def _policy_tree(registry: Registry) -> Iterator[Fault]:
    levels = {row["code"]: row["level"] for row in registry["policy_tree"].rows}
    for line, row in registry["policy_tree"].numbered():
        if levels.get(row["parent_code"], "") != _ABOVE[row["level"]]:
            why = f"a part of the level {row['level']} hangs under {row['parent_code'] or 'nothing'}"
            remedy = f"Hang it under a part of the level {_ABOVE[row['level']]}" if _ABOVE[row["level"]] else "Clear it"
            yield Fault("policy_tree", line, why, remedy)


def _overlaps(table: Table, columns: tuple[str, ...]) -> Iterator[Fault]:
    """Two rows about the same thing at the same time: the duplicate link, the second owner."""
    groups: dict[tuple[str, ...], list[tuple[str, str, int]]] = {}
    for line, row in table.numbered():
        period = (row["valid_from"], row["valid_to"] or date.max.isoformat(), line)
        groups.setdefault(tuple(row[name] for name in columns), []).append(period)
        if row["valid_to"] and row["valid_to"] < row["valid_from"]:
            yield Fault(table.name, line, "valid_to lies before valid_from", "Correct one of the dates")
    for name, periods in groups.items():
        for (_, ends, _), (starts, _, line) in pairwise(sorted(periods)):
            if starts <= ends:
                why = f"{' '.join(name)} is told twice for {starts}"
                yield Fault(table.name, line, why, "End the one before the other begins, or keep one")


_RULES: tuple[Callable[[Registry], Iterator[Fault]], ...] = (
    _aliases,
    _dates_and_limits,
    _deprecation,
    _kpis,
    _milestones,
    _plans,
    _seasons,
    _wordings,
    _decisions,
    _owners,
    _links,
    _denominators,
    _policy_tree,
    *CONTRADICTIONS,
)
