"""The adapter of `ssl.SSLSocket`: a plain socket that start_tls() wraps, among the peers of the package's own sockets."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from typing import Any

from lifecycle.conformance.adapters.known import table_of
from lifecycle.conformance.adapters.peers import StreamPeer
from lifecycle.conformance.adapters.protocol import Answer
from lifecycle.conformance.adapters.session import LoopbackStage
from lifecycle.conformance.adapters.setup_states import set_timeout
from lifecycle.conformance.adapters.sockets import RawStage, SocketAdapter
from lifecycle.conformance.model.environment import Environment, Provocation
from lifecycle.conformance.model.environments import ENVIRONMENTS
from lifecycle.conformance.model.tls_environment import CONTEXT_UNDER_FILE
from lifecycle.engine import Role
from lifecycle.roles import ACCEPTED, CLIENT, words

SECURED = (CLIENT, ACCEPTED)
"""the roles whose streams TLS can run over"""


def meaning_of(call: str, error: BaseException) -> str:
    """The outcome that an error of ssl means; "" if it means none."""
    if call in (words.START_TLS.name, words.FINISH_TLS.name):
        return "refused" if getattr(error, "reason", None) else ""  # otherwise the context is for the other side
    return "truncated" if call in (words.RECEIVE.name, words.RECEIVE_FROM.name) and isinstance(error, ssl.SSLEOFError) else ""


class OverTls(LoopbackStage):
    """A stage for TLS of another library: translates ssl's errors to outcomes."""

    def _of_error(self, call: str, error: BaseException) -> Answer:
        answer = super()._of_error(call, error)
        if isinstance(error, ssl.SSLError) and answer.outcome == "failed" and (meant := meaning_of(call, error)):
            return answer._replace(outcome=meant)
        return answer

    def _answer(self, call: str, arguments: tuple[Any, ...]) -> Answer:
        answer = super()._answer(call, arguments)
        if call == words.STOP_TLS.name and answer.outcome == "ok" and isinstance(self.peer, StreamPeer):
            self.peer.leave_tls()
        return answer


class SecuredStage(OverTls, RawStage):
    """A socket that can be secured, among its peers."""

    def make(self, call: str, arguments: tuple[Any, ...]) -> Any:
        """Make the call by the methods of `ssl.SSLSocket`."""
        made = TLS_SPELLING.get(call)
        return super().make(call, arguments) if made is None else made(self, *arguments)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Wrap the socket, and make as much of the handshake as possible."""
        self.sock = context.wrap_socket(
            self.sock, server_side=self.is_tls_server, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        set_timeout(self.sock, self._seconds)
        self.sock.do_handshake()

    def stop_tls(self) -> None:
        """Return to the plain socket below."""
        self.sock = self.sock.unwrap()


TLS_SPELLING: Mapping[str, Callable[..., Any]] = {
    words.START_TLS.name: SecuredStage.start_tls,
    words.FINISH_TLS.name: lambda stage: stage.sock.do_handshake(),
    words.STOP_TLS.name: SecuredStage.stop_tls,
    words.GET_TLS.name: lambda stage: stage.sock.version(),
}
"""call -> how it is made"""


class SecuredAdapter(SocketAdapter):
    """`ssl.SSLSocket` under test."""

    def __init__(self, platform: str | None) -> None:
        super().__init__(socket.socket, name="ssl", platform=platform, known=table_of("ssl"))

    def environment(self, role: Role) -> Environment:
        """With TLS; only streams have it."""
        if role not in SECURED:
            raise KeyError(role.name)
        return ENVIRONMENTS[role.name]

    def offers(self, role: Role, provocation: Provocation, *, legal: bool) -> bool:
        """The calls of TLS where they are legal: a plain socket does not have them."""
        if provocation.call in TLS_SPELLING:
            return legal and provocation.under in self._circumstances and CONTEXT_UNDER_FILE not in provocation.arguments
        return super().offers(role, provocation, legal=legal)

    def stage(self, role: Role) -> SecuredStage:
        """A new object that has no socket yet."""
        return SecuredStage(role.name, self.new, self._loopback)
