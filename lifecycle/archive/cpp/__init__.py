"""Python classes from C++ sources: each Serialize function of an MFC program as a serialize() method."""

from lifecycle.archive.cpp.declarations import Sources, read_sources
from lifecycle.archive.cpp.module import Written, module_of

__all__ = ["Sources", "Written", "module_of", "read_sources"]
