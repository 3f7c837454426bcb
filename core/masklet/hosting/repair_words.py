"""What repairs are called in a host: sentences of the loop end in them, and name menus that are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.phrases import phrase

if TYPE_CHECKING:
    from masklet.phrases import Phrase


@dataclass(frozen=True)
class RepairWords:
    """Ends of sentences, in a host's own words.

    Attributes:
        host: The program's name.
        find_pictures: How pictures are found that are no longer where they were.
        go_online: How other machines may be reached, or done without.
        token_file: Where the server's token is chosen.
        helper_python: Where the helper's Python is chosen.
        server: Where server, token and certificate are chosen.
    """

    host: str
    find_pictures: Phrase
    go_online: Phrase
    token_file: Phrase
    helper_python: Phrase
    server: Phrase


IN_ANY_HOST = RepairWords(
    host=phrase("This program"),
    find_pictures=phrase("bring them back, or choose the clip again"),
    go_online=phrase("allow it, or leave the server's address empty to work on this machine"),
    token_file=phrase("its file is chosen in masklet's settings"),
    helper_python=phrase("it is chosen in masklet's settings"),
    server=phrase("server, token file and certificate are in masklet's settings"),
)
"""True wherever masklet runs."""
