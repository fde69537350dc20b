"""A real Elasticsearch server core: its jars on the class path of a JVM inside a Python process of its own."""

from __future__ import annotations

import json
import shutil
import sys
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

from tests.servers import jars
from tests.servers.server import Missing, Running, free_port, java, jvm, launch

PLUGIN = "org.elasticsearch.plugin:transport-netty4"


def start(folder: Path, port: int | None = None, *, stay: bool = False) -> Running:
    """Raises Missing where Java or a jar cannot be had."""
    try:
        import jpype  # noqa: F401  # the process that is started needs it
    except ImportError as error:
        raise Missing("no JPype for the test servers: pip install JPype1") from error
    runtime = java()
    home = folder / "elasticsearch"
    server = lay_out(home, jars.fetch("elasticsearch"))
    port = port or free_port()
    (home / "start.json").write_text(
        json.dumps(
            {
                "java": str(runtime),
                "jvm": jvm(stay),
                "class_path": [str(path) for path in server],
                "home": str(home),
                "settings": {
                    "path.home": str(home),
                    "path.data": str(home / "data"),
                    "path.logs": str(home / "logs"),
                    "node.name": "test",
                    "cluster.name": "jaga-test",
                    "discovery.type": "single-node",
                    "network.host": "127.0.0.1",
                    "http.port": str(port),
                    "transport.port": str(free_port()),
                    "transport.type": "netty4",
                    "http.type": "netty4",
                    # A developer's disk may be nearly full; the tests write megabytes.
                    "cluster.routing.allocation.disk.threshold_enabled": "false",
                },
            }
        )
    )
    main = Path(__file__).with_name("elasticsearch_main.py")
    return launch(
        [sys.executable, main, home / "start.json"],
        home,
        f"elasticsearch://127.0.0.1:{port}",
        lambda: healthy(port),
        stay=stay,
    )


def lay_out(home: Path, files: dict[str, Path]) -> list[Path]:
    """The folders that the server expects, the network plugin in its own; gives the jars of the class path."""
    plugin = home / "modules" / "transport-netty4"
    for made in (home / "config", home / "data", home / "logs", home / "plugins", plugin):
        made.mkdir(parents=True, exist_ok=True)
    server = []
    for name, path in files.items():
        if name.startswith(("io.netty:", PLUGIN, "org.elasticsearch:elasticsearch-ssl-config:")):
            shutil.copy(path, plugin)
        else:
            server.append(path)
        if name.startswith(PLUGIN):
            with zipfile.ZipFile(path) as jar:
                described = jar.read("META-INF/es-plugins/transport-netty4/plugin-descriptor.properties").decode()
            # Without a module name the plugin is loaded from its class path, as everything is here.
            lines = ["modulename=" if line.startswith("modulename=") else line for line in described.splitlines()]
            (plugin / "plugin-descriptor.properties").write_text("\n".join(lines) + "\n")
    return server


def healthy(port: int) -> bool:
    try:
        url = f"http://127.0.0.1:{port}/_cluster/health?wait_for_status=yellow&timeout=1s"
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(json.load(response)["status"] in ("yellow", "green"))
    except (urllib.error.URLError, OSError, ValueError):
        return False
