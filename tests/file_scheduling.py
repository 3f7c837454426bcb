"""Whole files of tests to each worker; a worker that dies costs the one test that it ran."""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController


class FileScheduling(LoadFileScheduling):
    """`--dist loadfile` that ends after a crash.

    pytest-xdist 3.8 hands out a dead worker's finished files again, as work without a test, and waits for
    their end for ever (its issues 1323, 1327 and 1378); and it runs the test that crashed once more, until no
    worker may be replaced.
    """

    def remove_node(self, node: WorkerController) -> str | None:
        """Take a worker off; return the test in which it died, or None where it had nothing left to run."""
        unfinished = {
            file: {test: False for test, finished in tests.items() if not finished}
            for file, tests in self.assigned_work.pop(node).items()
        }
        unfinished = {file: tests for file, tests in unfinished.items() if tests}
        if not unfinished:
            return None
        file = next(iter(unfinished))
        crashed = next(iter(unfinished[file]))
        del unfinished[file][crashed]
        self.workqueue.update({file: tests for file, tests in unfinished.items() if tests})
        for other in self.assigned_work:
            if other in self.registered_collections:
                self._reschedule(other)
        return crashed

    def schedule(self) -> None:
        """Hand out files: two to a worker that came later; it begins none before it knows what follows."""
        later = self.collection is not None
        super().schedule()
        if later:
            super().schedule()
