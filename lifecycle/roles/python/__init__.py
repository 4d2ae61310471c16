"""The roles of the standard library's sockets, derived from the package's own, to check existing programs."""
