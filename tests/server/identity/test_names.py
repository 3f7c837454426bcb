"""Names of users and tenants: one that looks like another is the same one, or is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from masklet.errors import BadInputError
from masklet_server import cli
from masklet_server.identity.caller import Identity, as_typed, check_unmistakable, named, named_by_others
from masklet_server.identity.plain_tokens import TokenTable
from masklet_server.identity.register import Register

TOGETHER, APART = "andr\u00e9", "andre\u0301"


@pytest.mark.parametrize(
    "name",
    [
        APART,
        "ann\ufe0f",  # a sign that shows nothing
        "a\u034fnn",
        "ann\u3164",
        "\u0430nn",  # a Cyrillic a among Latin letters
        "\u03bfscar",  # a Greek o
        "\uff41nn",  # a wide a
        "o\ufb03ce",  # letters in one piece
    ],
)
def test_a_name_with_another_spelling_is_refused_for_who_is_new(name: str) -> None:
    for identity in (Identity(name), Identity("ann", tenant=name)):
        with pytest.raises(BadInputError, match="could be taken for another one"):
            check_unmistakable(identity)
        with pytest.raises(BadInputError, match="could be taken for another one"):
            named_by_others(identity)


@pytest.mark.parametrize(
    "name",
    [
        "ann",
        TOGETHER,
        "анна",
        "Άννα",
        "安娜",
        "アン太郎",
        "한나",
        "ann 2",
        "ann@studio.example",
        "auth0|5f7c",
    ],
)
def test_names_of_all_the_world_are_names(name: str) -> None:
    check_unmistakable(named(as_typed(name)))


@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200d", "\u00a0", "\n", "\0"])
def test_signs_that_turn_text_round_or_break_lines_are_in_no_name(sign: str) -> None:
    with pytest.raises(BadInputError, match="no name of a user"):
        named(f"an{sign}n")


def test_accents_may_be_typed_in_either_way(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"{APART}:a-token-of-sixteen\n", encoding="utf-8")
    file.chmod(0o600)

    assert TokenTable.read(file).identity_of("a-token-of-sixteen") == Identity(TOGETHER)


def test_a_new_token_is_for_a_name_that_can_be_told_from_others(tmp_path: Path) -> None:
    register = tmp_path / "tokens.json"

    def make(user: str) -> Result:
        return CliRunner().invoke(cli.app, ["token", "make", user, "--signed-tokens", str(register)])

    assert make(APART).exit_code == 0
    assert [each.user for each in Register.read(register).tokens] == [TOGETHER]
    assert "could be taken for another one" in str(make("\u0430nn").exception)
