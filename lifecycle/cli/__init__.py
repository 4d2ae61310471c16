"""The top floor: the command `lifecycle`. It may import everything below, and nothing below imports it."""
