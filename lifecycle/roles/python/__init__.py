"""The roles of the standard library's sockets, derived from the package's own: a program that exists is checked by them."""
