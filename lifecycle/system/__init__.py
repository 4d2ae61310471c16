"""The operating system: outcomes of errors, facts of handles, polling, and the measured matrices."""
