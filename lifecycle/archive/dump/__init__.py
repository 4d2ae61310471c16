"""What the bytes of an unknown archive tell: findings, as far as the bytes alone go, and their summary."""

from lifecycle.archive.dump.finding import Confidence, Finding, Kind
from lifecycle.archive.dump.scanning import dump, findings
from lifecycle.archive.dump.summary import Summary, summarize

__all__ = ["Confidence", "Finding", "Kind", "Summary", "dump", "findings", "summarize"]
