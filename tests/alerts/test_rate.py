from orchestration.alerts.rate import Rate


def test_a_bucket_empties_and_fills_again_by_the_minute() -> None:
    rate = Rate(per_minute=6)
    assert [rate.wait("a", 0) for _ in range(6)] == [0] * 6
    assert rate.wait("a", 0) == 10
    assert rate.wait("b", 0) == 0
    assert [rate.wait("a", 10), rate.wait("a", 10.5)] == [0, 10]
    # no more than it holds, however long it waited
    assert [rate.wait("a", 9_999) for _ in range(7)] == [0] * 6 + [10]


def test_whoever_asks_as_one_of_ten_thousand_is_still_held_to_his_own() -> None:
    rate = Rate(per_minute=6)
    for number in range(10_001):
        rate.wait(str(number), 0)
    assert [rate.wait("busy", 61) for _ in range(7)] == [0] * 6 + [10]
    assert rate.wait("0", 61) == 0
