"""The raw WebSocket endpoint."""
