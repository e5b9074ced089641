"""The wire of chat-gateway: every command, event, reply and error, and how they become bytes.

Pure: no I/O, no clock, no asyncio. The service, the documents (`export/`) and the tests all read
the shapes from here, so there is one place where the wire can change.
"""
