"""A page of a log, filled up to its two bounds: how many records, and how many bytes."""

from chat_gateway.domain.model import Page, Record
from chat_protocol.limits import PAGE_MAX_BYTES


class Filling:
    """Takes records in the order in which they are read, until one does not fit any more.

    A store reads one record beyond `limit` at most, and none beyond the one that was refused.
    """

    __slots__ = ("_bytes", "_limit", "_more", "_records")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._records: list[Record] = []
        self._bytes = 0
        self._more = False

    def take(self, record: Record) -> bool:
        """Put a record into the page; False where it does not fit, and the page is full."""
        size = self._bytes + len(record.wire)
        # The first one always fits: a reader must get on.
        if self._records and (len(self._records) == self._limit or size > PAGE_MAX_BYTES):
            self._more = True
            return False
        self._records.append(record)
        self._bytes = size
        return True

    def page(self, *, newest_first: bool = False) -> Page:
        """What was taken, oldest first; `newest_first` says that it was read the other way."""
        records = self._records[::-1] if newest_first else self._records
        return Page(records=records, more=self._more)
