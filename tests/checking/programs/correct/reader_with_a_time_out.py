"""A thread looks every now and then whether it should end; the socket is closed while it waits."""

import socket
import threading

left, right = socket.socketpair()
left.settimeout(0.05)
waiting, ended = threading.Event(), threading.Event()


def read():
    while not ended.is_set():
        waiting.set()
        try:
            left.recv(10)
        except TimeoutError:
            pass
        except OSError:
            return


thread = threading.Thread(target=read)
thread.start()
waiting.wait()
ended.wait(0.08)
ended.set()
left.close()
thread.join()
right.close()
