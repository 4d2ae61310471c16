"""The blocking sockets: a driver that polls with a deadline and a waker, and a thin class per role."""
