"""An edited registry as a difference to review, and the decision that writes it down."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from orchestration.registry.faults import faults
from orchestration.registry.seeds import (
    FIXED_COLUMNS,
    READ_ONLY,
    Column,
    Registry,
    RegistryError,
    Row,
    Table,
    write_table,
)

# what a verdict means; another date of publication or another title leaves its meaning alone
_DEFINITION = frozenset(
    {
        "unit",
        "direction",
        "baseline_value",
        "baseline_date",
        "target_value",
        "target_date",
        "trajectory",
        "tolerance",
        "is_cumulative",
        "kind",
        "recurrence",
        "alias_of",
        "series_kind",
        "denominator_id",
        "scope_variant",
        "min_points",
        "follows",
        "value_kpi_id",
    }
)
_PATHS = frozenset({"target_milestones", "target_seasons"})
_BASES = frozenset({"value", "unit", "basis", "valid_from", "valid_to"})
# rows of these are history: ended or deprecated, never taken out
_KEPT = frozenset({"targets", "target_decisions"})
ADDED, REMOVED = "(row added)", "(row removed)"
_WHOLE = "registry"


@dataclass(frozen=True, slots=True)
class Change:
    """One cell that differs, or one row that came or went.

    Attributes:
        key: what names the row.
        column: the column, or `ADDED` or `REMOVED` with the whole row as its new or old value.
    """

    seed: str
    key: tuple[str, ...]
    column: str
    old: str
    new: str

    def __str__(self) -> str:
        place = f"{self.seed} {' '.join(self.key)}: {self.column}"
        if self.column in (ADDED, REMOVED):
            return f"{place} {self.new or self.old}"
        return f"{place}: {self.old or '(empty)'} -> {self.new or '(empty)'}"


@dataclass(frozen=True, slots=True)
class Decision:
    """Who stands behind a change of the registry.

    Attributes:
        by: a role or body, never a person's name.
    """

    by: str
    on: date


def differences(today: Registry, edited: Registry) -> list[Change]:
    """Every cell of an edited registry whose meaning differs, in the order of the seeds.

    `1` and `1.0`, or another order of rows or columns, are no difference.

    Raises:
        RegistryError: an id that is fixed was changed, added or taken away.
    """
    changes = [change for name, table in today.items() for change in _of_table(table, edited[name])]
    for change in changes:
        _refuse_what_is_fixed(change)
    return changes


def merged(today: Registry, edited: Registry, changes: list[Change]) -> dict[str, Table]:
    """The registry with the changes in it and the definition versions they raise.

    Raises:
        RegistryError: the edited registry has faults; the message lists them.
    """
    wanted = {name: _in_old_order(table, edited[name]) for name, table in today.items()}
    found = faults(wanted)
    if found:
        told = "\n".join(f"  {fault}" for fault in found)
        raise RegistryError(f"nothing was written: the edited registry has {len(found)} faults\n{told}")
    redefined = {change.key for change in changes if change.seed == "denominators" and change.column in _BASES}
    wanted["denominators"] = _raised(wanted["denominators"], redefined)
    wanted["targets"] = _raised(wanted["targets"], {(name,) for name in _redefined(changes, wanted)})
    return wanted


def decide(folder: Path, today: Registry, edited: Registry, decision: Decision) -> list[Change]:
    """Writes an edited registry into the seeds of a city, with the decision that stands behind it.

    Args:
        folder: where the city's seeds lie.
        today: the registry as it is there.
        edited: the registry as somebody wants it.
        decision: who decided, and when.

    Returns:
        What was changed beside the decision rows; nothing is written when that is empty.

    Raises:
        RegistryError: a fixed id was touched, or the result has faults.
    """
    changes = differences(today, edited)
    if not changes:
        return []
    wanted = merged(today, edited, changes)
    wanted["target_decisions"] = _recorded(wanted["target_decisions"], _by_target(changes, wanted), decision)
    for name, table in wanted.items():
        if table.rows != today[name].rows:
            write_table(folder, table)
    return changes


def _of_table(old: Table, new: Table) -> Iterator[Change]:
    before = {old.key_of(row): row for row in old.rows}
    after = _by_key(new)
    for key, row in before.items():
        if key not in after:
            yield Change(old.name, key, REMOVED, _told(row), "")
            continue
        for column in old.columns:
            if not _same(column, row[column.name], after[key][column.name]):
                yield Change(old.name, key, column.name, row[column.name], after[key][column.name])
    for key, row in after.items():
        if key not in before:
            yield Change(old.name, key, ADDED, "", _told(row))


def _by_key(table: Table) -> dict[tuple[str, ...], Row]:
    found: dict[tuple[str, ...], Row] = {}
    for row in table.rows:
        key = table.key_of(row)
        if key in found:
            raise RegistryError(f"{table.name}: {' '.join(key) or 'an empty key'} stands there twice; keep one row")
        found[key] = row
    return found


def _told(row: Row) -> str:
    return ", ".join(f"{name}={text}" for name, text in row.items() if text)


def _same(column: Column, old: str, new: str) -> bool:
    try:
        return column.value(old) == column.value(new)
    except ValueError:
        return False


def _refuse_what_is_fixed(change: Change) -> None:
    if change.seed in READ_ONLY:
        raise RegistryError(f"{change}\n{change.seed} is an official list; leave that sheet as it was exported")
    if change.column == "definition_version":
        raise RegistryError(f"{change}\ndefinition_version is raised by the import itself; put it back")
    if change.seed == "targets" and change.column in FIXED_COLUMNS:
        raise RegistryError(f"{change}\n{change.column} never changes; put it back, and deprecate what has lapsed")
    if change.seed == "targets" and change.column == ADDED:
        raise RegistryError(f"{change}\nno target has that id; a new target enters through a review of targets.csv")
    if change.seed in _KEPT and change.column == REMOVED:
        remedy = (
            "fill in deprecated_on and the reason" if change.seed == "targets" else "leave what was asked and decided"
        )
        raise RegistryError(f"{change}\na row of {change.seed} is never taken out; {remedy}")
    if (
        change.seed == "target_decisions"
        and change.old
        and change.column in ("decided_by", "decided_on", "decision_nl")
    ):
        raise RegistryError(f"{change}\na decision stays as it was taken; add a row for the new one")


def _in_old_order(old: Table, new: Table) -> Table:
    """The new rows in the order of the file, cells that mean the same written as they were."""
    after = _by_key(new)
    kept = [_rewritten(old, row, after[old.key_of(row)]) for row in old.rows if old.key_of(row) in after]
    known = {old.key_of(row) for row in old.rows}
    return replace(old, rows=(*kept, *(row for key, row in after.items() if key not in known)))


def _rewritten(table: Table, old: Row, new: Row) -> Row:
    return {
        column.name: old[column.name] if _same(column, old[column.name], new[column.name]) else new[column.name]
        for column in table.columns
    }


def _redefined(changes: list[Change], wanted: Registry) -> set[str]:
    found = {change.key[0] for change in changes if change.seed == "targets" and change.column in _DEFINITION}
    found |= {change.key[0] for change in changes if change.seed in _PATHS}
    bases = {change.key[0] for change in changes if change.seed == "denominators" and _moves_a_base(change)}
    return found | {row["target_id"] for row in wanted["targets"].rows if row["denominator_id"] in bases}


def _moves_a_base(change: Change) -> bool:
    return change.column in _BASES or change.column in (ADDED, REMOVED)


def _raised(table: Table, keys: set[tuple[str, ...]]) -> Table:
    rows = (
        {**row, "definition_version": str(int(row["definition_version"]) + 1)} if table.key_of(row) in keys else row
        for row in table.rows
    )
    return replace(table, rows=tuple(rows))


def _by_target(changes: list[Change], registry: Registry) -> dict[str, list[Change]]:
    """The changes under the target they are about; those of the registry as a whole under an empty id."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        # a decision that was filled in is its own record
        if change.seed != "target_decisions":
            found.setdefault(_target_of(change, registry), []).append(change)
    return found


def _target_of(change: Change, registry: Registry) -> str:
    table = registry[change.seed]
    if "target_id" in table.key:
        return change.key[table.key.index("target_id")]
    if change.seed == "target_readings":
        # reading, question and target bear one name, each with a part more
        return change.key[0].partition(".")[0]
    if change.seed == "target_wordings":
        named = {row["wording_id"]: row["target_id"] for row in table.rows}
        return named.get(change.key[0], change.key[0].partition(".")[0])
    return ""


def _recorded(table: Table, changes: Mapping[str, list[Change]], decision: Decision) -> Table:
    taken = {row["decision_id"] for row in table.rows}
    rows = list(table.rows)
    for target_id, made in sorted(changes.items()):
        rows.append(_record(_next_id(target_id or _WHOLE, taken), target_id, made, decision))
    return replace(table, rows=tuple(rows))


def _next_id(about: str, taken: set[str]) -> str:
    number = 1
    while f"{about}.{number}" in taken:
        number += 1
    return f"{about}.{number}"


def _record(decision_id: str, target_id: str, made: list[Change], decision: Decision) -> Row:
    columns = sorted({f"{change.seed}.{change.column}" for change in made})
    return {
        "decision_id": decision_id,
        "target_id": target_id,
        "question_nl": f"Register gewijzigd: {', '.join(columns)}",
        "is_contested": "false",
        "may_decide_nl": "",
        "decided_by": decision.by,
        "decided_on": decision.on.isoformat(),
        "decision_nl": "; ".join(map(str, made)),
    }
