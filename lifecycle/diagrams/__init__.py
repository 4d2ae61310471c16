"""Diagrams of roles and of recorded runs, made from tables and journals; and an interactive page of both."""

from lifecycle.diagrams.explorer import explorer_page
from lifecycle.diagrams.formats import UnknownFormat
from lifecycle.diagrams.highlight import WrongHighlight
from lifecycle.diagrams.pictures import NoRenderer
from lifecycle.diagrams.recorded import NotAJournal, read_records, save_run
from lifecycle.diagrams.sequence import CHART_FORMATS, sequence_chart
from lifecycle.diagrams.states import DIAGRAM_FORMATS, state_diagram, state_png

__all__ = [
    "CHART_FORMATS",
    "DIAGRAM_FORMATS",
    "NoRenderer",
    "NotAJournal",
    "UnknownFormat",
    "WrongHighlight",
    "explorer_page",
    "read_records",
    "save_run",
    "sequence_chart",
    "state_diagram",
    "state_png",
]
