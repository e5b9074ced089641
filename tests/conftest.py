"""The fixtures that all suites share stand in `tests/parts`, a file for each real part."""

import pytest

# The parts assert too, and import each other; pytest has to know before the first is imported.
pytest.register_assert_rewrite("tests.parts")

pytest_plugins = [
    "tests.parts.mongo",
    "tests.parts.stores",
    "tests.parts.service",
    "tests.parts.server",
    "tests.parts.node",
    "tests.parts.chromium",
    "tests.parts.fuzzing",
]
