"""The small web: a bundled, invented web of a campaign week, served on this machine. Standard library
only."""

from demo.catalogue import sources
from demo.server import SmallWeb, serve
from demo.truth import canonical, truth

__all__ = ["SmallWeb", "canonical", "serve", "sources", "truth"]
