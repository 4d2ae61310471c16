"""The calls of TLS that the blocking and the awaited stream share."""

from __future__ import annotations

import errno
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, cast
from weakref import WeakMethod, ref

from lifecycle.engine import INTERRUPTED
from lifecycle.engine.journal import Payload
from lifecycle.engine.vocabulary import BROKEN
from lifecycle.net.errors import PlainTextUnread
from lifecycle.net.operations.securing import SecureLayer
from lifecycle.net.os_socket import OsSocket
from lifecycle.roles import words
from lifecycle.roles.facts import LINKED, SHUT_DOWN_CHANGES, Facts, Receives, resets, shakes_hands

if TYPE_CHECKING:
    import socket
    import ssl

    from _typeshed import ReadableBuffer

    from lifecycle.net.tls_details import TlsDetails

HANDSHAKES = (words.START_TLS.name, words.FINISH_TLS.name)


def _without_secrets(argument: Any) -> Any:
    return Payload(argument) if isinstance(argument, bytes | bytearray | memoryview) else argument


def check_context(context: ssl.SSLContext) -> None:
    """TypeError unless it is an ssl.SSLContext."""
    import ssl  # only who has a context needs it

    if not isinstance(context, ssl.SSLContext):
        raise TypeError(f"TLS takes an ssl.SSLContext, not a {type(context).__name__}")


def check_server_context(context: ssl.SSLContext) -> None:
    """As check_context(), and ValueError for a client's context: OpenSSL says so at each handshake, with an OSError."""
    import ssl

    check_context(context)
    if context.protocol == ssl.PROTOCOL_TLS_CLIENT:
        raise ValueError("a server takes a context of PROTOCOL_TLS_SERVER, or of both sides, not of PROTOCOL_TLS_CLIENT")


class Reads(Protocol):
    """An object that reads ahead over a stream, such as a file."""

    @property
    def unread(self) -> int:
        """How many bytes it holds that were not read."""
        ...


class TlsCalls(OsSocket):
    """The TLS of a stream, but for what waits."""

    __slots__ = ()

    _is_tls_server: bool
    _held: bytearray | None  # None where nothing is: the usual receive looks at it

    @property
    def buffered(self) -> int:
        """How many bytes the next receive() gives without asking the system.

        They were received by receive_until() beyond a message, or by a call that was interrupted; or they came with another
        record of TLS. A poll of the descriptor does not see them, and detach() drops them.
        """
        layer = getattr(self, "_socket", None)
        return len(self._held or b"") + (layer.buffered if isinstance(layer, SecureLayer) else 0)

    def _has_received(self) -> bool:
        return bool(self._held) or (isinstance(self._socket, SecureLayer) and self._socket.has_come)

    @property
    def is_blocking(self) -> bool:
        """Whether a call on this object waits at this moment."""
        raise NotImplementedError

    def get_tls(self) -> TlsDetails:
        """The version, the cipher, the ALPN protocol and the peer's certificate; see TlsDetails.

        They are those of the handshake, and are kept to the end of TLS. Legal in the states of TLS that is up.
        """
        return self._secure_layer().details

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """As for every socket; but a handshake that was interrupted goes on, unless that was within one of its steps."""
        layer = getattr(self, "_socket", None)
        if isinstance(layer, SecureLayer) and layer.is_torn_by(error):
            return BROKEN.name
        outcome = super().outcome_of(call, error)
        if call in HANDSHAKES and outcome in ("failed", None) and isinstance(layer, SecureLayer):
            return INTERRUPTED.name
        return outcome

    def actual_state(self, call: str) -> str | None:
        """As of every socket; under TLS the handshake, and what ended it, are the layer's, which the next call goes on with."""
        layer = getattr(self, "_socket", None)
        if not isinstance(layer, SecureLayer):
            return super().actual_state(call)
        return self.role.state_of((resets if layer.has_failed else shakes_hands)(LINKED)) if call in HANDSHAKES else None

    def outcome_before(self, call: str, *arguments: Any, **keywords: Any) -> str:
        """As for every socket; ValueError for an end of receives over TLS, which has no message for it."""
        outcome = super().outcome_before(call, *arguments, **keywords)
        at: Facts = self._node._facts
        if at.is_secured and outcome in SHUT_DOWN_CHANGES and SHUT_DOWN_CHANGES[outcome](at).receives is Receives.OFF:
            raise ValueError(
                f"TLS has no message that ends {outcome}: shut_down('sends') sends close_notify, and close() ends both"
            )
        return outcome

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._abandon_if(error)
        super().__exit__(kind, error, traceback)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._abandon_if(error)
        await super().__aexit__(kind, error, traceback)

    def _record_of(self, call: str, node: Any, arguments: tuple[Any, ...], keywords: Any, override: Any) -> Any:
        """As of every call; but of what is sent over TLS, or belongs to it, every journal has the length only."""
        if call in HANDSHAKES or isinstance(getattr(self, "_socket", None), SecureLayer):
            arguments = tuple(map(_without_secrets, arguments))
            keywords = {name: _without_secrets(value) for name, value in keywords.items()}
        return super()._record_of(call, node, arguments, keywords, override)

    # -- for the handlers -------------------------------------------------------------------------------------------------

    def _secure_layer(self) -> SecureLayer:
        """The TLS that stands in the socket's place."""
        layer = self._socket
        assert isinstance(layer, SecureLayer)
        return layer

    def _begin_tls(
        self,
        context: ssl.SSLContext,
        server_side: bool | None,
        server_hostname: str | None,
        received: ReadableBuffer,
        requires_close_notify: bool,
        session: ssl.SSLSession | None,
    ) -> SecureLayer:
        """Put TLS in the socket's place; nothing is sent yet."""
        from lifecycle.net.tls_layer import TlsLayer

        check_context(context)
        if server_side is None:
            server_side = self._is_tls_server
        if server_side and server_hostname is not None:  # OpenSSL would ignore it
            raise ValueError("server_hostname is the name in the server's certificate: only TLS's client checks it")
        if context.check_hostname and not (server_side or server_hostname):  # which an SSLObject does not look at
            raise ValueError("the context checks the name in the peer's certificate: give it as server_hostname=")
        if self._holds_unread():
            raise PlainTextUnread("plain text that came before TLS was not received yet: receive it, or give it as received=")
        if self.is_blocking:
            raise OSError(errno.EBUSY, "another call waits on this object: what it receives would be a part of the handshake")
        layer = TlsLayer(
            self._socket,
            context,
            server_side=server_side,
            server_hostname=server_hostname,
            received=received,
            requires_close_notify=requires_close_notify,
            session=session,
            wake=WeakMethod(self._wake_all),
        )
        self._socket = cast("socket.socket", layer)
        return layer

    def _holds_unread(self) -> bool:
        """Whether this object, or a file over it, holds data that was taken from the system and not received."""
        return bool(self._held) or any(
            reader is not None and reader.unread for reader in (each() for each in getattr(self, "_readers", ()))
        )

    def _add_reader(self, reader: Reads) -> None:
        """Note an object that may read ahead over this one."""
        before = getattr(self, "_readers", ())
        self._readers = (*(each for each in before if each() is not None), ref(reader))

    def _abandon_if(self, error: BaseException | None) -> None:
        """The user of the connection ends by an exception: the peer must not take the data that was sent for complete."""
        if error is not None:
            self._abandon()

    def _forgotten(self) -> None:
        self._abandon()  # nobody has ended it, as after an exception

    def _abandon(self) -> None:
        layer = getattr(self, "_socket", None)
        if isinstance(layer, SecureLayer):
            layer.abandon()
