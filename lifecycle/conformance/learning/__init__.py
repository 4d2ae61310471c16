"""Learns the state machine of an implementation through the same adapters, and compares it with its role."""
