"""Implementations in any language: a program makes the calls, and the suite drives it (docs/reference/agents.md)."""
