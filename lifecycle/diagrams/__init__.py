"""Pictures that cannot go stale: of a role from its table, of a run from its journal."""

from lifecycle.diagrams.errors import NoRenderer, NotAJournal, UnknownFormat
from lifecycle.diagrams.recorded import read_records
from lifecycle.diagrams.sequence import CHART_FORMATS, sequence_chart

__all__ = ["CHART_FORMATS", "NoRenderer", "NotAJournal", "UnknownFormat", "read_records", "sequence_chart"]
