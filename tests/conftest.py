"""The fixtures that all suites share stand in `tests/parts`, a file for each real part."""

pytest_plugins = ["tests.parts.mongo", "tests.parts.service", "tests.parts.node"]
