"""``masklet publish``: a folder of mattes becomes a version."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from masklet.commands.exits import ExitCode
from masklet.commands.options import JsonOption
from masklet.commands.progress import Progress
from masklet.commands.summary import print_json
from masklet.errors import BadInputError
from masklet.publish.checks import CHECKS, check_named
from masklet.publish.collected import collect
from masklet.publish.for_pyblish import TEMPLATE_VARIABLE
from masklet.publish.integrating import DEFAULT_TEMPLATE, TemplateIntegrator
from masklet.publish.problems import Repair, accept
from masklet.publish.publishing import publish as publish_version

if TYPE_CHECKING:
    from masklet.publish.collected import Collected
    from masklet.publish.integrating import Published
    from masklet.publish.problems import Problem


def add_commands(app: typer.Typer) -> None:
    """Register ``publish``."""
    app.command()(publish)


def publish(
    folder: Annotated[Path, typer.Argument(help="That masklet roto wrote its mattes into.")],
    name: Annotated[
        Optional[str], typer.Option("--name", help="First part of file names, where several shots lie there.")
    ] = None,
    prompts: Annotated[
        Optional[Path],
        typer.Option("--prompts", metavar="FILE.json", help="See that this document has not changed since."),
    ] = None,
    template: Annotated[
        Optional[str],
        typer.Option(
            "--template",
            metavar="PATH",
            envvar=TEMPLATE_VARIABLE,
            help=f"Where versions go; else {DEFAULT_TEMPLATE}.",
        ),
    ] = None,
    values: Annotated[
        Optional[list[str]],
        typer.Option("--set", metavar="NAME=VALUE", help="What the template asks for: --set show=abc."),
    ] = None,
    comment: Annotated[str, typer.Option("--comment", help="For the manifest.")] = "",
    accepting: Annotated[
        Optional[list[str]],
        typer.Option("--accept", metavar="CHECK", help="You have looked and it is right: such as reviewed."),
    ] = None,
    check_only: Annotated[bool, typer.Option("--check", help="Check, and publish nothing.")] = False,
    link: Annotated[
        bool, typer.Option("--link", help="Hard links in place of copies, where possible.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check a folder of mattes and publish it as the next version.

    masklet publish mattes --comment "hair fixed"

    What is wrong is said with what helps. --accept says that you have looked at what a check found.
    """
    progress = Progress()
    collected = collect(folder, name, prompts)
    integrator = TemplateIntegrator(template or DEFAULT_TEMPLATE, _values(values or ()))
    for word in accepting or ():
        collected = _accepted(collected, word, progress)
    found = [(check, check.problems(collected)) for check in CHECKS]
    problems = [problem for _, own in found for problem in own]
    for check, own in found:
        progress.say(f"{'no ' if own else 'ok '} {check.label}")
        for problem in own:
            progress.say(f"    {problem.words}{_way_out(problem, collected)}")
    published: Published | None = None
    told = ""
    if problems:
        progress.say("nothing was published")
    elif not check_only:
        with progress.bar("publishing") as bar:
            published, told = publish_version(
                collected,
                integrator,
                comment=comment,
                link=link,
                on_progress=lambda _, total: _step(bar, total),
            )
        progress.say(told)
    if as_json:
        print_json(_as_json(collected, problems, published))
    if problems:
        raise typer.Exit(int(ExitCode.FAILED))


def _step(bar: Any, total: int) -> None:
    bar.total(total)
    bar.step()


def _values(words: list[str] | tuple[str, ...]) -> dict[str, str]:
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise BadInputError(f"--set {word!r} is not understood: write NAME=VALUE, such as show=abc")
        found[key] = value
    return found


def _accepted(collected: Collected, word: str, progress: Progress) -> Collected:
    if word not in [check.name for check in CHECKS]:
        raise BadInputError(
            f"there is no check {word!r}: accept one of {', '.join(check.name for check in CHECKS)}"
        )
    problems = [one for one in check_named(word).problems(collected) if one.repair is Repair.ACCEPT]
    for problem in problems:
        progress.say(f"accepted: {problem.words}")
    return accept(collected, problems) if problems else collected


def _way_out(problem: Problem, collected: Collected) -> str:
    if problem.repair is Repair.ACCEPT:
        return f" [--accept {problem.check}]"
    if problem.repair is Repair.REBUILD:
        folder = os.path.relpath(collected.folder)
        return f" [masklet rebuild {folder} --out {folder} --replace]"
    return ""


def _as_json(collected: Collected, problems: list[Problem], published: Published | None) -> dict[str, Any]:
    return {
        "masklet_publish": 1,
        "ok": not problems,
        "exit_code": int(ExitCode.FAILED if problems else ExitCode.DONE),
        "name": collected.name,
        "problems": [
            {
                "check": one.check,
                "words": one.words,
                "object": one.object_name,
                "frames": [[span.first, span.last] for span in one.frames],
                "repair": None if one.repair is None else one.repair.value,
            }
            for one in problems
        ],
        "version": None if published is None else published.manifest.version,
        "folder": None if published is None else str(published.folder),
    }
