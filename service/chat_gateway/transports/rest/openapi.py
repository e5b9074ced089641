"""The OpenAPI document, made from the table of operations and the schemas that check requests.

OpenAPI 3.0.3: the newest that every reader of it still knows, the page at `/docs` among them.
"""

from importlib import metadata
from typing import Any, Final

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields, validate

from chat_gateway.transports.rest.operations import JSON, Operation
from chat_gateway.transports.rest.problems import PROBLEM
from chat_gateway.transports.rest.table import OPERATIONS
from chat_protocol.errors import REGISTRY
from chat_protocol.fields import Text
from chat_protocol.rest import ProblemView

_TAGS: Final = {
    "Accounts": "Who one is: tokens, log-ins, tickets.",
    "Sessions": "Chat sessions of the caller.",
    "Members": "Who is in a session, and as what.",
    "Messages": "What is said in a session.",
    "Node": "For whoever runs the service.",
}

_REASONS: Final = {200: "Done.", 201: "Made.", 204: "Done; there is nothing to say."}

_NO_NUL: Final = r"^[^\u0000]*$"
_HTTP_URL: Final = r"^https?://[^\s\u0000]+$"


class _Converter(OpenAPIConverter):
    def field2pattern(self, field: fields.Field[Any], **kwargs: Any) -> dict[str, Any]:
        """What `Text` refuses beside its lengths, and what the others say themselves."""
        if any(isinstance(rule, validate.URL) for rule in field.validators):
            return {"format": "uri", "pattern": _HTTP_URL}
        if isinstance(field, Text):
            return {"pattern": _NO_NUL}
        return super().field2pattern(field, **kwargs)

    def field2nullable(self, field: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
        """apispec lets any object stand where null may; only null may."""
        found = super().field2nullable(field, ret)
        for choice in found.get("anyOf", ()):
            if choice.get("nullable"):
                choice["enum"] = [None]
        return found


class _Plugin(MarshmallowPlugin):
    Converter = _Converter


def document(public_url: str) -> dict[str, Any]:
    """The document of a service that clients reach at `public_url`."""
    plugin = _Plugin(schema_name_resolver=_schema_name)
    spec = APISpec(
        title="chat-gateway",
        version=metadata.version("chat-gateway"),
        openapi_version="3.0.3",
        plugins=[plugin],
        info={
            "description": "Chat sessions over REST; the same sessions are live at `/ws/chat` and "
            "`/socket.io/`. Every error is a problem (RFC 9457) with a stable `code`."
        },
        servers=[{"url": public_url}],
        tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
    )
    converter = plugin.converter
    if converter is None:
        raise TypeError("apispec gives the plugin its converter")
    spec.components.security_scheme(
        "bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    )
    spec.components.schema(_schema_name(ProblemView), schema=ProblemView)
    for operation in OPERATIONS:
        spec.path(
            path=operation.url,
            operations={operation.method.lower(): _operation(operation, converter)},
        )
    return spec.to_dict()


def _schema_name(schema: Schema | type[Schema]) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema").removesuffix("View")


def _operation(operation: Operation, converter: OpenAPIConverter) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "security": [] if operation.public else [{"bearer": []}],
        "responses": {**_successes(operation), **_problems(operation)},
    }
    parameters = [
        parameter
        for location, schema in (
            ("path", operation.path),
            ("query", operation.query),
            ("header", operation.headers),
        )
        if schema is not None
        # An instance: only there do the fields know their names on the wire.
        for parameter in converter.schema2parameters(schema(), location=location)
    ]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {
            "required": not operation.body_optional,
            "content": {JSON: {"schema": operation.body}},
        }
    return described


def _successes(operation: Operation) -> dict[str, Any]:
    schema: Any = operation.returns or {"type": "string"}
    return {
        str(status): {
            "description": _REASONS[status],
            **({} if status == 204 else {"content": {operation.media_type: {"schema": schema}}}),
        }
        for status in operation.statuses
    }


def _problems(operation: Operation) -> dict[str, Any]:
    by_status: dict[int, list[str]] = {}
    for code in operation.all_errors:
        by_status.setdefault(REGISTRY[code].http_status, []).append(code)
    return {
        str(status): {
            "description": "\n".join(f"- `{code}`: {REGISTRY[code].message}" for code in codes),
            "content": {PROBLEM: {"schema": _problem_with(codes)}},
        }
        for status, codes in sorted(by_status.items())
    }


def _problem_with(codes: list[str]) -> dict[str, Any]:
    """A problem with one of these codes."""
    reference = {"$ref": f"#/components/schemas/{_schema_name(ProblemView)}"}
    return {
        "allOf": [
            reference,
            {"type": "object", "properties": {"code": {"type": "string", "enum": codes}}},
        ]
    }
