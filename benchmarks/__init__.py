"""The budgets of the design, each measured side by side with raw sockets and with other state-machine libraries in one run.

`python -m benchmarks` prints the whole table, `python -m benchmarks --help` describes the options. One file per claim.
"""
