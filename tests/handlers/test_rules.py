"""Who may do what: each rule against each role."""

from collections.abc import Callable

import pytest

from chat_gateway.domain import rules
from chat_gateway.domain.model import Role
from chat_protocol.errors import ProtocolError

OWNER, ADMIN, MEMBER = Role.OWNER, Role.ADMIN, Role.MEMBER


def allows(rule: Callable[..., None], *roles: Role) -> bool:
    try:
        rule(*roles)
    except ProtocolError as refusal:
        if refusal.code != "forbidden":
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("rule", "roles"),
    [
        (rules.authorize_rename, {OWNER, ADMIN}),
        (rules.authorize_invite, {OWNER, ADMIN}),
        (rules.authorize_add, {OWNER, ADMIN}),
        (rules.authorize_delete, {OWNER}),
        (rules.authorize_change_role, {OWNER}),
    ],
)
def test_a_rule_allows_these_roles_and_no_other(
    rule: Callable[[Role], None], roles: set[Role]
) -> None:
    assert {role for role in Role if allows(rule, role)} == roles


@pytest.mark.parametrize(
    ("role", "removable"),
    [(OWNER, {OWNER, ADMIN, MEMBER}), (ADMIN, {MEMBER}), (MEMBER, set())],
)
def test_a_role_may_remove_only_those_below_it_and_an_owner_anyone(
    role: Role, removable: set[Role]
) -> None:
    assert {target for target in Role if allows(rules.authorize_remove, role, target)} == removable


@pytest.mark.parametrize("target", [ADMIN, MEMBER])
def test_who_is_no_owner_may_go_however_few_owners_there_are(target: Role) -> None:
    rules.keep_an_owner(target, 0)


def test_an_owner_may_go_while_another_stays() -> None:
    rules.keep_an_owner(OWNER, 2)
    with pytest.raises(ProtocolError, match="last_owner"):
        rules.keep_an_owner(OWNER, 1)


def test_an_account_stays_in_its_own_session_only() -> None:
    rules.keep_own_session("own:mina", "joon")
    rules.keep_own_session("a-session", "mina")
    with pytest.raises(ProtocolError, match="forbidden"):
        rules.keep_own_session(rules.own_slot("mina"), "mina")
