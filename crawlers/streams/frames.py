"""WebSocket frames (RFC 6455), the side of a client that listens. Pure; holds one message at most.

No extension is ever offered, so that nothing has to be unpacked. `docs/decisions/0012` says why there is no library for it.
"""

from __future__ import annotations

import base64
import hashlib
import os

from .events import TooLong

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_MOST_CONTROL_BYTES = 125
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class BadFrame(ValueError):
    """What came is no WebSocket, or not one that a listener can go on with."""


class Frames:
    """Give it bytes, get (opcode, payload) of whole messages and control frames. Raises BadFrame, TooLong."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = bytearray()
        self._message = bytearray()
        self._opcode = 0
        """Of the message whose fragments are coming; 0 between messages."""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        self._held += data
        found = []
        at = 0
        while (frame := self._frame(at)) is not None:
            opcode, final, begin, at = frame
            payload = bytes(self._held[begin:at])
            if opcode >= CLOSE:
                found.append((opcode, payload))
                continue
            self._message += payload
            self._opcode = opcode or self._opcode
            if final:
                found.append((self._opcode, bytes(self._message)))
                self._message.clear()
                self._opcode = 0
        del self._held[:at]
        return found

    def _frame(self, at: int) -> tuple[int, bool, int, int] | None:
        """(opcode, whether it is a message's last, where its payload begins and ends); None while it is not whole."""
        held = self._held
        if len(held) < at + 2:
            return None
        first, second = held[at], held[at + 1]
        opcode, final, size, begin = first & 15, bool(first & 128), second & 127, at + 2
        if first & 112:
            raise BadFrame("reserved bits without an extension")
        if second & 128:
            raise BadFrame("a masked frame from a server")
        if opcode not in (0, TEXT, BINARY, CLOSE, PING, PONG):
            raise BadFrame(f"unknown opcode {opcode}")
        if opcode >= CLOSE:
            if not final or size > _MOST_CONTROL_BYTES:
                raise BadFrame("a control frame in pieces or too long")
        elif (opcode == 0) != (self._opcode != 0):
            raise BadFrame("fragments out of order")
        if size > _MOST_CONTROL_BYTES:
            width = 2 if size == 126 else 8
            if len(held) < begin + width:
                return None
            size = int.from_bytes(held[begin : begin + width])
            begin += width
        if opcode < CLOSE and len(self._message) + size > self._most:
            raise TooLong(f"a message of more than {self._most} bytes")
        return (opcode, final, begin, begin + size) if len(held) >= begin + size else None


def frame(opcode: int, payload: bytes = b"") -> bytes:
    """A client's control frame: short, whole and masked, as the RFC (5.1) asks of clients."""
    key = os.urandom(4)
    masked = bytes(byte ^ key[n % 4] for n, byte in enumerate(payload[:_MOST_CONTROL_BYTES]))
    return bytes((128 | opcode, 128 | len(masked))) + key + masked


def new_key() -> str:
    """A value for Sec-WebSocket-Key."""
    return base64.b64encode(os.urandom(16)).decode()


def accepted_by(key: str) -> str:
    """What a server that speaks WebSocket answers to it in Sec-WebSocket-Accept."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()
