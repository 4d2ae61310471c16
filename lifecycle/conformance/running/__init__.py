"""Running an implementation along the graph of a role: the exhaustive driver, walks, and what is found."""
