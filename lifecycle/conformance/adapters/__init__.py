"""Adapters, which put implementations under test: the protocol, the peers on the loopback interface, the built-in adapters."""
