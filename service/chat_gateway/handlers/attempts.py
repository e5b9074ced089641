"""How often one may try to log in or sign up, by account and by address.

Guesses at a password are stopped at the account, wherever they come from; so its owner waits too
while someone guesses, but logins that exist go on. By address the limits are wide, for many people
may share one. What succeeds does not count as a guess.
"""

from ipaddress import IPv6Address, ip_address
from typing import Final

from chat_gateway.clock import Clock
from chat_gateway.domain.throttle import KeyedBuckets
from chat_protocol.errors import ProtocolError

GUESSES_BURST: Final = 10
GUESSES_PER_S: Final = 1 / 30
"""Wrong passwords for one account: so many at once, then one each half minute."""

ADDRESS_BURST: Final = 200
ADDRESS_PER_S: Final = 2.0
"""Wrong passwords, and new accounts, from one address."""


class Attempts:
    """Counts attempts; `limited` False lifts all limits."""

    def __init__(self, clock: Clock, *, limited: bool) -> None:
        self._clock = clock
        self._limited = limited
        self._guesses = KeyedBuckets(GUESSES_PER_S, GUESSES_BURST)
        self._log_ins = KeyedBuckets(ADDRESS_PER_S, ADDRESS_BURST)
        self._sign_ups = KeyedBuckets(ADDRESS_PER_S, ADDRESS_BURST)

    def sign_up(self, address: str) -> None:
        """Count a new account. Raises `rate_limited`."""
        self._take(self._sign_ups, network_of(address))

    def log_in(self, email: str, address: str) -> None:
        """Count a guess at a password. Raises `rate_limited`."""
        self._take(self._log_ins, network_of(address))
        self._take(self._guesses, email)

    def logged_in(self, email: str, address: str) -> None:
        """The guess was right, and so was none."""
        self._log_ins.give_back(network_of(address))
        self._guesses.give_back(email)

    def _take(self, buckets: KeyedBuckets, key: str) -> None:
        if not self._limited:
            return
        wait_s = buckets.take(key, self._clock.monotonic_s())
        if wait_s:
            raise ProtocolError("rate_limited", retry_after_ms=int(wait_s * 1000) + 1)


def network_of(address: str) -> str:
    """What one person holds: an IPv4 address, or the /64 that an IPv6 address is in."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return ip.packed[:8].hex()
