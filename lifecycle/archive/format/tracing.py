"""Archive(trace=...): each value that is loaded or stored, with its offset and its type."""

from __future__ import annotations

from types import GeneratorType
from typing import Any

from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.encoder import Encoder
from lifecycle.archive.format.nesting import Loading, Storing
from lifecycle.archive.format.wire import Wire


class TracedWire(Wire[Any]):
    """A wire that reports each value to the archive's `trace` function."""

    goes_back = False

    def __init__(self, wire: Wire[Any], name: str) -> None:
        super().__init__(name)
        self.wire = wire
        self.least, self.cost, self.is_flat, self.is_atomic = wire.least, wire.cost, wire.is_flat, wire.is_atomic

    def store(self, encoder: Encoder, value: Any) -> Storing | None:
        at = encoder.offset
        storing = self.wire.store(encoder, value)
        if storing is not None:
            return self._when_stored(storing, encoder, at, value)
        encoder.format.tell(at, self.name, value)
        return None

    def _when_stored(self, storing: Storing, encoder: Encoder, at: int, value: Any) -> Storing:
        yield storing
        encoder.format.tell(at, self.name, value)

    def load(self, decoder: Decoder) -> Any:
        at = decoder.offset
        value = self.wire.load(decoder)
        if value.__class__ is GeneratorType:
            return self._when_loaded(value, decoder, at)
        decoder.format.tell(at, self.name, value)
        return value

    def _when_loaded(self, loading: Any, decoder: Decoder, at: int) -> Loading:
        value = yield loading
        decoder.format.tell(at, self.name, value)
        return value
