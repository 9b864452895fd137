"""A fault of the registry, as a person reads it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in one row of a seed.

    Attributes:
        line: in the CSV file, the header being line 1.
    """

    seed: str
    line: int
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.seed}.csv line {self.line}: {self.why}. {self.remedy}."
