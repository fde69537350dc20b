"""Answers that can be asked for again cheaply: a weak ETag over the content, 304 when it is unchanged."""

from __future__ import annotations

import hashlib

from fastapi import Request, Response
from pydantic import BaseModel


def tagged(request: Request, body: BaseModel) -> Response:
    """The body as JSON with its ETag, or 304 if the client has it."""
    return tagged_bytes(request, body.model_dump_json().encode(), "application/json")


def tagged_bytes(request: Request, content: bytes, media_type: str) -> Response:
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if _matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def _matches(wanted: str, etag: str) -> bool:
    tags = [tag.strip() for tag in wanted.split(",")]
    # Weak comparison (RFC 9110, 8.8.3.2): W/ does not count.
    return "*" in tags or etag.removeprefix("W/") in {tag.removeprefix("W/") for tag in tags}
