"""What a conformance run knows of an object's surroundings, and the graph that follows from it and the role's table."""
