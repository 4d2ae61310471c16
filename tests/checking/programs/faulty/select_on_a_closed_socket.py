"""A reader asks select() about a socket that was closed between two looks."""

import select
import socket

left, right = socket.socketpair()
select.select([left, right], [], [], 0)
left.close()
try:
    select.select([left, right], [], [], 0)  # FOUND: order
except ValueError as error:
    print(error)
right.close()
