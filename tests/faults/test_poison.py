"""Poison posts: whatever is in a post, wherever it stands in a batch, it alone becomes a dead letter."""

from __future__ import annotations

import base64
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.dead_letters import listed
from pipeline.ports import Filter
from pipeline.runner import BROKEN_AT_LEAST
from tests.pipeline.house import TestHouse, a_post
from tests.scorer import POISON

LENGTH = 24

poisons = st.sampled_from(
    [
        b"",
        b"{",
        b"null",
        b"\xff\x00",
        b"[" * 3000,
        b'{"schema":"post","version":1,"body":{}}',
        b'{"schema":"alert","version":1,"body":{}}',
        b'{"schema":"post","version":1e400,"body":{}}',
    ]
)
bombs = st.sets(st.integers(0, LENGTH - 1), max_size=BROKEN_AT_LEAST - 1)
"""Positions of posts that break the whole batch by an error nobody foresaw; if more do, the worker stops, as it should."""


@settings(max_examples=25)
@given(bad=st.dictionaries(st.integers(0, LENGTH - 1), poisons), bombs=bombs, batch=st.integers(1, LENGTH + 3))
@example(bad=dict.fromkeys(range(LENGTH), b"{"), bombs=set(), batch=LENGTH)
@example(bad={0: b"{", LENGTH - 1: b"{"}, bombs={1, LENGTH - 2}, batch=LENGTH)
@example(bad={}, bombs=set(range(BROKEN_AT_LEAST - 1)), batch=BROKEN_AT_LEAST - 1)
def test_only_the_poison_becomes_dead_letters_with_its_bytes(
    bad: dict[int, bytes], bombs: set[int], batch: int
) -> None:
    with TemporaryDirectory() as home:
        house = TestHouse(Path(home))
        for n in range(LENGTH):
            house.publish(bad.get(n, a_post(f"n{n}", f"kabar {n} {POISON if n in bombs else ''}")))
        house.drain(batch=batch)
        bombs = bombs - set(bad)
        counts = house.counts()
        good = LENGTH - len(bad) - len(bombs)
        assert counts["balanced"]
        assert (counts["indexed"], counts["stored"]) == (good, good)
        assert (counts["dead"], counts["open"]) == (len(bad) + len(bombs), len(bad) + len(bombs))
        stored = {hit.document["post"]["native_id"] for hit in house.store.scan("posts", Filter())}
        assert stored == {f"n{n}" for n in set(range(LENGTH)) - set(bad) - bombs}
        kept = sorted(base64.b64decode(one.value) for one in listed(house.store) if one.stage == "read")
        assert kept == sorted(bad.values())
        house.close()
