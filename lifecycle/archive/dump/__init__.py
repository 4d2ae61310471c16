"""Decodes an archive of unknown classes as far as possible: findings, and their summary."""

from lifecycle.archive.dump.finding import Confidence, Finding, Kind
from lifecycle.archive.dump.scanning import dump, findings
from lifecycle.archive.dump.summary import Summary, summarize

__all__ = ["Confidence", "Finding", "Kind", "Summary", "dump", "findings", "summarize"]
