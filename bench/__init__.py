"""Benchmarks: `python -m bench`, or `make bench`.

Servers are started one after the other on a core of their own, a load generator in C (`native/`)
talks to them from another core, and every row says what was lost, doubled or out of order.
"""
