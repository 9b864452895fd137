"""An answer on its way into the state of a profile, and what the answers there come to today."""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from orchestration.alerts.answers import Standing, checked, standing_on
from orchestration.settings import Settings
from warehouse.state import Answer, State


def give(settings: Settings, answer: Answer) -> bool:
    """Keeps an answer once it is in order; False where its link was used before.

    Raises:
        AnswerRefusedError: it lacks something, holds a person, or its day cannot be.
    """
    kept = checked(answer, settings.as_of(answer.given_at))
    with State(settings.layout.state) as state:
        return state.answer(kept)


def answers_of(settings: Settings) -> list[Answer]:
    """Everything that was ever answered in a profile, in that order."""
    if not settings.layout.state.exists():
        return []
    with State(settings.layout.state) as state:
        return state.answers()


def standings(settings: Settings, day: date) -> Mapping[str, Standing]:
    """What stands on a day for each target that was ever answered."""
    return standing_on(answers_of(settings), day, ZoneInfo(settings.city.time_zone))
