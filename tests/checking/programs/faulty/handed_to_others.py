"""A closed socket's methods are handed to a function that guards them, and to a thread: the line that names them is told."""

import socket
import threading


def guarded(function, *arguments):
    """Call the function, and show an error of the system."""
    try:
        return function(*arguments)
    except OSError as error:
        return print(error)


def in_a_thread(function, *arguments):
    """Do it in another thread."""
    thread = threading.Thread(target=guarded, args=(function, *arguments))
    thread.start()
    thread.join()


one, other = socket.socketpair()
other.close()
one.close()
guarded(one.recv, 10)  # FOUND: order
in_a_thread(one.send, b"late")  # FOUND: order
