"""The chat-gateway service: sockets in, a durable log, sockets out.

`app` puts the parts together; `docs/architecture.md` shows a message's way through them.
"""
