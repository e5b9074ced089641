"""A clock that goes like the machine's and can be moved ahead."""

from chat_gateway.clock import SystemClock


class MovableClock(SystemClock):
    """The machine's clocks, and what was added."""

    def __init__(self) -> None:
        self._ahead_ms = 0

    def advance(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self._ahead_ms += int(seconds * 1000)

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        return super().now_ms() + self._ahead_ms

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back."""
        return super().monotonic_s() + self._ahead_ms / 1000
