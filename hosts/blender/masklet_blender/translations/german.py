"""masklet's words in German: what stands in the add-on, and what is shown for it.

A test holds this against every label, tooltip and sentence of the add-on. Sentences of the server and of
masklet's core come in English.
"""

from __future__ import annotations

from .german_places import PLACES
from .german_pointing import POINTING
from .german_results import RESULTS
from .german_work import WORK

GERMAN: dict[str, str] = {**WORK, **POINTING, **RESULTS, **PLACES}
