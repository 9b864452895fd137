"""Readers that never stop, while builds are published under them: nothing torn, nothing empty, nobody waits."""

import pytest

from orchestration.embedded_postgres import Server
from tests.readers.reading import STORES, Hammer, Publishing, numbered
from warehouse.published.store import KEPT

ENOUGH, PUBLISHES = 500, 20


def lock_waits(server: Server) -> int:
    """How many statements ever waited over 200 ms for another's lock, as the server's own log says."""
    return (server.folder / "log").read_text("utf-8").count("still waiting for Access")


def test_readers_of_postgresql_find_no_half_build_and_no_empty_one(postgres: Publishing) -> None:
    postgres.publish("b00", *numbered(0))
    with Hammer(postgres) as hammer:
        for number in range(1, 4):
            postgres.publish(f"b{number:02}", *numbered(number))
    assert hammer.faults == []
    assert (hammer.seen["torn"], hammer.seen["empty"]) == (0, 0)
    assert hammer.seen["reads"] > 10


@pytest.mark.readers  # twenty publishes, and as many reads as it takes
@pytest.mark.parametrize("publishing", STORES, indirect=True)
def test_three_readers_through_twenty_publishes_with_one_who_never_lets_go(
    publishing: Publishing, server: Server, request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]
) -> None:
    waited = lock_waits(server)
    publishing.publish("b00", *numbered(0))
    with publishing.opened() as kept:
        assert publishing.both(kept) == (1000, 0, 0)
        with Hammer(publishing) as hammer:
            for number in range(1, PUBLISHES + 1):
                publishing.publish(f"b{number:02}", *numbered(number))
                publishing.store.prune()
                if number == KEPT - 1:
                    assert publishing.both(kept) == (1000, 0, 0), "a build that was opened stays as it was"
            hammer.until(ENOUGH)
    assert len(publishing.store.builds()) == KEPT
    with capfd.disabled():
        print(f"\n{request.node.callspec.id}: {hammer.seen}")  # noqa: T201 - `make readers` shows what it measured
    assert hammer.faults == []
    assert (hammer.seen["torn"], hammer.seen["empty"]) == (0, 0)
    assert hammer.seen["reads"] >= ENOUGH
    assert lock_waits(server) == waited
    assert hammer.seen["slow"] <= hammer.seen["reads"] / 100, "a read takes over 200 ms when the machine is busy only"
