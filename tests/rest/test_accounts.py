"""Accounts over REST: the tokens a client gets, and what a request without a good one is told."""

from typing import Any

import aiohttp
import pytest

from chat_protocol.rest import AccountView, TicketView, TokensView
from tests.parts.people import Api, Person, new_person, sign_token
from tests.rest.asking import ask, check_problem

PASSWORD = "correct horse battery"


def sign_up_body(**changes: Any) -> dict[str, Any]:
    return {"email": "Mina@Example.com", "password": PASSWORD, "displayName": "미나", **changes}


def person_of(tokens: dict[str, Any]) -> Person:
    account = tokens["account"]
    return Person(account_id=account["id"], name=account["displayName"], token=tokens["token"])


async def test_whoever_signs_up_is_logged_in_and_can_log_in_again(
    service: Api, http: aiohttp.ClientSession
) -> None:
    signed = await ask(http, service, "POST", "/api/auth/signup", body=sign_up_body())
    assert signed.status == 201
    TokensView().load(signed.body)
    assert signed.body["account"]["email"] == "mina@example.com"

    me = await ask(http, service, "GET", "/api/me", by=person_of(signed.body))
    assert me.status == 200
    assert me.headers["Cache-Control"] == "no-store"
    assert me.headers["X-Content-Type-Options"] == "nosniff"
    AccountView().load(me.body)
    assert me.body == signed.body["account"]

    logged = await ask(
        http,
        service,
        "POST",
        "/api/auth/login",
        body={"email": "MINA@example.com", "password": PASSWORD},
    )
    assert logged.status == 200
    TokensView().load(logged.body)
    assert logged.body["account"] == signed.body["account"]


async def test_an_email_has_one_account_and_a_wrong_password_opens_none(
    service: Api, http: aiohttp.ClientSession
) -> None:
    await ask(http, service, "POST", "/api/auth/signup", body=sign_up_body())
    again = await ask(http, service, "POST", "/api/auth/signup", body=sign_up_body())
    check_problem(again, "email_taken")
    for email in ("mina@example.com", "nobody@example.com"):
        wrong = await ask(
            http, service, "POST", "/api/auth/login", body={"email": email, "password": "a guess"}
        )
        check_problem(wrong, "invalid_credentials")


async def test_a_refresh_token_works_once_and_a_log_out_ends_the_login(
    service: Api, http: aiohttp.ClientSession
) -> None:
    first = (await ask(http, service, "POST", "/api/auth/signup", body=sign_up_body())).body
    refreshed = await ask(
        http, service, "POST", "/api/auth/refresh", body={"refreshToken": first["refreshToken"]}
    )
    assert refreshed.status == 200
    TokensView().load(refreshed.body)
    person = person_of(refreshed.body)

    out = await ask(http, service, "POST", "/api/auth/logout", by=person)
    assert (out.status, out.body) == (204, None)
    check_problem(await ask(http, service, "GET", "/api/me", by=person), "token_revoked")
    gone = await ask(
        http,
        service,
        "POST",
        "/api/auth/refresh",
        body={"refreshToken": refreshed.body["refreshToken"]},
    )
    check_problem(gone, "invalid_refresh_token")


async def test_a_refresh_token_used_twice_ends_the_login(
    service: Api, http: aiohttp.ClientSession
) -> None:
    first = (await ask(http, service, "POST", "/api/auth/signup", body=sign_up_body())).body
    body = {"refreshToken": first["refreshToken"]}
    second = await ask(http, service, "POST", "/api/auth/refresh", body=body)
    check_problem(
        await ask(http, service, "POST", "/api/auth/refresh", body=body), "invalid_refresh_token"
    )
    me = await ask(http, service, "GET", "/api/me", by=person_of(second.body))
    check_problem(me, "token_revoked")


async def test_a_ticket_has_a_secret_and_an_end(service: Api, http: aiohttp.ClientSession) -> None:
    ticket = await ask(http, service, "POST", "/api/tickets", by=new_person())
    assert ticket.status == 201
    TicketView().load(ticket.body)


async def test_a_token_of_the_operators_back_end_makes_its_account_at_first_sight(
    service: Api,
) -> None:
    person = new_person("Joon")
    me = await service.call("GET", "/api/me", by=person)
    assert (me["id"], me["displayName"], me["email"]) == (person.account_id, "Joon", None)


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "unauthenticated"),
        ("", "unauthenticated"),
        ("Bearer", "unauthenticated"),
        ("Bearer ", "unauthenticated"),
        ("Basic bWluYTpzZWNyZXQ=", "unauthenticated"),
        ("Bearer not-a-token", "invalid_token"),
        ("Bearer a.b.c", "invalid_token"),
        ("Bearer töken", "invalid_token"),
        (
            "Bearer " + sign_token("mina", "Mina", secret="another secret, as long as it must be"),
            "invalid_token",
        ),
        ("Bearer " + sign_token("mina", "Mina", lifetime_s=-60), "token_expired"),
        ("Bearer " + sign_token("mina", "Mina", exp=None), "invalid_token"),
        ("Bearer " + sign_token("mina", "Mina", sub=None), "invalid_token"),
        ("Bearer " + sign_token("mina", "Mina", sid="no-such-login"), "token_revoked"),
    ],
)
async def test_a_request_without_a_good_token_is_told_what_is_wrong_with_it(
    service: Api, http: aiohttp.ClientSession, authorization: str | None, code: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = await ask(http, service, "GET", "/api/me", headers=headers)
    check_problem(response, code)
    told = response.headers["WWW-Authenticate"]
    assert ('error="invalid_token"' in told) is (code != "unauthenticated")


async def test_the_scheme_may_be_written_in_any_case(
    service: Api, http: aiohttp.ClientSession
) -> None:
    headers = {"Authorization": f"bEARER  {new_person().token}"}
    assert (await ask(http, service, "GET", "/api/me", headers=headers)).status == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", {"$ne": None}),
        ("email", "no address"),
        ("email", "mina@example.com\x00"),
        ("email", "m" * 250 + "@example.com"),
        ("email", None),
        ("password", {"$gt": ""}),
        ("password", "short"),
        ("password", "p" * 257),
        ("password", 12345678),
        ("displayName", ""),
        ("displayName", "n" * 81),
        ("displayName", ["Mina"]),
    ],
)
async def test_a_sign_up_names_the_field_at_fault(
    service: Api, http: aiohttp.ClientSession, field: str, value: object
) -> None:
    response = await ask(
        http, service, "POST", "/api/auth/signup", body=sign_up_body(**{field: value})
    )
    assert list(check_problem(response, "validation_failed")["details"]) == [field]


@pytest.mark.parametrize("field", ["email", "password"])
async def test_an_operator_where_a_string_belongs_logs_nobody_in(
    service: Api, http: aiohttp.ClientSession, field: str
) -> None:
    await ask(http, service, "POST", "/api/auth/signup", body=sign_up_body())
    body = {"email": "mina@example.com", "password": PASSWORD, field: {"$ne": None}}
    response = await ask(http, service, "POST", "/api/auth/login", body=body)
    assert list(check_problem(response, "validation_failed")["details"]) == [field]
