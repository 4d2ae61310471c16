"""Tests of what the graph of a role does not show: sizes, order, addresses, options and times, one cell for each."""
