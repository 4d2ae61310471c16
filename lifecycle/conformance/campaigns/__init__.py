"""Whole runs: an implementation, its bare calls, one sequence again, mutants, and the matrix of the machine."""
