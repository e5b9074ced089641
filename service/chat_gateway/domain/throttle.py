"""How often something may be done: token buckets, told the time by whoever asks."""

from typing import Final

KEYS_MAX: Final = 10_000

_WHOLE: Final = 1 - 1e-9
"""A token that lacks no more than rounding does."""


class TokenBucket:
    """Holds up to `burst` tokens and gains `rate_per_s` each second; it begins full."""

    __slots__ = ("_at_s", "_burst", "_rate_per_s", "_tokens")

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = float(burst)
        self._at_s: float | None = None

    def take(self, now_s: float) -> float:
        """Take a token: 0.0 when there was one, else the seconds until there will be."""
        self._gain(now_s)
        if self._tokens >= _WHOLE:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate_per_s

    def give_back(self) -> None:
        """Put back a token that was taken for something that does not count after all."""
        self._tokens = min(self._tokens + 1, self._burst)

    def is_full(self, now_s: float) -> bool:
        """Whether it holds all it can: then it is as good as a new one."""
        self._gain(now_s)
        return self._tokens >= self._burst

    def _gain(self, now_s: float) -> None:
        if self._at_s is not None and now_s > self._at_s:
            gained = (now_s - self._at_s) * self._rate_per_s
            self._tokens = min(self._tokens + gained, self._burst)
        self._at_s = now_s


class KeyedBuckets:
    """A bucket for each key, `keys_max` at the most.

    Every key that comes new looks at the two that were quiet longest and forgets those that are
    full again; where there are too many all the same, the one quiet longest goes.
    """

    __slots__ = ("_buckets", "_burst", "_keys_max", "_rate_per_s")

    def __init__(self, rate_per_s: float, burst: int, keys_max: int = KEYS_MAX) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._keys_max = keys_max
        self._buckets: dict[str, TokenBucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, now_s: float) -> float:
        """Take a token of this key's bucket: 0.0, or the seconds until there will be one."""
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            self._make_room(now_s)
            bucket = TokenBucket(self._rate_per_s, self._burst)
        self._buckets[key] = bucket  # at the end: used last
        return bucket.take(now_s)

    def give_back(self, key: str) -> None:
        """Put back a token of this key's bucket."""
        bucket = self._buckets.get(key)
        if bucket is not None:
            bucket.give_back()

    def _make_room(self, now_s: float) -> None:
        for _ in range(2):
            quiet_longest = next(iter(self._buckets), None)
            if quiet_longest is None:
                return
            if not (
                len(self._buckets) >= self._keys_max or self._buckets[quiet_longest].is_full(now_s)
            ):
                return
            del self._buckets[quiet_longest]
