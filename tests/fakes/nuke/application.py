"""The module ``nuke`` as an object: a script, a main thread, an undo stack, callbacks."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes.nuke import knobs
from fakes.nuke.classes import CLASSES
from fakes.nuke.nodes import FakeNode


class FakeUndo:
    """``nuke.Undo``. DOC: groups nest into one step; what is done while it is disabled is no step."""

    def __init__(self, application: FakeNuke) -> None:
        self._application = application
        self._off = 0
        self._open: list[tuple[str, list[Callable[[], object]]]] = []
        self.steps: list[tuple[str, list[Callable[[], object]]]] = []

    def begin(self, name: str) -> None:
        self._application.check_thread()
        self._open.append((name, []))

    def end(self) -> None:
        name, done = self._open.pop()
        if self._open:
            self._open[-1][1].extend(done)
        elif done:
            self.steps.append((name, done))

    def disable(self) -> None:
        self._application.check_thread()
        self._off += 1

    def enable(self) -> None:
        self._off -= 1

    def disabled(self) -> bool:
        return self._off > 0

    def note(self, back: Callable[[], object], name: str) -> None:
        if self._off:
            return
        if self._open:
            self._open[-1][1].append(back)
        else:
            self.steps.append((name, [back]))

    def take_back(self) -> str:
        """What Ctrl-Z does; the step's name."""
        name, done = self.steps.pop()
        self._off += 1
        for back in reversed(done):
            back()
        self._off -= 1
        return name


@dataclass
class FakeTask:
    """``nuke.ProgressTask``. DOC: its methods may be called from any thread."""

    name: str
    percents: list[int] = field(default_factory=list)
    cancelled: bool = False

    def setProgress(self, percent: int) -> None:
        if not isinstance(percent, int) or not 0 <= percent <= 100:
            raise TypeError("progress is a whole number from 0 to 100")
        self.percents.append(percent)

    def setMessage(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError("a message is a text")

    def isCancelled(self) -> bool:
        return self.cancelled


class FakeViewer:
    def __init__(self, node: FakeNode) -> None:
        self._node = node

    def node(self) -> FakeNode:
        return self._node

    def activeInput(self) -> int | None:
        return 0


class _Maker:
    def __init__(self, application: FakeNuke) -> None:
        self._application = application

    def __getattr__(self, kind: str) -> Callable[..., FakeNode]:
        return lambda **values: self._application.make(kind, values)


class FakePanel:
    """``nuke.Panel``. DOC: a dialog of named lines; ``show`` waits for the artist, and is 0 for Cancel."""

    def __init__(self, application: FakeNuke, title: str) -> None:
        self._application = application
        self.title = title
        self.values: dict[str, Any] = {}

    def addNotepad(self, name: str, value: str) -> bool:
        return self._add(name, value, str)

    def addBooleanCheckBox(self, name: str, value: bool) -> bool:
        return self._add(name, value, bool)

    def addSingleLineInput(self, name: str, value: str) -> bool:
        return self._add(name, value, str)

    def show(self) -> int:
        self._application.check_thread()
        if not self._application.GUI:
            raise RuntimeError("there is nobody to ask")
        self._application.panels.append(self)
        if not self._application.panel_answers:
            return 0
        chosen = self._application.panel_answers.pop(0)
        for word, value in chosen.items():
            (name,) = [each for each in self.values if word in each]
            self.values[name] = value
        return 1

    def value(self, name: str) -> Any:
        # KNOWN: None for a name that no line has.
        return self.values.get(name)

    def _add(self, name: str, value: Any, kind: type) -> bool:
        self._application.check_thread()
        if not isinstance(value, kind):
            raise TypeError(f"{name} takes a {kind.__name__}")
        if name in self.values:
            raise ValueError(f"two lines called {name}")
        self.values[name] = value
        return True


@dataclass
class FakeMenu:
    commands: dict[str, str] = field(default_factory=dict)

    def addCommand(self, name: str, command: str, shortcut: str = "", icon: str = "") -> object:
        self.commands[name] = command
        return object()


class FakeNuke:
    """See :mod:`fakes.nuke`.

    Args:
        gui: False for ``nuke -t`` and ``nuke -x``.
        major: Of the version.

    Attributes:
        messages: Shown in windows.
        printed: In the terminal.
        tasks: Progress bars, oldest first.
        renders: Calls of :meth:`execute`: node, first and last frame.
        on_render: Writes what a Write would; tests set it.
        answers: What the artist types into the next questions.
        panels: Dialogs that were shown.
        panel_answers: What the artist does in the next ones: values by a word of a line's name; none is
            Cancel.
    """

    INVISIBLE = 0x400
    NO_ANIMATION = 0x100
    STARTLINE = 0x1000

    def __init__(self, *, gui: bool = True, major: int = 16) -> None:
        self.GUI = gui
        self.NUKE_VERSION_MAJOR = major
        self.NUKE_VERSION_STRING = f"{major}.0v1"
        self._thread = threading.get_ident()
        self._queue: queue.Queue[tuple[Callable[..., object], Any, threading.Event | None, list[Any]]]
        self._queue = queue.Queue()
        self._is_drawing = False
        self._is_in_callback = False
        self._this: tuple[FakeNode | None, Any] = (None, None)
        self.Undo = FakeUndo(self)
        self.nodes = _Maker(self)
        self.current_frame = 1
        self.scale = 1.0
        self.messages: list[str] = []
        self.printed: list[str] = []
        self.tasks: list[FakeTask] = []
        self.renders: list[tuple[FakeNode, int, int]] = []
        self.on_render: Callable[[FakeNode, int], None] = lambda node, frame: None
        self.answers: list[str] = []
        self.panels: list[FakePanel] = []
        self.panel_answers: list[dict[str, Any]] = []
        self.layers = {"rgba", "rgb", "alpha", "depth", "none"}
        self.callbacks: dict[str, list[tuple[Callable[..., object], str]]] = {}
        self.menus: dict[str, FakeMenu] = {}
        self._copied: dict[str, list[dict[str, Any]]] = {}
        self.viewer: FakeViewer | None = None
        self.String_Knob = knobs.FakeKnob
        self.Boolean_Knob = knobs.FakeBoolean
        self.Enumeration_Knob = knobs.FakeEnumeration
        self.XY_Knob = knobs.FakeXY
        self.Double_Knob = knobs.FakeArray
        self.File_Knob = knobs.FakeFile
        self.PyScript_Knob = knobs.FakeButton
        self.Tab_Knob = knobs.FakeTab
        self.Text_Knob = knobs.FakeText
        self._root = FakeNode(self, "Root", None)
        self.context = [self._root]

    # -- what the stand-in keeps ------------------------------------------------------------------------

    def check_thread(self) -> None:
        """DOC (threading): everything belongs to the main thread."""
        if threading.get_ident() != self._thread:
            raise RuntimeError("Nuke's nodes and knobs may be touched in its main thread only")

    def note(self, back: Callable[[], object], name: str) -> None:
        self.Undo.note(back, name)

    def siblings(self, node: FakeNode) -> list[FakeNode]:
        parent = node.parent or self._root
        return [child for child in parent.children if child.is_there and child is not node]

    def make(self, kind: str, values: dict[str, Any]) -> FakeNode:
        """Make a node in the group that was begun last."""
        self.check_thread()
        if kind not in CLASSES or kind == "Root":
            # KNOWN: "RuntimeError: Bogus: Unknown command".
            raise RuntimeError(f"{kind}: Unknown command")
        parent = self.context[-1]
        node = FakeNode(self, kind, parent)
        parent.children.append(node)
        self.note(lambda: setattr(node, "is_there", False), f"create {kind}")
        inputs = values.pop("inputs", [])
        node.setName(values.pop("name", f"{kind}1"))
        for index, above in enumerate(inputs):
            node.setInput(index, above)
        for name, value in values.items():
            node[name].setValue(value)
        return node

    def pump(self) -> None:
        """What the event loop does: run what other threads have asked for."""
        self.check_thread()
        while True:
            try:
                call, args, done, result = self._queue.get_nowait()
            except queue.Empty:
                return
            result.append(call(*args))
            if done is not None:
                done.set()

    def artist_sets(self, node: FakeNode, name: str, value: Any, *where: int) -> None:
        """The artist changes a knob: a step of undo, and a callback. FIELD: only while the panel is open."""
        node[name].setValue(value, *where)
        if node.is_open:
            self.call_back("knobChanged", node, node[name])

    def call_back(self, event: str, node: FakeNode, knob: Any = None) -> None:
        """Run what was registered for an event, as Nuke does with exceptions: they reach the caller."""
        before, self._this = self._this, (node, knob)
        was_in, self._is_in_callback = self._is_in_callback, event == "knobChanged"
        self.context.append(self._begun_in(node))
        try:
            for call, kind in self.callbacks.get(event, []):
                if kind in ("*", node.kind):
                    call()
        finally:
            self.context.pop()
            self._this, self._is_in_callback = before, was_in

    def press(self, node: FakeNode, name: str) -> None:
        """Press a button: its script runs with this node."""
        before, self._this = self._this, (node, node[name])
        self.context.append(self._begun_in(node))
        try:
            exec(node[name].raw, {})
        finally:
            self.context.pop()
            self._this = before

    def _begun_in(self, node: FakeNode) -> FakeNode:
        """KNOWN: scripts of a Group's own knobs have to leave the Group before they make nodes beside it."""
        return node if node.kind == "Group" else self.context[-1]

    def copied(self, node: FakeNode) -> dict[str, Any]:
        """What Ctrl-C takes, and what a script keeps: class, name, knobs, and a group's inside."""
        return {
            "kind": node.kind,
            "name": node._name,
            "user": list(node.user_knobs),
            "knobs": {name: knob.copied() for name, knob in node._knobs.items() if name != "name"},
            "picture": node.picture,
            "inside": [self.copied(child) for child in node.nodes()],
        }

    def pasted(self, kept: dict[str, Any]) -> FakeNode:
        """What Ctrl-V makes of it, or opening a script."""
        self.Undo.begin("paste")
        node = self.make(kept["kind"], {"name": kept["name"]})
        node.picture = kept["picture"]
        for name, knob in kept["knobs"].items():
            if name in node._knobs:
                node._put(knob.copied())
            else:
                node.addKnob(knob.copied())
        self.context.append(node)
        for inside in kept["inside"]:
            self.pasted(inside)
        self.context.pop()
        self.Undo.end()
        return node

    # -- the module ------------------------------------------------------------------------------------

    def Layer(self, name: str, channels: Sequence[str]) -> object:
        self.check_thread()
        self.layers.add(name)
        return object()

    def ProgressTask(self, name: str) -> FakeTask:
        self.tasks.append(FakeTask(name))
        return self.tasks[-1]

    def Panel(self, title: str) -> FakePanel:
        return FakePanel(self, title)

    def createNode(self, kind: str, knobs: str = "", inpanel: bool = True) -> FakeNode:
        selected = self.selectedNodes()
        node = self.make(kind, {})
        if selected:
            node.setInput(0, selected[0])
        for other in selected:
            other.setSelected(False)
        node.setSelected(True)
        node.is_open = inpanel and self.GUI
        if knobs:
            node.readKnobs(knobs)
        return node

    def toNode(self, name: str) -> FakeNode | None:
        self.check_thread()
        found: FakeNode = self.context[-1]
        for part in name.split("."):
            inside = [child for child in found.nodes() if child._name == part]
            if not inside:
                return None
            found = inside[0]
        return found

    def allNodes(self, filter: str = "") -> Sequence[FakeNode]:
        self.check_thread()
        return [node for node in self.context[-1].nodes() if not filter or node.kind == filter]

    def selectedNodes(self) -> Sequence[FakeNode]:
        return [node for node in self.allNodes() if node.isSelected()]

    def delete(self, node: Any) -> None:
        node.check()
        for other in node.dependent():
            other.setInput(other._inputs.index(node), node.input(0))
        node.is_there = False
        self.note(lambda: setattr(node, "is_there", True), "delete")

    def root(self) -> FakeNode:
        self.check_thread()
        return self._root

    def frame(self, to: int | None = None) -> int:
        self.check_thread()
        if to is not None:
            self.current_frame = to
        return self.current_frame

    def thisNode(self) -> FakeNode:
        self.check_thread()
        if self._this[0] is None:
            raise ValueError("thisNode() is of callbacks and buttons")
        return self._this[0]

    def thisKnob(self) -> Any:
        return self._this[1]

    def execute(self, node: Any, first: int, last: int, step: int = 1) -> None:
        node.check()
        if self._is_in_callback or self._is_drawing:
            # FIELD: what execute says inside knobChanged.
            raise RuntimeError("I'm already executing something else")
        self.renders.append((node, first, last))
        self._is_drawing = True
        try:
            for frame in range(first, last + 1, step):
                self.current_frame = frame
                self.call_back("beforeFrameRender", node)
                self._check_reads(node, frame, set())
                self.on_render(node, frame)
        finally:
            self._is_drawing = False

    def _check_reads(self, node: FakeNode, frame: int, seen: set[int]) -> None:
        """DOC: a Read without its file ends the render where on_error says error."""
        if id(node) in seen:
            return
        seen.add(id(node))
        if node.kind == "Read" and node["on_error"].value() == "error" and not node["disable"].value():
            mode, said = node["frame_mode"].value(), node["frame"].value()
            first, last = int(node["first"].value()), int(node["last"].value())
            number = frame
            if mode == "start at" and said:
                number = frame - int(said) + first
            elif mode == "offset" and said:
                number = frame - int(said)
            # DOC: "hold" shows the nearest frame of the range outside of it.
            number = min(max(number, first), last)
            path = node["file"].value()
            path = path % number if "%" in Path(path).name else path
            if path and not Path(path).is_file():
                raise RuntimeError(f"{node.fullName()}: No such file or directory: {path}")
        for above in node._inputs:
            if above is not None:
                self._check_reads(above, frame, seen)
        if node.kind == "Group":
            for inside in node.nodes():
                self._check_reads(inside, frame, seen)

    def executeInMainThread(self, call: Callable[..., object], args: Any = ()) -> None:
        if threading.get_ident() == self._thread:
            # DOC (threading): both ways freeze Nuke when they are called from the main thread.
            raise RuntimeError("this would hang: it was called from the main thread")
        self._queue.put((call, args if isinstance(args, tuple) else (args,), None, []))

    def executeInMainThreadWithResult(self, call: Callable[..., object], args: Any = ()) -> Any:
        if threading.get_ident() == self._thread:
            raise RuntimeError("this would hang: it was called from the main thread")
        done, result = threading.Event(), []  # type: ignore[var-annotated]
        self._queue.put((call, args if isinstance(args, tuple) else (args,), done, result))
        done.wait()
        return result[0]

    def getPaneFor(self, name: str) -> object:
        self.check_thread()
        return name

    def nodeCopy(self, file: str) -> bool:
        self._copied = {file: [self.copied(node) for node in self.selectedNodes()]}
        return True

    def nodePaste(self, file: str) -> FakeNode | None:
        if file not in self._copied:
            # KNOWN: "Can't read …" where there is no such script.
            raise RuntimeError(f"Can't read {file}")
        made = [self.pasted(kept) for kept in self._copied[file]]
        return made[0] if made else None

    def message(self, text: str) -> None:
        self.check_thread()
        if not self.GUI:
            raise RuntimeError("there is nobody to read a message")
        self.messages.append(text)

    def tprint(self, text: str) -> None:
        self.printed.append(text)

    def getInput(self, prompt: str, default: str = "") -> str | None:
        self.check_thread()
        return self.answers.pop(0) if self.answers else None

    def activeViewer(self) -> FakeViewer | None:
        self.check_thread()
        return self.viewer

    def menu(self, name: str) -> FakeMenu:
        if not self.GUI:
            raise RuntimeError("no interface")
        return self.menus.setdefault(name, FakeMenu())

    def _register(self, event: str, call: Callable[..., object], kind: str) -> None:
        self.callbacks.setdefault(event, []).append((call, kind))

    def addKnobChanged(self, call: Callable[..., object], args: Any = (), nodeClass: str = "*") -> None:
        self._register("knobChanged", call, nodeClass)

    def addUpdateUI(self, call: Callable[..., object], args: Any = (), nodeClass: str = "*") -> None:
        self._register("updateUI", call, nodeClass)

    def addBeforeFrameRender(
        self,
        call: Callable[..., object],
        args: Any = (),
        nodeClass: str = "Write",
    ) -> None:
        self._register("beforeFrameRender", call, nodeClass)

    def addOnScriptLoad(self, call: Callable[..., object], args: Any = ()) -> None:
        self._register("onScriptLoad", call, "Root")

    def addOnScriptSave(self, call: Callable[..., object], args: Any = ()) -> None:
        self._register("onScriptSave", call, "Root")

    def addOnScriptClose(self, call: Callable[..., object], args: Any = ()) -> None:
        self._register("onScriptClose", call, "Root")
