"""The kinds of value a client may send: strict, bounded, and safe to store.

marshmallow's own fields convert where they can; on a wire that two languages share, a string where
a number belongs is a mistake, and these fields say so.
"""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from chat_protocol import limits


def camel_case(name: str) -> str:
    """`client_message_id` → `clientMessageId`: how a Python name stands on the wire."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


class WireSchema(Schema):
    """A schema whose fields have camelCase names on the wire and which refuses unknown ones."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Name the field as the wire does."""
        if field_obj.data_key is None:
            field_obj.data_key = camel_case(field_name)


class Text(fields.String):
    """Text that every database, browser and log can hold: no NUL, no lone surrogate.

    Lengths are in characters. A lone surrogate cannot come out of a JSON body (the codec refuses
    it) but can come from Python callers, so it is refused here as well.
    """

    default_error_messages = {
        "nul": "NUL characters are not allowed.",
        "surrogate": "Lone surrogates are not allowed.",
    }

    def __init__(self, *, min_chars: int = 0, max_chars: int, **kwargs: Any) -> None:
        rules = [validate.Length(min=min_chars or None, max=max_chars), *kwargs.pop("rules", ())]
        super().__init__(validate=rules, **kwargs)

    def _validate(self, value: Any) -> None:
        # The length first: on text without a bound, the pattern of a URL takes time without one.
        self.validators[0](value)
        super()._validate(value)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if "\x00" in value:
            raise self.make_error("nul")
        if has_surrogate(value):
            raise self.make_error("surrogate")
        return value


def identifier(**kwargs: Any) -> Text:
    """An id that the server made: short printable text."""
    return Text(min_chars=1, max_chars=limits.ID_MAX_CHARS, **kwargs)


class WholeNumber(fields.Integer):
    """An integer; neither a bool, nor a float, nor digits in a string."""

    def __init__(self, *, minimum: int = 0, maximum: int = limits.INTEGER_MAX, **kwargs: Any):
        super().__init__(strict=True, validate=validate.Range(min=minimum, max=maximum), **kwargs)


class StrictBoolean(fields.Boolean):
    """true or false, and nothing that merely looks like it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class RefField(fields.Field[Any]):
    """What a client puts into `ref`: a string of up to 64 characters, or a number."""

    default_error_messages = {
        "invalid": f"Must be a number or a string of up to {limits.REF_MAX_CHARS} characters."
    }

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str | int | float:
        if not is_ref(value):
            raise self.make_error("invalid")
        result: str | int | float = value
        return result


def is_ref(value: object) -> bool:
    """Whether a client's value may be echoed as `ref`: it must be encodable as JSON again."""
    if isinstance(value, str):
        return len(value) <= limits.REF_MAX_CHARS and not has_surrogate(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -limits.INTEGER_MAX <= value <= limits.INTEGER_MAX


def has_surrogate(text: str) -> bool:
    """Whether a text holds half a character, which UTF-8 cannot say."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def flatten_errors(error: ValidationError) -> dict[str, list[str]]:
    """marshmallow's nested messages as {dotted path: [what is wrong]}.

    A client chooses the names of unknown fields and how many there are, so only the first
    `limits.DETAILS_MAX` are named, each by its first `limits.ID_MAX_CHARS` characters.
    """
    found: dict[str, list[str]] = {}

    def walk(path: str, messages: Any) -> None:
        if len(found) >= limits.DETAILS_MAX:
            return
        if isinstance(messages, dict):
            for key, inner in messages.items():
                walk(f"{path}.{key}" if path else str(key), inner)
            return
        name = (path or "_schema")[: limits.ID_MAX_CHARS]
        listed = messages if isinstance(messages, list) else [messages]
        found.setdefault(name, [str(each) for each in listed])

    walk("", error.messages)
    return found
