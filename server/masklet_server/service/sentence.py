"""What a refusal may say on the wire: text that a client wrote comes back in it.

A status travels as percent-encoded metadata, and a client's gRPC ends the connection where that grows past
8 KiB. In a log or a terminal, line breaks and signs that turn the direction of writing let a name pass for
something else.
"""

from __future__ import annotations

MAX_CHARACTERS = 2000
MAX_ENCODED_BYTES = 6000
_GAP = " […] "


def for_the_wire(message: str) -> str:
    """The message in one printable line that fits into a status; of a long one, its beginning and its end.

    The end is kept because it says what helps.
    """
    shown = "".join(sign if sign.isprintable() else _escaped(sign) for sign in message)
    if _fits(shown):
        return shown
    kept = min(len(shown), MAX_CHARACTERS) // 2
    while not _fits(cut := f"{shown[:kept]}{_GAP}{shown[-kept:]}"):
        kept = kept * 3 // 4
    return cut


def _fits(text: str) -> bool:
    return len(text) <= MAX_CHARACTERS + len(_GAP) and _encoded_bytes(text) <= MAX_ENCODED_BYTES


def _encoded_bytes(text: str) -> int:
    # Printable ASCII goes as it is, but for the sign of the encoding itself.
    plain = sum(sign.isascii() and sign != "%" for sign in text)
    return plain + 3 * (len(text.encode()) - plain)


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
