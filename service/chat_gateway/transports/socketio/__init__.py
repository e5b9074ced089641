"""Socket.IO: the same protocol, an event's name for its type and a callback for its answer."""
