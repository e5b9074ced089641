"""A shorter way through a schema, for the frames that nearly all clients nearly always send.

A schema's rules are read once and kept as plain checks. Where every field passes its check, the
result is what the schema would have returned; at the first doubt there is no result, and the schema
itself decides and says what is wrong. `tests/protocol/test_shortcut.py` holds the two together.
"""

from collections.abc import Callable
from typing import Any, cast

from marshmallow import validate

from chat_protocol.commands import Command
from chat_protocol.fields import RefField, Text, has_surrogate, is_ref
from chat_protocol.schemas import CommandSchema

Check = Callable[[Any], bool]


def _text_check(field: Text) -> Check | None:
    if len(field.validators) != 1 or not isinstance(field.validators[0], validate.Length):
        return None
    length = field.validators[0]
    shortest, longest = length.min or 0, cast(int, length.max)

    def check(value: Any) -> bool:
        return (
            type(value) is str
            and shortest <= len(value) <= longest
            and "\x00" not in value
            and (value.isascii() or not has_surrogate(value))
        )

    return check


class Shortcut:
    """The plain checks of one command's schema."""

    __slots__ = ("_checks", "_command", "_required")

    def __init__(self, schema: CommandSchema) -> None:
        self._command = schema.command
        self._checks: dict[str, tuple[str, Check]] = {}
        self._required: list[str] = []
        for name, field in schema.load_fields.items():
            key = field.data_key or name
            if field.required:
                self._required.append(key)
            if isinstance(field, RefField):
                self._checks[key] = (name, is_ref)
            elif isinstance(field, Text):
                check = _text_check(field)
                if check is not None:
                    self._checks[key] = (name, check)

    def load(self, value: dict[str, Any]) -> Command | None:
        """The command, or None where the schema has to look at it."""
        fields: dict[str, Any] = {}
        checks = self._checks
        for key, given in value.items():
            found = checks.get(key)
            if found is None or not found[1](given):
                return None
            fields[found[0]] = given
        for key in self._required:
            if key not in value:
                return None
        return self._command(**fields)
