"""From verdicts of a published build to a message for who must know."""
