"""Measuring what this machine's system answers to each call in each state, and setting it beside the shipped tables."""
