"""Complete runs: of the suite, of bare calls, of one sequence again, of mutants, and of the matrix of this machine."""
