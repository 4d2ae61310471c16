"""Findings in the suites of CPython and of packages that were reviewed: right, and wanted by the test, or harmless there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Explained:
    """Findings of one kind in suites: the calls, the states of the socket, the functions that make them, and why."""

    suites: str
    kind: str
    states: str
    calls: str
    functions: str
    reason: str

    def explains(self, suite: str, finding: Mapping[str, Any]) -> bool:
        """Whether this row is about that finding of that suite."""
        return (
            any(each in suite for each in self.suites.split())
            and finding["kind"] == self.kind
            and finding["state"] in self.states.split()
            and finding["call"] in self.calls.split()
            and finding["function"] in self.functions.split()
        )


EXPLAINED = (
    Explained(
        suites="test_socket", kind="order", states="closed",
        calls="recv recvmsg recvmsg_into send sendall sendmsg sendto",
        functions="testDetach doRecvmsg sendmsgToServer _testCreateConnectionClose testSendAfterClose testMakefileClose",
        reason="The tests use a closed or detached socket to see that this is an error.",
    ),
    Explained(
        suites="test_socket", kind="order", states="open bound",
        calls="sendmsg listen setblocking close",
        functions="_testSendmsgNoDestAddr test_socket_close test_setblocking_invalidfd testCloseException",
        reason="The tests send a datagram to nobody, or close the descriptor behind the object's back, to see that this, or "
        "the next call, is an error.",
    ),
    Explained(
        suites="test_socket", kind="leak", states="open",
        calls="close", functions="test_dealloc_warn",
        reason="The test drops sockets to see the ResourceWarning.",
    ),
    Explained(
        suites="test_asyncio", kind="leak", states="connected",
        calls="close",
        functions="_make_self_pipe <module> _test_get_event_loop_new_process__sub_proc test_fork_not_share_event_loop",
        reason="Some tests, and a forked child of one, never close the loop of their policy, and so its pair of sockets.",
    ),
    Explained(
        suites="test_asyncio", kind="portability", states="open",
        calls="listen", functions="_start_serving",
        reason="A test starts a server on a socket that it has not bound, which works on Linux.",
    ),
    Explained(
        suites="test_asyncio", kind="portability", states="bound",
        calls="connect", functions="_basetest_sock_connect_racing",
        reason="The test connects a socket again whose first connect was cancelled, until a listener is there.",
    ),
    Explained(
        suites="test_asyncio", kind="leak", states="connected peer_closed",
        calls="close", functions="inner outer",
        reason="The tests drop a writer, also a server's, to see the ResourceWarning.",
    ),
    Explained(
        suites="test_asyncio", kind="tls", states="open connected",
        calls="read shutdown send", functions="eof_server server client",
        reason="The tests cut TLS by shutdown(), or send plain data below it, to see what the other end makes of it.",
    ),
    Explained(
        suites="test_asyncio", kind="loss", states="open peer_closed",
        calls="write", functions="test_write_closing inner",
        reason="The tests write to a transport that they have closed, to see that it counts the write, and that drain() fails.",
    ),
    Explained(
        suites="test_ssl", kind="tls", states="connected",
        calls="read recv", functions="read recv",
        reason="The echo servers of the tests take the end that clients make without close_notify for the end.",
    ),
    Explained(
        suites="test_ssl", kind="tls", states="connected listening",
        calls="get_channel_binding getpeercert close accept",
        functions="test_unknown_channel_binding test_getpeercert test_nonblocking_send test_server_accept",
        reason="The tests ask before the handshake to see the error, shake hands in accept(), and close without an answer.",
    ),
    Explained(
        suites="test_ftplib", kind="tls", states="connected",
        calls="unwrap", functions="_do_ssl_shutdown",
        reason="The test's server ends TLS when it is asked to, whatever the client has sent by then.",
    ),
    Explained(
        suites="test_selectors", kind="order", states="open",
        calls="register", functions="test_register",
        reason="The test registers a closed socket and an invalid descriptor to see that this is an error.",
    ),
    Explained(
        suites="websockets", kind="tls", states="connected send_shut open",
        calls="shutdown recv do_handshake", functions="send_data recv_events run_io connect",
        reason="websockets ends a TLS connection by shutdown(SHUT_WR), so that neither end can tell a cut from the "
        "end. In run_io() TLS goes over TLS, and the inner one tells a cut; a defect of websockets: when that handshake "
        "fails, run_io() leaves the alert in the MemoryBIO.",
    ),
    Explained(
        suites="websockets hypercorn", kind="leak", states="listening connected",
        calls="close", functions="create_server socket test_abnormal_close_logging",
        reason="Tests never close what they have made: a server, clients of httpx, a logger with a socket.",
    ),
    Explained(
        suites="websockets", kind="order", states="closed",
        calls="sendall send", functions="send_data test_client_connect_canceled_during_handshake",
        reason="The thread that keeps a connection alive may send when another has just closed it, and takes the error. "
        "A test sends to see that a cancelled handshake has closed the socket.",
    ),
    Explained(
        suites="websockets", kind="loss", states="connected send_shut",
        calls="write", functions="send_data",
        reason="Tests end a connection's transport behind its back, to see what becomes of the next message.",
    ),
    Explained(
        suites="anyio", kind="order", states="closed open",
        calls="accept recv recvfrom send sendto close",
        functions="accept test_receive_after_close test_send_after_close test_close_during_receive test_close_during_send "
        "test_receive_after_peer_closed test_send_after_peer_closed test_accept_after_close close_when_blocked interrupt "
        "test_wait_socket test_deprecated_wait_socket test_connect_tcp_closes_winner_on_outer_cancellation "
        "test_cancelled_send_does_not_send_the_next_one wrapper _nonblocking_helper",
        reason="The tests close a socket, also while a task waits for it (a datagram socket without an address, too), to "
        "see the error that anyio makes of it.",
    ),
    Explained(
        suites="trio", kind="order", states="closed",
        calls="recv send accept close", functions="_nonblocking_helper test_can_survive_unnotified_close",
        reason="The tests use a stream or a listener that they have closed, to see the error that trio makes of it, and "
        "close a socket under the tasks that wait for it.",
    ),
    Explained(
        suites="trio", kind="loss", states="connected",
        calls="send close", functions="test_interrupted_by_close fill_socket close",
        reason="Tests fill a socket by send(), whose result they do not need; others end with a close() that resets.",
    ),
    Explained(
        suites="anyio", kind="tls", states="listening",
        calls="accept",
        functions="test_send_receive test_extra_attributes test_unwrap test_alpn_negotiation test_ragged_eofs "
        "test_ragged_eof_on_receive test_receive_send_after_eof test_send_eof_not_implemented test_truststore_ssl",
        reason="The tests' servers shake hands in accept(), with one client that is there.",
    ),
    Explained(
        suites="anyio", kind="leak", states="open",
        calls="close", functions="server_sock factory",
        reason="Fixtures drop a socket when it cannot be bound, as where the name localhost has no IPv6 address.",
    ),
    Explained(
        suites="test_ssl", kind="order", states="open",
        calls="recv recv_into recvfrom recvfrom_into send sendto getpeername",
        functions="test_wrapped_unconnected test_do_handshake_enotconn test_getpeercert_enotconn",
        reason="The tests use a socket that is not connected to see that this is an error.",
    ),
    Explained(
        suites="test_ssl", kind="leak", states="open",
        calls="close", functions="test_wrap_socket",
        reason="Wrapping is refused, and the tests drop the socket.",
    ),
)  # fmt: skip


def unexplained(suite: str, findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The findings that no row explains."""
    return [finding for finding in findings if not any(row.explains(suite, finding) for row in EXPLAINED)]
