"""The suite as a Hypothesis state machine."""
