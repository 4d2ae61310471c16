"""The page to explore: one HTML file with everything in it, which works without a network and without a server."""

from lifecycle.diagrams.explorer.page import explorer_page

__all__ = ["explorer_page"]
