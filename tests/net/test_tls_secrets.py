"""No text of the package shows what goes over TLS, or what could decrypt it: records, charts, errors, reprs, tracebacks."""

from __future__ import annotations

import pickle
import ssl
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import LONG, Background, connected_pair
from secured import VERSIONS

from lifecycle import Accepted, Client, HandshakeRefused, IllegalCall, Journal, StreamTruncated
from lifecycle.conformance.adapters.certificates import authority, client_context
from lifecycle.diagrams import CHART_FORMATS, sequence_chart

PASSWORD, ANSWER = b"password=hunter2", b"account 4711 0815"


def texts_of(error: BaseException) -> Iterator[str]:
    """What may be shown of an error, and travel with it."""
    yield from (str(error), repr(error), "".join(traceback.format_exception(error)))
    yield pickle.dumps(error).decode("latin1")


def refusals_of(end: Client | Accepted) -> Iterator[str]:
    """The refusal of every call that is not legal now."""
    for call in end.role.calls:
        if call.fired_by is None and not end.is_legal(call.name) and not end.role.never_legal(call.name):
            try:
                getattr(end, call.name)(*[PASSWORD] * (call.name in ("send", "send_to")))
            except (IllegalCall, TypeError) as error:
                yield from texts_of(error)


def spellings(secret: bytes) -> set[str]:
    """How a text might show some bytes."""
    return {secret.decode("latin1"), secret.hex(), repr(secret)[2:-1]}


@VERSIONS
def test_no_text_shows_a_secret(version: ssl.TLSVersion, tmp_path: Path) -> None:
    """Payloads are shown by their length, also where a journal asked for them; keys and sessions not at all."""
    key_log = tmp_path / "keys"
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("localhost").configure_cert(serving)
    serving.minimum_version = serving.maximum_version = version
    serving.keylog_filename = str(key_log)
    told: list[str] = []
    with Journal(payloads=True) as journal, connected_pair(timeout=LONG) as (client, accepted):
        server = Background(lambda: accepted.start_tls(serving))
        client.start_tls(client_context(version))
        server.result()
        client.send(PASSWORD)
        assert accepted.receive() == PASSWORD
        accepted.send(data=ANSWER)
        assert client.receive() == ANSWER
        session = client.get_tls().session
        assert session is not None
        told += [*refusals_of(client), *map(repr, (client, accepted, client._socket, client.get_tls(), session))]
        with pytest.raises(StreamTruncated) as cut:
            accepted._socket.below.shutdown(1)
            client.receive()
        told += [*texts_of(cut.value), *refusals_of(client), repr(client)]
    with connected_pair(timeout=LONG) as (client, accepted):
        server = Background(lambda: accepted.start_tls(serving))
        with pytest.raises(HandshakeRefused) as refused:
            client.start_tls(client_context(version, trusts="stranger"))
        with pytest.raises(HandshakeRefused) as other:
            server.result()
        told += [*texts_of(refused.value), *texts_of(other.value), *refusals_of(client)]
    told += map(repr, journal.records)
    told += [sequence_chart(journal.records, format) for format in CHART_FORMATS]
    lines = [line.split() for line in key_log.read_text().splitlines() if not line.startswith("#")]
    keys = [bytes.fromhex(word) for line in lines for word in line[1:]]
    secrets: set[str] = set().union(*map(spellings, (PASSWORD, ANSWER, session.id, *keys)))
    text = "\n".join(told)
    assert "<16 bytes>" in text
    assert len(keys) >= 2
    assert not [secret for secret in secrets if secret in text]
