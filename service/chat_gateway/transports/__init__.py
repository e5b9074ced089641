"""Sockets in, commands out: the only place that knows a transport."""
