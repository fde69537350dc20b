"""Run by `elasticsearch.py` in a process of its own: one Elasticsearch node until SIGTERM."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any


def main(path: str) -> None:
    import jpype

    what: dict[str, Any] = json.loads(Path(path).read_text())
    jpype.startJVM(
        str(next(Path(what["java"]).rglob("libjvm.*"))),
        "-Xmx1g",
        "-Xms256m",
        *what["jvm"],
        "--enable-native-access=ALL-UNNAMED",
        "--add-modules=jdk.unsupported",
        "-Dlog4j2.disable.jmx=true",
        classpath=what["class_path"],
        # SIGTERM is ours: we close the node, so that it ends in good order.
        interrupt=False,
    )
    # By full name, never by JPackage: that opens the jars as file systems, which Elasticsearch then cannot do again.
    java = jpype.JClass
    java("org.elasticsearch.common.logging.LogConfigurator").configureESLogging()
    builder = java("org.elasticsearch.common.settings.Settings").builder()
    for name, value in what["settings"].items():
        builder.put(name, value)
    home = java("java.nio.file.Path").of(what["home"])
    environment = java("org.elasticsearch.env.Environment")(builder.build(), home.resolve("config"))
    loader = java("org.elasticsearch.plugins.PluginsLoader")
    plugins = loader.createPluginsLoader(
        loader.loadModulesBundles(home.resolve("modules"), False),
        loader.loadPluginsBundles(home.resolve("plugins"), False),
        java("java.util.Map").of(),
        False,
    )
    node = java("org.elasticsearch.node.Node")(environment, plugins)
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    node.start()
    signal.sigwait(stops)
    node.close()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
