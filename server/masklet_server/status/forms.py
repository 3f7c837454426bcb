"""What browsers and programs send to the page."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from starlette.requests import Request

MAX_FORM_BYTES = 16 << 10
FORM_WITHIN_S = 10.0


async def form_of(request: Request) -> dict[str, str] | None:
    """A form's fields, the first value of each; None for what is no form, too long, or slow."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        return None
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_WITHIN_S):
            async for part in request.stream():
                body += part
                if len(body) > MAX_FORM_BYTES:
                    return None
    except TimeoutError:
        return None
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=8)
    except (UnicodeDecodeError, ValueError):
        return None
    return {name: values[0] for name, values in fields.items()}


def bearer_in(request: Request) -> str:
    """The token that a program brings along; empty without one."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def peer_of(request: Request) -> tuple[str, int]:
    """Where a request comes from."""
    return ("", 0) if request.client is None else (request.client.host, request.client.port)
