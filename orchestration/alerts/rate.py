"""How often something may be done: so many at once, and so many a minute after that."""

import math
from dataclasses import dataclass, field

_MOST_KEYS = 10_000
_A_MINUTE = 60.0


@dataclass(slots=True)
class Rate:
    """A bucket per key that is full at first and fills again by the minute.

    Attributes:
        per_minute: how many it holds, and how many come back in a minute.
    """

    per_minute: int
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, key: str, now: float) -> int:
        """Takes one; how many seconds to wait where there is none, else 0.

        Args:
            key: whose bucket.
            now: in seconds, by a clock that never goes back.
        """
        if len(self._left) > _MOST_KEYS:
            # who took nothing for a minute is as new
            self._left = {each: (left, at) for each, (left, at) in self._left.items() if now - at < _A_MINUTE}
        left, at = self._left.get(key, (float(self.per_minute), now))
        left = min(left + (now - at) * self.per_minute / _A_MINUTE, float(self.per_minute))
        is_there = left >= 1
        self._left[key] = (left - 1 if is_there else left), now
        return 0 if is_there else math.ceil((1 - left) * _A_MINUTE / self.per_minute)
