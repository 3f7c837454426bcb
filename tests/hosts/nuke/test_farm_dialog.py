"""The button that submits a shot to the farm, and what is told when its results have come."""

from __future__ import annotations

from pathlib import Path

from fakes.nuke import FakeNuke
from fakes.nuke.nodes import FakeNode
from masklet.farm.job import read_document, read_job
from masklet.farm.places import JobPlaces
from masklet.farm.results import ShotResult, keep_result
from masklet_nuke import node_knobs, prompting
from masklet_nuke.plate_document import document_file
from masklet_nuke.runtime import Runtime
from nuke_scripts import run


def test_a_shot_is_submitted_with_what_was_chosen_and_its_results_are_told_when_the_script_opens(
    nuke: FakeNuke, loop: Runtime, node: FakeNode
) -> None:
    prompting.add_click(loop, node, 20.0, 18.0, positive=True)
    run(nuke, loop)
    nuke.panel_answers.append({"Shapes": True, "Comment": "for tuesday", "Uncertain": True})

    nuke.press(node, "masklet_submit_to_farm")
    run(nuke, loop)

    assert nuke.panels[-1].title == "Submit to the Farm"
    bundle = Path(nuke.panels[-1].values["Job Folder"])
    job = read_job(bundle)
    assert (job.request.comment, job.request.accepted) == ("for tuesday", ("reviewed",))
    assert job.request.extras.tools == ("nuke",)
    assert read_document(bundle, job.shots[0]).document.prompts
    assert str(node[node_knobs.NOTICE].value()).startswith(f"The job is {bundle}")

    result = ShotResult(job.shots[0].name, "k", False, "hero flickers on 1003")
    keep_result(JobPlaces(bundle / "out"), result)
    for told in ("The farm's check did not pass: hero flickers on 1003", ""):
        loop.tell(node, None)
        loop.openings.opened()
        run(nuke, loop)
        assert node[node_knobs.NOTICE].value() == told
    assert document_file(nuke, node).is_file()


def test_cancel_submits_nothing(nuke: FakeNuke, loop: Runtime, node: FakeNode) -> None:
    prompting.add_click(loop, node, 20.0, 18.0, positive=True)
    run(nuke, loop)

    nuke.press(node, "masklet_submit_to_farm")
    run(nuke, loop)

    assert not (document_file(nuke, node).parent / "farm").exists()
