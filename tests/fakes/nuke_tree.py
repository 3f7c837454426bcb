"""Words and braces of Nuke's scripts, as nested lists. Runs in the Pythons of Nuke."""

from __future__ import annotations

import re
from typing import Union

Tree = Union[str, "list[Tree]"]


def read_knobs(text: str) -> list[tuple[str, Tree]]:
    """Names of knobs, and what is said of each."""
    words = read_words(text)
    assert len(words) % 2 == 0, "each knob has one value"
    return [(str(name), value) for name, value in zip(words[::2], words[1::2])]


def read_tree(text: str) -> Tree:
    """One value: a word, or what stands in braces."""
    words = read_words(text)
    return words[0] if len(words) == 1 else words


def read_words(text: str) -> list[Tree]:
    stack: list[list[Tree]] = [[]]
    for token in re.findall(r'"(?:\\.|[^"\\])*"|[{}]|[^\s{}]+', text):
        if token == "{":
            stack.append([])
        elif token == "}":
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(_unquoted(token) if token.startswith('"') else token)
    assert len(stack) == 1, "braces do not match"
    return stack[0]


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], token[1:-1])
