"""The raw wire: `/ws/chat`, one JSON object a text frame."""
