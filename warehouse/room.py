"""How much of the machine DuckDB may take: a value of the settings, which need not load DuckDB to hold it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BESIDE = ".tmp"


@dataclass(frozen=True, slots=True)
class Room:
    """How much DuckDB may take.

    Attributes:
        memory: as DuckDB writes it, `4GB` or `70%` of the machine's; what does not fit is written to disk.
        spill: the folder for that; None for one beside the file, gone again when it closes.
    """

    memory: str
    spill: Path | None

    @property
    def limit(self) -> str:
        """The statement that holds DuckDB to it."""
        return f"set global memory_limit = '{self.memory}'"

    def spill_of(self, path: Path) -> Path:
        """Where what does not fit in memory is written, while that file is open."""
        return self.spill or path.with_name(path.name + _BESIDE)


ROOM: Final = Room("70%", None)
"""Of who sets nothing; with dbt's profile it leaves a third for the rest of the process and of the machine."""
