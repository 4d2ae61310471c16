"""The interactive page: one self-contained HTML file that needs neither a network nor a server."""

from lifecycle.diagrams.explorer.page import explorer_page

__all__ = ["explorer_page"]
