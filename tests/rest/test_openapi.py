"""The OpenAPI document against the running service: each promises what the other does."""

from collections.abc import Mapping
from typing import Any

import hypothesis
import schemathesis
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from chat_gateway.transports.rest.openapi import document
from tests.parts.people import Api, Person, new_person
from tests.parts.server import ServerProcess

Case = schemathesis.Case[Any]

PUBLIC_URL = "http://localhost:8080"

schema = schemathesis.openapi.from_dict(
    document(PUBLIC_URL),
    config=SchemathesisConfig(
        projects=ProjectsConfig(
            default=ProjectConfig(
                generation=GenerationConfig(deterministic=True, with_security_parameters=False)
            )
        )
    ),
)


async def test_the_service_serves_the_document(service: Api) -> None:
    assert await service.call("GET", "/openapi.json") == document(PUBLIC_URL)


bounded = hypothesis.settings(max_examples=15, derandomize=True, deadline=None)


def check(case: Case, server: ServerProcess, by: Person) -> None:
    """Send it, and hold what comes back against all that schemathesis knows to look at."""
    # OpenAPI 3.0 has no words for two parts of a request that exclude each other, nor for which
    # URLs there can be: such a request may be refused although the document allows it.
    query: Mapping[str, Any] = case.query or {}
    headers: Mapping[str, Any] = case.headers or {}
    body = case.body if isinstance(case.body, dict) else {}
    beyond_words = (
        {"before", "after"} <= set(query)
        or ("Idempotency-Key" in headers and "clientMessageId" in body)
        or "attachments" in body
    )
    case.call_and_validate(
        base_url=server.url,
        headers={"Authorization": f"Bearer {by.token}"},
        excluded_checks=[positive_data_acceptance] if beyond_words else [],
    )


@schema.parametrize()
@bounded
def test_an_operation_keeps_to_the_document(case: Case, server: ServerProcess) -> None:
    check(case, server, new_person())


@schema.include(path_regex="sessionId").parametrize()
@bounded
def test_an_operation_in_a_session_of_ones_own_keeps_to_the_document(
    case: Case, server: ServerProcess
) -> None:
    mina = new_person()
    made = schema["/api/sessions"]["POST"].Case(body={}, media_type="application/json")
    session = made.call(base_url=server.url, headers={"Authorization": f"Bearer {mina.token}"})
    known = {"sessionId": session.json()["id"], "accountId": mina.account_id}
    case.path_parameters = {name: known[name] for name in case.path_parameters or {}}
    check(case, server, mina)
