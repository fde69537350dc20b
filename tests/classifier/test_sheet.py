"""What is wrong with a training or evaluation file is named with the file."""

from pathlib import Path

import pytest

from classifier import sheet
from classifier.sheet import BadSet


@pytest.mark.parametrize(
    ("content", "columns", "said"),
    [
        (b"text,HS\na,1\n", ["HS", "fold3"], "set.csv: column fold3"),
        (b"text,HS\n", ["HS"], "set.csv: no row"),
        (b"text,HS\na,1\nb\n", [], "set.csv: line 3"),
        (b"text,HS\na,1,2\n", [], "set.csv: line 2"),
        (b"text,HS\n\xff\xfe,1\n", [], "set.csv: not UTF-8"),
        (b'text,HS\n"open,1\n', [], "set.csv: line"),
    ],
)
def test_a_set_that_cannot_be_used_is_named(tmp_path: Path, content: bytes, columns: list[str], said: str) -> None:
    path = tmp_path / "set.csv"
    path.write_bytes(content)
    with pytest.raises(BadSet, match=said.replace(".", r"\.")):
        sheet.read(path, *columns)


def test_a_row_names_its_file_when_asked_for_a_column_it_has_not(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_text("text\na\n")
    (row,) = sheet.read(tmp_path / "set.csv")
    with pytest.raises(BadSet, match=r"set\.csv: column HS is missing"):
        row["HS"]
    assert row.get("HS") is None


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_bytes(b"\xef\xbb\xbftext\na\n")
    assert sheet.read(tmp_path / "set.csv", "text") == [{"text": "a"}]
