import pytest

from classifier.engine import Classifier


@pytest.fixture(scope="session")
def shipped() -> Classifier:
    return Classifier.load()
