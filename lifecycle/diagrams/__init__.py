"""Pictures that cannot go stale: of a role from its table, of a run from its journal, and a page to explore both."""

from lifecycle.diagrams.errors import NoRenderer, NotAJournal, UnknownFormat
from lifecycle.diagrams.explorer import explorer_page
from lifecycle.diagrams.files import save_run
from lifecycle.diagrams.formats import DIAGRAM_FORMATS, state_diagram, state_png
from lifecycle.diagrams.highlight import WrongHighlight
from lifecycle.diagrams.recorded import read_records
from lifecycle.diagrams.sequence import CHART_FORMATS, sequence_chart

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
