"""A program reads and writes lines."""

import socket

with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
    connection, _ = server.accept()
    with connection, client.makefile("rw", encoding="ascii", newline="\n") as ours, connection.makefile("rwb") as theirs:
        ours.write("question\n")
        ours.flush()
        assert theirs.readline() == b"question\n"
        theirs.write(b"answer\n")
        theirs.flush()
        assert ours.readline() == "answer\n"
