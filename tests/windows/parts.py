"""Which parts of the suite run on CPython for Windows under Wine, and why the others do not."""

from __future__ import annotations

from dataclasses import dataclass

WINE_OPTIONS = "Wine 8 answers other values than Windows for options that it does not know (SO_DONTROUTE), or WSAENOPROTOOPT"
POSIX_FILES = "the test itself uses os.dup() on a socket's descriptor, which is for files on Windows"
WINE_HANGS = "Wine 8 does not end an overlapped call that is cancelled, or a select() whose socket is closed: the test hangs"
WINE_IPV6 = "Wine 8 has no dual-stack sockets like Windows', or names resolve otherwise"
POSIX_ONLY = "tests what only POSIX systems have: signals that interrupt calls, pty, fork, chroot, /proc"
NO_TRIO = "trio starts by SIO_BASE_HANDLE, which Wine 8 does not have (WSAEOPNOTSUPP)"
NO_RECVMSG = "uses socket.recvmsg, which Windows does not have"
NO_EBADF = "expects EBADF of a number that is not a handle; Windows says WSAENOTSOCK"
NO_SENDER = "Windows: a recvfrom() that ends with WSAEMSGSIZE gives no sender, so that MessageTruncated has none"
WINE_ADDRESS = "Wine 8 lets a socket bind to, or connect to, addresses by the rules of the Linux below"
WINE_REFUSED = "after a refused connect Wine 8 answers WSAECONNABORTED once (documented of Windows: it may be tried again)"
WINE_ICMP = "Wine 8 does not report a port that nobody reads (ICMP), or does it as WSAECONNRESET at another call"
SELECTOR_ONLY = "asks asyncio's selector loop how it registers; this system's default loop has no registrations"
CONSOLE = "the console of Windows leaves its last column free"
POSIX_NAMES = "asks for names, modes, links and errors that POSIX' file systems have"
WINE_RESET = "Wine 8 answers WSAENOTCONN for a connection that was reset in the queue; Windows answers WSAECONNRESET"
WINE_RESET_SEEN = "Wine 8 reports a reset that select() has seen as the end of the stream: a look at the data finds no error"
WINE_NOBODY = "Wine 8 does not report a message that found nobody; Windows answers WSAECONNRESET"
COARSE_CLOCK = "measures moments of time, which Windows' clocks count in steps of 16 ms"
LARGE = "runs for minutes under Wine, and asks nothing of the system that the others do not ask"


@dataclass(frozen=True)
class Part:
    """A folder or file that runs; `without` are tests that do not, each by a substring of its name, with the reason."""

    path: str
    without: tuple[tuple[str, str], ...] = ()
    in_short: bool = True


PARTS = (
    Part("tests/engine", in_short=False),
    Part(
        "tests/system",
        (
            *((name, POSIX_NAMES) for name in ("mode_is_kept", "a_symbolic_link", "a_folder_and_a_file", "odd_names")),
            ("a_refused_datagram", WINE_NOBODY),
        ),
    ),
    Part("tests/oracle/test_golden.py"),
    Part(
        "tests/archive",
        (
            ("campaign", LARGE),
            ("leaves_its_socket_as_it_was", NO_RECVMSG),
            ("damaged_documents_cost", COARSE_CLOCK),
            ("slow_peers_keep", COARSE_CLOCK),
        ),
        in_short=False,
    ),
    Part("tests/diagrams/test_graph.py"),
    Part("tests/diagrams/test_formats.py", in_short=False),
    Part("tests/cli/test_show.py"),
    Part("tests/cli/test_demo.py"),
    Part("tests/cli/test_diagram.py", (("without_a_format_it_is_text", CONSOLE),), in_short=False),
    Part("tests/cli/test_lint.py"),
    Part("tests/checking/test_charts.py"),
    Part("tests/net/test_smoke.py"),
    Part("tests/net/test_blocked_calls.py"),
    Part("tests/net/test_leaks.py"),
    Part("tests/net/test_leaving_peers.py"),
    Part("tests/net/test_operations.py"),
    Part("tests/net/test_bad_input.py"),
    Part(
        "tests/net/test_checklist_a_creation.py",
        (("row_012", WINE_OPTIONS), ("row_011", WINE_OPTIONS), ("row_008", WINE_ADDRESS)),
    ),
    Part("tests/net/test_checklist_b_listening.py"),
    Part("tests/net/test_checklist_c_connecting.py", (("row_049", WINE_REFUSED), ("row_047", WINE_ADDRESS))),
    Part("tests/net/test_checklist_d_transfer.py"),
    Part("tests/net/test_checklist_e_shutdown.py", (("row_088", POSIX_FILES), ("row_083", POSIX_FILES))),
    Part("tests/net/test_checklist_f_handles.py", (("row_092", NO_EBADF),)),
    Part("tests/net/test_checklist_g_blocking.py"),
    Part(
        "tests/net/test_checklist_h_options.py",
        (("row_116", WINE_OPTIONS), ("the_systems_own_defaults", WINE_OPTIONS), ("row_122", WINE_OPTIONS)),
    ),
    Part("tests/net/test_checklist_i_datagrams.py", (("row_129", NO_SENDER),)),
    Part("tests/net/test_checklist_is_complete.py"),
    Part("tests/aio/test_plain_calls.py"),
    Part("tests/aio/test_checklist_g_waiting.py"),
    Part("tests/aio/test_leaks.py"),
    Part("tests/aio/test_messages.py"),
    Part("tests/aio/test_checklist_g_notifications.py"),
    Part("tests/aio/test_serving.py"),
    Part("tests/aio/test_waiting.py"),
    Part("tests/aio/test_archives.py"),
    Part("tests/aio/test_selector_threads.py"),
    Part("tests/aio/test_nowait.py"),
    Part("tests/aio/test_notifications.py", (("datagrams_are_told_of", WINE_ICMP),), in_short=False),
    Part("tests/aio/test_out_of_band.py", in_short=False),
    Part(
        "tests/aio/test_event_loops.py",
        (
            ("forgotten_object_is_closed", "compares numbers of descriptors, which Windows does not give anew at once"),
            ("waiting_goes_on_after_an_error", WINE_ICMP),
            ("idle_registration", SELECTOR_ONLY),
        ),
        in_short=False,
    ),
    Part("tests/aio/test_serving_ends.py", (("raised_from_the_networks_error", WINE_RESET),), in_short=False),
    Part("tests/aio/test_serving_tls.py", in_short=False),
    Part("tests/aio/test_cancellation.py", in_short=False),
    Part("tests/net/test_tls.py"),
)

LEFT_OUT = {
    "tests/roles": LARGE,
    "tests/properties, tests/conformance": LARGE + "; `lifecycle conform` and `lifecycle matrix` run instead",
    "tests/house, tests/typing": "ask nothing of the system",
    "tests/checking but its charts": "the checker's tests start POSIX programs",
    "tests/cli/test_conform.py, tests/net/test_signals.py, tests/aio on trio and uvloop": f"{POSIX_ONLY}; {NO_TRIO}",
    "tests/aio/test_fault_run.py, test_as_blocking.py, test_send_queue.py, test_conformance.py": WINE_HANGS,
    "tests/aio/test_notification_rules.py": WINE_RESET_SEEN,
    "tests/net/test_both_families.py, test_addresses.py, test_unix_pairs.py": WINE_IPV6,
    "tests/net/test_option_names.py, test_faults.py, test_reviewed.py, test_portable_variants.py": WINE_OPTIONS,
    "tests/net/test_lost_races.py, test_ownership.py, test_several_addresses.py": WINE_HANGS,
}
"""Parts that are left out whole"""
