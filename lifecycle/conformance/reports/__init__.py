"""What a run found, put together: coverage, clusters of differences, and the forms in which programs read them."""
