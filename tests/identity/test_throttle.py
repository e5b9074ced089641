"""Token buckets, under a clock that the test counts itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_gateway.domain.throttle import KeyedBuckets, TokenBucket


def test_a_new_bucket_gives_its_burst_at_once_and_no_more() -> None:
    bucket = TokenBucket(2.0, 3)

    assert [bucket.take(10.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_a_refusal_says_when_to_come_back_and_then_there_is_a_token() -> None:
    bucket = TokenBucket(3.0, 1)
    bucket.take(0.0)

    wait_s = bucket.take(0.1)

    assert wait_s == pytest.approx(1 / 3 - 0.1)
    assert bucket.take(0.1 + wait_s) == 0.0


def test_what_is_refused_costs_nothing() -> None:
    bucket = TokenBucket(1.0, 1)
    bucket.take(0.0)
    for _ in range(100):
        assert bucket.take(0.5) > 0

    assert bucket.take(1.0) == 0.0


def test_a_quiet_bucket_holds_no_more_than_its_burst() -> None:
    bucket = TokenBucket(100.0, 2)
    bucket.take(0.0)

    taken = [bucket.take(1e6) for _ in range(3)]

    assert taken[:2] == [0.0, 0.0]
    assert taken[2] > 0


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    bucket = TokenBucket(1.0, 1)
    bucket.take(100.0)

    assert bucket.take(50.0) > 0


def test_a_token_given_back_can_be_taken_again_but_is_never_one_too_many() -> None:
    bucket = TokenBucket(1.0, 1)
    bucket.take(0.0)
    bucket.give_back()
    bucket.give_back()

    assert bucket.take(0.0) == 0.0
    assert bucket.take(0.0) > 0


@given(rate=st.floats(0.01, 1000), burst=st.integers(1, 50), steps=st.lists(st.floats(0, 10)))
def test_no_more_is_ever_taken_than_burst_and_rate_allow(
    rate: float, burst: int, steps: list[float]
) -> None:
    bucket = TokenBucket(rate, burst)
    now_s = 0.0
    taken = 0
    for step in steps:
        now_s += step
        while not bucket.take(now_s) and taken <= burst + rate * now_s + 1:
            taken += 1

    assert taken <= burst + rate * now_s + 1e-6


def test_keys_do_not_share_a_bucket() -> None:
    buckets = KeyedBuckets(1.0, 1)
    assert buckets.take("mina", 0.0) == 0.0
    assert buckets.take("mina", 0.0) > 0

    assert buckets.take("jun", 0.0) == 0.0


def test_full_quiet_buckets_are_forgotten() -> None:
    buckets = KeyedBuckets(1.0, 2)
    for number in range(100):
        buckets.take(f"once-{number}", 0.0)
    assert len(buckets) == 100

    for number in range(100):
        buckets.take(f"later-{number}", 60.0)

    assert len(buckets) == 100


def test_a_bucket_that_is_not_full_is_not_forgotten_while_there_is_room() -> None:
    buckets = KeyedBuckets(0.001, 1, keys_max=1000)
    buckets.take("guesser", 0.0)
    for number in range(500):
        buckets.take(f"other-{number}", 1.0)

    assert buckets.take("guesser", 1.0) > 0


def test_there_are_never_more_buckets_than_keys_max() -> None:
    buckets = KeyedBuckets(0.001, 1, keys_max=10)
    for number in range(1000):
        buckets.take(f"key-{number}", 0.0)

    assert len(buckets) == 10
