from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fakes import annotated_sets as sets
from fakes.tracking import TINY
from masklet.errors import BadInputError, WeightsError
from masklet_server.evaluation.command import add_commands
from masklet_server.model.checkpoint import save_network
from masklet_server.model.network import build_network


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_network(build_network(TINY), path, licence="none")
    return path


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    add_commands(app)
    app.command("nothing")(lambda: None)
    return app


@pytest.mark.parametrize("protocol", ["mask", "box", "3clicks", "offline", "online", "image"])
def test_any_weights_of_the_family_are_measured(
    app: typer.Typer, weights: Path, tmp_path: Path, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data, report, sheet = sets.write_plain(tmp_path / "set"), tmp_path / "r.json", tmp_path / "sheet.png"
    arguments = ["evaluate", "--data", data, "--protocol", protocol, "--weights", weights, "--limit", 4]

    result = CliRunner().invoke(
        app, [str(word) for word in (*arguments, "--json", report, "--sheet", sheet, "--device", "cpu")]
    )

    assert result.exit_code == 0, result.output
    content = json.loads(report.read_text())
    assert content["protocol"] == protocol
    assert content["weights"] == "tiny.safetensors"
    assert content["weights_sha256"] == hashlib.sha256(Path(weights).read_bytes()).hexdigest()
    assert content["sequences"]
    assert {"date", "masklet", "torch"} <= content.keys()
    assert 0 <= content["overall"]["j_and_f"] <= 100
    assert sheet.stat().st_size > 1000
    assert "overall" in result.output
    if protocol == "image":
        assert set(content["overall"]["iou_after_clicks"]) == {"1", "3", "5"}
    else:
        assert set(content["baselines"]) == {"copy", "flow"}
        assert "flow" in result.output


def test_pictures_stand_beside_what_tracking_comes_to(
    app: typer.Typer, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data, report = sets.write_plain(tmp_path / "set"), tmp_path / "r.json"
    same = ["evaluate", "--data", data, "--weights", weights, "--limit", 3, "--device", "cpu"]
    runner = CliRunner()
    first = runner.invoke(app, [str(word) for word in (*same, "--protocol", "3clicks", "--json", report)])
    assert first.exit_code == 0, first.output
    words = [str(word) for word in (*same, "--protocol", "image", "--beside", report)]

    result = runner.invoke(app, words)

    assert result.exit_code == 0, result.output
    assert "IoU, 3 clicks" in result.output
    assert "J&F, 3clicks" in result.output
    (tmp_path / "none.json").write_text("{}")
    wrong = runner.invoke(app, [*words[:-1], str(tmp_path / "none.json")])
    assert isinstance(wrong.exception, BadInputError)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (["--protocol", "wish"], BadInputError, "no protocol wish"),
        (["--weights", "unheard_of"], WeightsError, "no weights called unheard_of"),
        (["--side", "100"], BadInputError, "multiple of 32"),
        (["--profile", "lazy"], BadInputError, "no profile lazy"),
        (["--refined", "--protocol", "image"], BadInputError, "no place with images"),
        (["--limit", "1"], BadInputError, "leaves nothing to judge"),
    ],
)
def test_a_wrong_argument_is_told_in_words(
    app: typer.Typer, weights: Path, tmp_path: Path, arguments: list[str], error: type[Exception], words: str
) -> None:
    data = sets.write_plain(tmp_path / "set")
    line = ["evaluate", "--data", str(data), "--weights", str(weights), "--device", "cpu", *arguments]

    result = CliRunner().invoke(app, line)

    assert isinstance(result.exception, error)
    assert words in str(result.exception)


def test_refined_edges_are_told_beside_the_figures(app: typer.Typer, weights: Path, tmp_path: Path) -> None:
    data, report = sets.write_plain(tmp_path / "set"), tmp_path / "r.json"
    arguments = ["evaluate", "--data", data, "--weights", weights, "--json", report, "--refined"]

    result = CliRunner().invoke(
        app, [str(word) for word in (*arguments, "--no-baselines", "--device", "cpu", "--limit", 4)]
    )

    assert result.exit_code == 0, result.output
    assert "mattes with refined edges" in " ".join(result.output.split())
    assert "mattes with refined edges" in json.loads(report.read_text())["convention"]


def test_hard_clips_are_measured_for_every_policy_beside_the_baselines(
    app: typer.Typer, weights: Path, tmp_path: Path
) -> None:
    report, sheet = tmp_path / "hard.json", tmp_path / "hard.png"
    asked = (
        "--hard --clips 1 --weaknesses look-alike,long --limit 24 --policies editor,reference --device cpu"
    )

    result = CliRunner().invoke(
        app,
        ["evaluate", *asked.split(), "--weights", str(weights), "--json", str(report), "--sheet", str(sheet)],
    )

    assert result.exit_code == 0, result.output
    content = json.loads(report.read_text())
    assert list(content["weaknesses"]) == ["look-alike", "long", "all together"]
    everybody = ["editor", "reference", "copy", "flow", "truth"]
    assert list(content["weaknesses"]["look-alike"]) == everybody
    for name in everybody[:-1]:
        figures = content["weaknesses"]["all together"][name]
        assert figures["clips"] == 2
        assert figures["frames"] == 59 + 23
        assert 0 <= figures["j_and_f"] <= 100
    assert content["weaknesses"]["look-alike"]["truth"]["j_and_f"] is None
    assert len(content["mean_j_of_each_hundred_frames"]["editor"]) == 1
    assert sheet.stat().st_size > 1000
    assert "Milliseconds a frame" in result.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--hard --weaknesses rain", "there is no weakness rain: it is one of occlusion"),
        ("--hard --policies luck", "there is no policy luck"),
        ("", "name a folder with --data, or give --hard"),
    ],
)
def test_what_cannot_be_measured_is_told_in_words(
    app: typer.Typer, weights: Path, words: str, sentence: str
) -> None:
    result = CliRunner().invoke(app, ["evaluate", *words.split(), "--weights", str(weights)])

    assert isinstance(result.exception, BadInputError)
    assert sentence in str(result.exception)
