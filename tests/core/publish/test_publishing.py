"""From a folder to a version: whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.published_shot import make_shot
from masklet.errors import BadInputError, MaskletError, OutputError
from masklet.prompts import read_shot
from masklet.prompts_digest import prompts_sha256
from masklet.publish.collected import collect
from masklet.publish.integrating import Published, TemplateIntegrator
from masklet.publish.manifest import SCHEMA, manifest_from_json, manifest_to_json, read_manifest
from masklet.publish.publishing import NotReadyError, publish
from masklet.publish.shot_record import read_record


def test_a_version_holds_everything_and_its_manifest_tells_it(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)

    published, told = publish(collect(shot.mattes), TemplateIntegrator(), comment="hair")

    folder = tmp_path / "published/shot/v001"
    assert published.folder == folder
    assert str(folder) in told
    manifest = read_manifest(folder)
    assert (manifest.version, manifest.comment) == (1, "hair")
    files = {name for part in manifest.parts for name in part.sha256}
    assert files == {path.name for path in folder.iterdir()} - {"shot.version.json"}
    for part in manifest.parts:
        for name, digest in part.sha256.items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert manifest.record == read_record(shot.mattes / "shot.shot.json")
    document = read_shot(folder / "shot.prompts.json").document
    assert prompts_sha256(document) == manifest.record.run.prompts_sha256
    assert manifest_from_json(json.loads(json.dumps(manifest_to_json(manifest)))) == manifest


def test_a_manifest_keeps_to_its_schema_and_a_damaged_one_does_not(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    published, _ = publish(collect(make_shot(tmp_path).mattes), TemplateIntegrator())
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    content = json.loads((published.folder / "shot.version.json").read_text())

    assert list(validator.iter_errors(content)) == []
    for key in schema["required"]:
        assert not validator.is_valid({name: value for name, value in content.items() if name != key})
    assert not validator.is_valid({**content, "version": 0})


def test_text_for_other_tools_reads_the_versions_own_mattes(tmp_path: Path) -> None:
    shot = make_shot(tmp_path / 'a "b" [c]')
    # As the writer for Nuke spells such a folder.
    from masklet.exchange.nuke import quoted

    text = f"Read {{\n file {quoted(shot.mattes.as_posix() + '/shot_mattes.%04d.exr')}\n}}\n"
    _put(shot.mattes, "shot.nk", text)

    published, _ = publish(collect(shot.mattes), TemplateIntegrator("{folder}/v{version:03d}"))

    written = (published.folder / "shot.nk").read_text()
    assert quoted(f"{published.folder.as_posix()}/shot_mattes.%04d.exr") in written
    assert shot.script.read_text() == text


def test_versions_count_on_and_nothing_is_written_into_one_that_is_there(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    (tmp_path / "published/shot/v007").mkdir(parents=True)

    first, _ = publish(collect(shot.mattes), TemplateIntegrator())
    second, _ = publish(collect(shot.mattes), TemplateIntegrator())

    assert [first.manifest.version, second.manifest.version] == [8, 9]
    assert list((tmp_path / "published/shot/v007").iterdir()) == []


def test_two_that_publish_at_once_get_a_version_each(tmp_path: Path) -> None:
    collected = collect(make_shot(tmp_path).mattes)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: publish(collected, TemplateIntegrator())[0], range(6)))

    assert sorted(one.manifest.version for one in done) == [1, 2, 3, 4, 5, 6]
    for one in done:
        assert read_manifest(one.folder).version == one.manifest.version
    assert sorted(path.name for path in (tmp_path / "published/shot").iterdir()) == [
        f"v{number:03d}" for number in range(1, 7)
    ]


def test_what_is_not_ready_is_not_published(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    shot.matte(1002).unlink()

    with pytest.raises(NotReadyError, match="1002"):
        publish(collect(shot.mattes), TemplateIntegrator())
    assert not (tmp_path / "published").exists()


def test_a_file_that_goes_while_it_is_copied_leaves_no_version(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)
    collected = collect(shot.mattes)
    last = shot.matte(1005)

    def lose(done: int, total: int) -> None:
        last.unlink(missing_ok=True)

    with pytest.raises(OutputError, match="nothing was published"):
        publish(collected, TemplateIntegrator(), on_progress=lose)
    assert list((tmp_path / "published/shot").iterdir()) == []


class Refusing(TemplateIntegrator):
    """An asset system that is away."""

    def register(self, published: Published) -> str:
        assert (published.folder / "shot.version.json").is_file()
        raise ConnectionError("the site does not answer")


def test_a_version_that_is_not_registered_is_taken_away_again(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)

    with pytest.raises(MaskletError, match="the site does not answer"):
        publish(collect(shot.mattes), Refusing())
    assert list((tmp_path / "published/shot").iterdir()) == []


def test_links_share_the_mattes_and_text_is_the_versions_own(tmp_path: Path) -> None:
    shot = make_shot(tmp_path)

    published, _ = publish(collect(shot.mattes), TemplateIntegrator(), link=True)

    assert os.path.samefile(published.folder / shot.matte(1001).name, shot.matte(1001))
    assert not os.path.samefile(published.folder / "shot.nk", shot.script)


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{show}/v{version:03d}", "--set show="),
        ("{folder.__class__}/v{version}", "plain field"),
        ("{name:>999999999}/v{version}", "plain field"),
        ("{parent}/{name}", "has to hold the version"),
        ("{parent}/v{version}/{name}", "has to hold the version"),
        ("{parent/v{version}", "cannot be read"),
    ],
)
def test_a_template_that_cannot_be_used_says_why(tmp_path: Path, template: str, sentence: str) -> None:
    collected = collect(make_shot(tmp_path).mattes)

    with pytest.raises(BadInputError, match=sentence):
        TemplateIntegrator(template).next_place(collected)


def test_a_templates_values_name_folders_and_no_ways_out(tmp_path: Path) -> None:
    collected = collect(make_shot(tmp_path).mattes)
    template = f"{tmp_path.as_posix()}/{{show}}/v{{version:03d}}"

    assert TemplateIntegrator(template, {"show": "abc"}).next_place(collected).folder == tmp_path / "abc/v001"
    with pytest.raises(BadInputError, match="no name of a folder"):
        TemplateIntegrator(template, {"show": "../abc"}).next_place(collected)


@pytest.mark.parametrize("text", ["[]", '{"masklet_version": 2}', '{"masklet_version": 1}', "no"])
def test_a_damaged_manifest_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "shot.version.json").write_text(text)

    with pytest.raises(BadInputError, match="manifest"):
        read_manifest(tmp_path)


def _put(folder: Path, name: str, text: str) -> None:
    """Write a file as the run did, so that its digest is the note's."""
    from masklet.delivery_note import note_path, read_note, write_note

    (folder / name).write_text(text)
    path = note_path(folder, "shot")
    note = read_note(path)
    digest = hashlib.sha256(text.encode()).hexdigest()
    write_note(path, {**note, name: replace(note[name], sha256=digest)}, {})
