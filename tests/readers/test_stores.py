"""One suite for every store: what a reader finds, whichever it reads."""

import pytest

from tests.readers.reading import Publishing, numbered
from warehouse.published.store import UnknownBuildError


def test_a_build_is_seen_when_it_is_flipped_and_not_before(publishing: Publishing) -> None:
    assert publishing.store.current() is None
    publishing.publish("b1")
    publishing.change(*numbered(2))
    publishing.stage("b2")
    assert publishing.store.builds() == ["b1", "b2"]
    assert publishing.read("select distinct build_no from {marts.fct_a}") == [(1,)]
    publishing.store.flip("b2")
    publishing.store.flip("b2")
    assert publishing.store.current() == "b2"
    assert publishing.read("select distinct build_no from {marts.fct_a}") == [(2,)]


def test_only_what_changed_is_loaded_again(publishing: Publishing) -> None:
    assert len(publishing.publish("b1")) == 5
    assert publishing.publish("b2") == []
    assert publishing.publish("b3", "update marts.fct_c set n = 7 where n = 3") == ["marts.fct_c"]
    assert publishing.read("select count(*) from {marts.fct_c} where n = 7") == [(2,)]
    assert publishing.read("select count(*), sum(n) from {marts.fct_d}") == [(1000, 499_500)]


def test_of_forty_tables_the_one_that_changed_is_loaded(publishing: Publishing) -> None:
    more = [f"create table marts.dim_{number} as select n from range({number + 1}) as r (n)" for number in range(35)]
    assert len(publishing.publish("b1", *more)) == 40
    assert publishing.publish("b2", "insert into marts.dim_7 values (99)") == ["marts.dim_7"]


def test_the_order_of_rows_makes_no_other_version_and_a_row_that_is_there_twice_does(publishing: Publishing) -> None:
    publishing.publish("b1")
    turned = "create or replace table marts.fct_c as from marts.fct_c order by n desc"
    assert publishing.publish("b2", turned) == []
    twice = "insert into marts.fct_c select * from marts.fct_c where n in (5, 6)"
    assert publishing.publish("b3", twice) == ["marts.fct_c"]
    swapped = "update marts.fct_c set n = case n when 5 then 6 else 5 end where n in (5, 6)"
    assert publishing.publish("b4", swapped) == []
    assert publishing.publish("b5", "update marts.fct_c set n = 7 where n = 5") == ["marts.fct_c"]


def test_a_build_that_is_not_staged_leaves_readers_what_they_have(publishing: Publishing) -> None:
    publishing.publish("b1")
    with pytest.raises(UnknownBuildError, match="build b2 is not staged"):
        publishing.store.flip("b2")
    assert publishing.store.current() == "b1"


def test_readers_go_back_to_an_earlier_build_whole(publishing: Publishing) -> None:
    publishing.publish("b1", *numbered(1))
    publishing.publish("b2", *numbered(2), "alter table marts.fct_a drop column n")
    publishing.store.flip("b1")
    with publishing.opened() as ask:
        assert publishing.both(ask) == (1000, 1, 1)


def test_what_is_no_number_and_no_day_never_reaches_a_reader(publishing: Publishing) -> None:
    publishing.publish(
        "b1",
        "create or replace table marts.fct_a as select * from (values "
        "(1, 'nan'::double, 'infinity'::float, date 'infinity', timestamp '-infinity', ['te laat', 'te weinig']), "
        "(2, 0.1::double, 0.5::float, date '2026-11-30', timestamp '2026-11-30 08:00:00', [])) "
        "as r (n, a, b, c, d, reasons)",
    )
    ((*endless,),) = publishing.read("select a, b, c, d from {marts.fct_a} where n = 1")
    assert endless == [None] * 4
    ((a, b, day),) = publishing.read("select a, b, c from {marts.fct_a} where n = 2")
    assert (a, b, str(day)) == (0.1, 0.5, "2026-11-30")


def test_columns_come_go_and_grow_wider(publishing: Publishing) -> None:
    publishing.publish("b1")
    publishing.publish("b2", "alter table marts.fct_a add column extra integer default 7")
    assert publishing.read("select distinct extra from {marts.fct_a}") == [(7,)]
    publishing.publish(
        "b3", "alter table marts.fct_a alter build_no type bigint", "update marts.fct_a set build_no = 1e10"
    )
    assert publishing.read("select distinct build_no, extra from {marts.fct_a}") == [(10_000_000_000, 7)]
    publishing.publish("b4", "alter table marts.fct_a drop column extra")
    with pytest.raises(Exception, match="extra"):
        publishing.read("select extra from {marts.fct_a}")
    publishing.store.flip("b2")
    assert publishing.read("select distinct build_no, extra from {marts.fct_a}") == [(1, 7)]


def test_a_table_that_a_build_no_longer_has_is_gone_and_not_empty(publishing: Publishing) -> None:
    publishing.publish("b1")
    publishing.publish("b2", "drop table marts.fct_d")
    with pytest.raises(Exception, match="fct_d"):
        publishing.read("select count(*) from {marts.fct_d}")
    publishing.store.flip("b1")
    assert publishing.read("select count(*) from {marts.fct_d}") == [(1000,)]


def test_the_newest_builds_are_kept_and_the_one_that_readers_see(publishing: Publishing) -> None:
    for number in range(1, 6):
        publishing.change(*numbered(number))
        publishing.stage(f"b{number}")
    publishing.store.flip("b1")
    assert sorted(publishing.store.prune(keep=2)) == ["b2", "b3"]
    assert publishing.store.builds() == ["b1", "b4", "b5"]
    assert publishing.store.prune(keep=2) == []
    with publishing.opened() as ask:
        assert publishing.both(ask) == (1000, 1, 1)
    publishing.store.flip("b5")
    with publishing.opened() as ask:
        assert publishing.both(ask) == (1000, 5, 5)


def test_a_build_that_adds_nothing_is_discarded_unless_readers_see_it(publishing: Publishing) -> None:
    publishing.publish("b1")
    publishing.stage("b2")
    for build_id in ("b1", "b2", "b3"):
        publishing.store.discard(build_id)
    assert publishing.store.builds() == ["b1"]
