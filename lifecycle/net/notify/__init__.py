"""CAsyncSocket's notifications: which events an object may be notified of, when to look, and callbacks one after the other."""
