"""Messages that a stage could not take: kept with their bytes, the cause and the stage, until a named operator decides."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime

from pipeline.contracts import DeadLetter
from pipeline.ports import Broker, Filter, Message, Record, SearchStore, Write
from pipeline.topology import POSTS_RAW, POSTS_REQUEUED

HEADER = "dead-letter"
"""Header of a requeued message: the id of the dead letter that it was."""

MAX_CAUSE_CHARS = 2000


class NoSuchLetter(KeyError):
    """There is no open dead letter with that id."""


def dead_letter(message: Message, stage: str, cause: str, failed_at: datetime) -> DeadLetter:
    return DeadLetter(
        topic=message.partition.topic,
        partition=message.partition.number,
        offset=message.offset,
        stage=stage,
        cause=cause[:MAX_CAUSE_CHARS],
        value=base64.b64encode(message.value).decode(),
        key=base64.b64encode(message.key).decode() if message.key is not None else None,
        failed_at=failed_at,
    )


def write_of(letter: DeadLetter, *, create: bool = True) -> Write:
    """Created only once: a message that is read again must not reopen what an operator has settled."""
    return Write("dead_letters", letter.id, letter.model_dump(mode="json"), create=create)


def listed(store: SearchStore, *, status: str | None = "open", stage: str | None = None) -> Iterator[DeadLetter]:
    """All that match, by id."""
    equals = {name: [value] for name, value in (("status", status), ("stage", stage)) if value}
    for hit in store.scan("dead_letters", Filter(equals=equals)):
        yield DeadLetter.model_validate(hit.document)


def find(store: SearchStore, letter_id: str) -> DeadLetter:
    """Raises NoSuchLetter."""
    document = store.get("dead_letters", [letter_id]).get(letter_id)
    if document is None:
        raise NoSuchLetter(letter_id)
    return DeadLetter.model_validate(document)


def requeue(store: SearchStore, broker: Broker, letter: DeadLetter, *, by: str, at: datetime) -> None:
    """Send the original bytes back to the log. Published first, then marked: a crash between can double it but not lose it, and
    the worker that takes the doubled one sees that its letter is settled."""
    topic = POSTS_REQUEUED if letter.topic in (POSTS_RAW, POSTS_REQUEUED) else letter.topic
    key = base64.b64decode(letter.key) if letter.key is not None else None
    broker.publish([Record(topic, base64.b64decode(letter.value), key, {HEADER: letter.id.encode()})])
    _settle(store, letter, "requeued", by, at)


def discard(store: SearchStore, letter: DeadLetter, *, by: str, at: datetime) -> None:
    """Give it up, by name. The bytes stay."""
    _settle(store, letter, "discarded", by, at)


def _settle(store: SearchStore, letter: DeadLetter, status: str, by: str, at: datetime) -> None:
    if letter.status != "open":
        raise NoSuchLetter(f"{letter.id} is {letter.status} already")
    settled = DeadLetter.model_validate(letter.model_dump() | {"status": status, "by": by, "settled_at": at})
    store.put([write_of(settled, create=False)])
