"""The strength of a suite itself: an implementation is broken one cell at a time, and every breakage must be found."""
