"""The environment of an object under test, and the graph that follows from it and from the role's table."""
