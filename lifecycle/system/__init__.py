"""The operating system: errors to outcomes, a handle to facts, polling, and the measured matrices."""
