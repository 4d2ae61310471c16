"""The claim: awaited calls over Unix-domain sockets are within the budgets of TCP's."""

from functools import partial

from benchmarks import aio_echo
from benchmarks.claim import Claim
from benchmarks.unix_pairs import WAYS

CLAIM = Claim("unix-echo", "1 KiB echo round trips over Unix-domain sockets", partial(aio_echo.measure, makers=WAYS, rounds=30))
