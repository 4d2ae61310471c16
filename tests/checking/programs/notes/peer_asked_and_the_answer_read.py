"""A dispatcher asks for its peer, and takes the errors that say that there is none; it raises all others."""

import errno
import socket

with socket.socket() as client:
    try:
        print(client.getpeername())  # FOUND: note
    except OSError as error:
        if error.errno in (errno.ENOTCONN, errno.EINVAL):
            print("not connected")
        else:
            raise
