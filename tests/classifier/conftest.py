import importlib.util

import pytest

from classifier.engine import Classifier

# What cannot even be imported without the [train] extra is left to `make test-train`, which has it.
collect_ignore = [] if importlib.util.find_spec("sklearn") else ["test_stance_fit.py"]


@pytest.fixture(scope="session")
def shipped() -> Classifier:
    return Classifier.load()
