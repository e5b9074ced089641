"""Rooms of live connections, and the fan-out of events to them."""
