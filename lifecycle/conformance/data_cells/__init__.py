"""What the graph of a role does not show: sizes, order, addresses, options and time, each in a cell of its own."""
