"""Settings come from the environment, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from masklet.errors import BadInputError
from masklet.settings import ClientSettings, read_settings


def test_an_empty_environment_means_a_server_of_ones_own() -> None:
    assert read_settings({}) == ClientSettings()
    assert read_settings({"MASKLET_SERVER": "", "MASKLET_TOKEN": ""}) == ClientSettings()


def test_everything_can_be_said_in_the_environment(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("  s3cret\n")

    settings = read_settings(
        {
            "MASKLET_SERVER": "gpu1:7500",
            "MASKLET_TOKEN_FILE": str(token_file),
            "MASKLET_TLS_CA": "/studio/ca.pem",
            "MASKLET_TLS_CERT": "/studio/ann.pem",
            "MASKLET_TLS_KEY": "/studio/ann.key",
            "MASKLET_MODEL": "sam2.1_hiera_tiny",
        }
    )

    assert settings == ClientSettings(
        "gpu1:7500",
        "s3cret",
        Path("/studio/ca.pem"),
        "sam2.1_hiera_tiny",
        token_file,
        Path("/studio/ann.pem"),
        Path("/studio/ann.key"),
    )


@pytest.mark.parametrize("content", [None, " \n"])
def test_a_token_file_without_a_token_is_refused(tmp_path: Path, content: str | None) -> None:
    token_file = tmp_path / "token"
    if content is not None:
        token_file.write_text(content)

    with pytest.raises(BadInputError, match=r"token file .* (cannot be read|is empty)"):
        read_settings({"MASKLET_TOKEN_FILE": str(token_file)})


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_token_file_in_another_encoding_is_named_with_its_repair(tmp_path: Path, encoding: str) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("s3cret-für-alle", encoding=encoding)

    with pytest.raises(BadInputError, match="not UTF-8 text: save it as UTF-8"):
        read_settings({"MASKLET_TOKEN_FILE": str(token_file)})


def test_a_token_file_that_notepad_saved_is_read(tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("s3cret\r\n", encoding="utf-8-sig")

    assert read_settings({"MASKLET_TOKEN_FILE": str(token_file)}).token == "s3cret"
