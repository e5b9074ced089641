"""Fan-out: one room's frames to everyone in it, at what the kernel asks for a `send()` and no more.

The loop of this file runs once for every delivery of the service. It writes past the transport,
straight to the socket, wherever a peer's `fd` says that nothing waits before it; whatever the
socket does not take is the peer's own affair, whose transport buffers it.
"""

import os
from collections.abc import Iterable

from chat_gateway.hub.frames import Batch, Wire
from chat_gateway.hub.peer import NO_SOCKET, Peer


def deliver(batch: Batch, wire: Wire, peers: Iterable[Peer]) -> None:
    """Write `batch` to `peers`, all of one wire."""
    frames = batch.frames(wire)
    size_bytes = len(frames)
    write = os.write
    for peer in peers:
        fd = peer.fd
        if fd == NO_SOCKET:
            peer.deliver(batch)
            continue
        try:
            written_bytes = write(fd, frames)
        except OSError:
            # It is full, or gone: its transport finds out which.
            written_bytes = 0
        if written_bytes != size_bytes:
            peer.deliver(batch, written_bytes)
