"""A program that uses no socket."""

print(sum(range(10)))
