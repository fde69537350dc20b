"""A sequence classifier of a few hundred bytes, as somebody else might hand it over: a ready ONNX file, a tokenizer and a
config. The model adds up a logit a word. Written byte by byte, because the default installation cannot make ONNX files.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

WORDS = ["[PAD]", "[UNK]", "kalian", "busuk", "sampah", "cerita", "pasar", "damai", "nomor"]
LOGITS = {"busuk": 6.0, "sampah": 4.0, "damai": -4.0}
FLOAT, INT64 = 1, 7


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number: int, value: int | str | bytes) -> bytes:
    """A protobuf field: an int as a varint, else length and bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def value_info(name: str, kind: int, *dimensions: str | int) -> bytes:
    shape = b"".join(field(1, field(1, d) if isinstance(d, int) else field(2, d)) for d in dimensions)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def onnx_bytes(words: int = len(WORDS), classes: int = 2) -> bytes:
    """input_ids (batch, length) -> logits (batch, classes): the mean over words of a table's rows."""
    table = [[0.0] * classes for _ in range(words)]
    for word, logit in LOGITS.items():
        if WORDS.index(word) < words:
            table[WORDS.index(word)][-1] = logit
    raw = b"".join(struct.pack(f"<{classes}f", *row) for row in table)
    tensor = field(1, words) + field(1, classes) + field(2, FLOAT) + field(8, "table") + field(9, raw)
    gather = field(1, "table") + field(1, "input_ids") + field(2, "words") + field(4, "Gather")
    axes = field(5, field(1, "axes") + field(8, 1) + field(20, 7))
    keep = field(5, field(1, "keepdims") + field(3, 0) + field(20, 2))
    mean = field(1, "words") + field(2, "logits") + field(4, "ReduceMean") + axes + keep
    graph = field(1, gather) + field(1, mean) + field(2, "tiny") + field(5, tensor)
    graph += field(11, value_info("input_ids", INT64, "batch", "length"))
    graph += field(12, value_info("logits", FLOAT, "batch", classes))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def write_tiny(folder: Path, **config: object) -> Path:
    """Write the folder; `config` changes its config.json."""
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(onnx_bytes())
    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    told = {
        "architectures": ["TinyForSequenceClassification"],
        "id2label": {"0": "aman", "1": "hate"},
        "vocab_size": len(WORDS),
        "max_position_embeddings": 34,
    }
    (folder / "config.json").write_text(json.dumps(told | config))
    return folder


def write_rows(path: Path, count: int = 240) -> Path:
    """Rows that the tiny model nearly always gets right."""
    lines = ["text,hate"]
    for n in range(count):
        words = "kalian busuk sampah" if n % 2 else "cerita pasar damai"
        wrong = n % 20 == 0
        lines.append(f"{words} nomor {n},{int(n % 2) ^ wrong}")
    path.write_text("\n".join(lines) + "\n")
    return path
