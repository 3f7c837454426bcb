"""Runs in a Blender with a window: does what a test sends over a socket, in Blender's main thread.

Arguments: port of the test, token. Each line from the test is Python as a JSON string; the last expression's
value goes back as JSON. A timer that is due every 5 ms notes how late it came: what an artist feels as a
freeze.
"""

import ast
import json
import socket
import sys
import threading
import time
import traceback
from queue import Empty, Queue

import bpy

PERIOD_S = 0.005


class Freeze:
    """The longest time in which Blender's main thread did nothing else: by the clock, and of the processor's.

    The second is what it would be with the processor to itself.
    """

    def __init__(self):
        self.restart()

    def restart(self):
        self.longest_s = 0.0
        self.longest_cpu_s = 0.0
        self.gaps_s = []
        self.go_on()

    def go_on(self):
        self._last = time.perf_counter()
        self._last_cpu = time.thread_time()

    def note(self):
        gap = time.perf_counter() - self._last - PERIOD_S
        cpu = time.thread_time() - self._last_cpu
        self.longest_s = max(self.longest_s, gap)
        self.longest_cpu_s = max(self.longest_cpu_s, cpu)
        if gap > 0.02:
            self.gaps_s.append((round(gap, 4), round(cpu, 4)))
        self.go_on()


freeze = Freeze()
requests = Queue()
answers = Queue()
names = {"bpy": bpy, "freeze": freeze}


def evaluate(code):
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<test>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<test>", "eval"), names) if last else None


def tick():
    freeze.note()
    try:
        code = requests.get_nowait()
    except Empty:
        return PERIOD_S
    try:
        answers.put({"value": evaluate(code)})
    except BaseException:  # noqa: BLE001 - the test has to see it
        answers.put({"error": traceback.format_exc()})
    # What the test asked for is no freeze of the add-on's.
    freeze.go_on()
    return PERIOD_S


def converse(port, token):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        stream = connection.makefile("rw", encoding="utf-8")
        stream.write(token + "\n")
        stream.flush()
        for line in stream:
            requests.put(json.loads(line))
            stream.write(json.dumps(answers.get(), default=repr) + "\n")
            stream.flush()


# Drawn by the processor, a 3D view takes seconds; a plate does not.
bpy.context.preferences.view.show_splash = False
for area in bpy.context.window_manager.windows[0].screen.areas:
    if area.type == "VIEW_3D":
        area.type = "CLIP_EDITOR"
bpy.app.timers.register(tick, first_interval=0.5, persistent=True)
threading.Thread(target=converse, args=(int(sys.argv[1]), sys.argv[2]), daemon=True).start()
