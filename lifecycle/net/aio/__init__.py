"""The awaited sockets: a driver that waits in the event loop, and a thin class per role."""
