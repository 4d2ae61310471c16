"""Runs objects along the graph of their role: single steps, exhaustive sequences, random walks, a Hypothesis machine."""
