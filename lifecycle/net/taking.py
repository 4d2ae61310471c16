"""Where a thread receives ciphertext, which is copied out of it at once."""

import threading

RECORD = 16384
"""Bytes that one record carries at most, and one read gives"""

TAKE = 4 * (RECORD + 22)
"""Bytes that are taken from the system at a time: four full records of TLS 1.3, so that the last one is seldom cut.

It is what OpenSSL's incoming memory grows to, and keeps.
"""


class Taken(threading.local):
    """A buffer for each thread."""

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(TAKE))


taken = Taken()
