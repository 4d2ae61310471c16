"""How implementations are put under test: the protocol, the surroundings on the loopback interface, those built in."""
