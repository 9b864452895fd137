"""Which models and tests a build must run again, read from dbt's own graph."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from warehouse.measured import CODE, DATE

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# unit tests try the logic of the code, not the data of a day: they run in `make test`
_NO_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
JUDGE = ("--select", "tag:judge", *_NO_UNIT_TESTS)
MEASURE = ("--exclude", "tag:judge", *_NO_UNIT_TESTS)
# the loader's own tables, and the one of them that holds the date of the build
_BOOKKEEPING, _BUILD = "pipeline", "build"
_NOT_MEASURED = frozenset({"judge", "seeds"})
_HOLDS_ROWS = frozenset({"table", "incremental"})


def measure(manifest: "Manifest", changed: Collection[str]) -> Sequence[str]:
    """What dbt must measure when these inputs changed, as arguments of `dbt build`.

    Seeds, views and the tests of seeds are the same until the code changes.
    """
    if CODE in changed:
        return (*MEASURE, "--full-refresh")
    # a test hangs on several models: it is selected by what lies above it, not by its neighbours
    return ("--select", *_below(manifest, changed), "--indirect-selection", "empty")


def _below(manifest: "Manifest", changed: Collection[str]) -> Iterator[str]:
    ancestry = _Ancestry(manifest)
    for unique_id, node in manifest.nodes.items():
        if _is_measured(node) and not ancestry.is_judged(unique_id) and ancestry.is_due(unique_id, changed):
            yield "fqn:" + ".".join(node.fqn)


def _is_measured(node: Any) -> bool:  # noqa: ANN401 - dbt has a class per kind of node
    if _NOT_MEASURED & set(node.tags):
        return False
    kind = str(node.resource_type)
    return kind == "test" or (kind == "model" and node.config.materialized in _HOLDS_ROWS)


class _Ancestry:
    """What lies above each node."""

    def __init__(self, manifest: "Manifest") -> None:
        manifest.build_parent_and_child_maps()
        self._nodes = manifest.nodes
        self._sources = manifest.sources
        self._parents: Mapping[str, Sequence[str]] = manifest.parent_map
        self._above: dict[str, frozenset[str]] = {}

    def is_judged(self, unique_id: str) -> bool:
        """Whether it tests what `judge` makes."""
        return any("judge" in self._nodes[each].tags for each in self._of(unique_id) if each in self._nodes)

    def is_due(self, unique_id: str, changed: Collection[str]) -> bool:
        """Whether an input above it changed; what rests on the loader's own tables alone is always due."""
        above = [self._sources[each] for each in self._of(unique_id) if each in self._sources]
        inputs = {each.source_name for each in above if each.source_name != _BOOKKEEPING}
        if not inputs:
            return bool(above)
        if any(each.name == _BUILD for each in above):
            inputs.add(DATE)
        return not inputs.isdisjoint(changed)

    def _of(self, unique_id: str) -> frozenset[str]:
        if unique_id not in self._above:
            parents = self._parents.get(unique_id, ())
            self._above[unique_id] = frozenset(parents).union(*(self._of(each) for each in parents))
        return self._above[unique_id]
