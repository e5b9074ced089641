"""A clock that goes where a test puts it."""

from chat_gateway.clock import SystemClock


class StandingClock:
    """Stands still at the moment it was made, until it is moved."""

    def __init__(self) -> None:
        real = SystemClock()
        self._now_ms = real.now_ms()
        self._monotonic_s = real.monotonic_s()

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return self._now_ms

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back."""
        return self._monotonic_s

    def move(self, by_s: float) -> None:
        """Let so much time go by."""
        self._now_ms += round(by_s * 1000)
        self._monotonic_s += by_s
