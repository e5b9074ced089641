"""The Socket.IO endpoint."""
