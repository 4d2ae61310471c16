"""Layouts of unknown classes: fields common to all objects of a class, and readers that keep the rest as raw bytes."""

from lifecycle.archive.layout.document import Document, Layout, Stored
from lifecycle.archive.layout.inference import ClassLayout, Field, infer
from lifecycle.archive.layout.python import module_source

__all__ = ["ClassLayout", "Document", "Field", "Layout", "Stored", "infer", "module_source"]
