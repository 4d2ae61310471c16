"""The environments of the package's roles: a small vocabulary of occasions and peer actions, as data.

Facts, of a stream: `linked` (there is a connection), `data` (something has come), `end` (the peer has ended its stream),
`reset` (the connection was reset), `told` (and a call has told so), `mute` and `deaf` (sends, receives were ended here),
`over` (both streams have ended), `full` (nothing more can be sent), `sent` (the peer has something to read), `gone` (the
peer takes nothing any more), of a connect that is under way `answered`, `turned_down` or `unanswered`, and `spurned` (one was
refused before). Of a server: `addressed`, `listening`, `waiting` (a connection is queued), `taken` (somebody else listens on
its port). Of datagrams: `addressed`, `linked` (the peer is set), `data`, `refusal` (nobody took an earlier message), `gone`,
`mute`, `deaf`. Of an archive: `storing`, `due` (bytes must be sent before more are taken), `ahead` (more was read than taken),
`numbered` (an object or a class has its number).
"""

from collections.abc import Mapping

from lifecycle.conformance.model.environment import Environment
from lifecycle.conformance.vocabulary.archives import ARCHIVE
from lifecycle.conformance.vocabulary.datagrams import DATAGRAM
from lifecycle.conformance.vocabulary.files import SOCKET_FILE
from lifecycle.conformance.vocabulary.servers import SERVER
from lifecycle.conformance.vocabulary.streams import ACCEPTED, CLIENT

ENVIRONMENTS: Mapping[str, Environment] = {
    "server": SERVER,
    "client": CLIENT,
    "accepted": ACCEPTED,
    "datagram": DATAGRAM,
    "socket_file": SOCKET_FILE,
    "archive": ARCHIVE,
}
"""role -> its environment"""

__all__ = ["ENVIRONMENTS"]
