"""Makes a span of each call, as OpenTelemetry has them: begun and ended with the call, with attributes and a status.

With OpenTelemetry give the hook `opentelemetry.trace.get_tracer("lifecycle")`; this program has a small tracer of the same
shape, so that it runs without. What is sent and received is in no attribute: only how long it is.
"""

from typing import Any

from lifecycle import Client
from lifecycle.engine import Record


class Tracing:
    """An Observer that makes spans. tracer: anything with start_span(name, attributes=), as OpenTelemetry's."""

    def __init__(self, tracer: Any) -> None:
        self._tracer = tracer
        self._spans: dict[int, Any] = {}

    def began(self, record: Record, target: object) -> None:
        """Begin the span of the call."""
        attributes = {"lifecycle.role": record.role, "lifecycle.state": record.state, "code.filepath": record.file}
        self._spans[id(record)] = self._tracer.start_span(f"lifecycle.{record.call}", attributes=attributes)

    def ended(self, record: Record, target: object) -> None:
        """End it, with how the call ended."""
        span = self._spans.pop(id(record))
        span.set_attribute("lifecycle.outcome", record.outcome or "refused")
        span.set_attribute("lifecycle.next_state", record.next_state or "")
        if record.result:
            span.set_attribute("lifecycle.result", record.result)
        if record.error:
            span.add_event("exception", {"exception.message": record.error})
        span.end()


class PrintingTracer:
    """Stands in for OpenTelemetry's: prints each span when it ends."""

    def start_span(self, name: str, attributes: dict[str, Any]) -> "PrintingSpan":
        """Begin a span."""
        return PrintingSpan(name, attributes)


class PrintingSpan:
    """A span that is printed."""

    def __init__(self, name: str, attributes: dict[str, Any]) -> None:
        self.name, self.attributes = name, attributes

    def set_attribute(self, key: str, value: object) -> None:
        """Note an attribute."""
        self.attributes[key] = value

    def add_event(self, name: str, attributes: dict[str, Any]) -> None:
        """Note an event."""
        self.attributes[name] = attributes

    def end(self) -> None:
        """Print it."""
        shown = [f"{key.partition('.')[2]}={value}" for key, value in self.attributes.items() if key.startswith("lifecycle.")]
        print(self.name, *shown[1:2], *(each for each in shown[2:] if not each.startswith("next")))


if __name__ == "__main__":
    one, other = Client.socketpair(journal=Tracing(PrintingTracer()))
    with one, other:
        one.send(b"secret")
        other.receive()
