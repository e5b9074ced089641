"""All use cases of a node, as the transports get them."""

from dataclasses import dataclass

from chat_gateway.clock import Clock
from chat_gateway.config import Settings
from chat_gateway.handlers.accounts import Accounts
from chat_gateway.handlers.members import Members
from chat_gateway.handlers.membership import Membership
from chat_gateway.handlers.messages import Messages
from chat_gateway.handlers.readiness import Readiness
from chat_gateway.handlers.rooms import Rooms
from chat_gateway.handlers.sessions import Sessions
from chat_gateway.hub.connections import Connections
from chat_gateway.hub.hub import Hub
from chat_gateway.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Made once, by `app`."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    hub: Hub
    connections: Connections
    readiness: Readiness
    membership: Membership
    accounts: Accounts
    sessions: Sessions
    members: Members
    messages: Messages
    rooms: Rooms
