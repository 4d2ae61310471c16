"""All data cells, by label."""

from __future__ import annotations

from collections.abc import Mapping

from lifecycle.conformance.data_cells.cell import DataCell
from lifecycle.conformance.data_cells.datagrams import DATAGRAM_CELLS
from lifecycle.conformance.data_cells.servers import SERVER_CELLS
from lifecycle.conformance.data_cells.streams import STREAM_CELLS

DATA_CELLS: tuple[DataCell, ...] = (*SERVER_CELLS, *STREAM_CELLS, *DATAGRAM_CELLS)
"""every cell, role by role"""

BY_LABEL: Mapping[str, DataCell] = {each.label: each for each in DATA_CELLS}
