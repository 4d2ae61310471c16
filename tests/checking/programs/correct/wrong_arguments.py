"""Arguments of the wrong kind are refused before the system is asked."""

import socket

with socket.socket() as client:
    for call, arguments in (
        (client.connect, ("nobody",)),
        (client.bind, (1,)),
        (client.setsockopt, ()),
        (client.settimeout, ("x",)),
    ):
        try:
            call(*arguments)
        except TypeError as error:
            print(error)
    try:
        client.connect(("127.0.0.1", 70000))
    except OverflowError as error:
        print(error)
