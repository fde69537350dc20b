"""Real servers for tests, without containers: `python -m tests.servers start`."""

from tests.servers import elasticsearch, kafka
from tests.servers.server import Missing, Running, Server

__all__ = ["Missing", "Running", "Server", "elasticsearch", "kafka"]
