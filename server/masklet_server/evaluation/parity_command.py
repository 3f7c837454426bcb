"""``masklet-server check-parity``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_commands(app: typer.Typer) -> None:
    """Add ``check-parity`` to the server's command line."""
    app.command("check-parity")(check_parity)


def check_parity(
    folder: Annotated[Path, typer.Argument(help="Folder of golden files NAME.seedS.sizeN.npz.")],
) -> None:
    """Compare this network and engine with stored outputs of the official code, for synthetic weights.

    The weights are drawn from a seed, the same for both: no trained weights are involved.
    """
    from rich.console import Console
    from rich.table import Table

    from masklet_server.evaluation.parity import TOLERANCE, compare, find_goldens

    console = Console()
    off = 0
    for golden in find_goldens(folder):
        table = Table("case", "quantity", "arrays", "worst error", title=golden.path.name)
        for deviation in compare(golden):
            off += not deviation.is_within
            style = None if deviation.is_within else "bold red"
            cells = (deviation.case, deviation.quantity, str(deviation.arrays), f"{deviation.worst:.1e}")
            table.add_row(*cells, style=style)
        console.print(table)
    if off:
        console.print(f"{off} quantities differ by more than {TOLERANCE:g} from the official code.")
        raise typer.Exit(1)
    console.print(f"With synthetic weights everything agrees with the official code within {TOLERANCE:g}.")
