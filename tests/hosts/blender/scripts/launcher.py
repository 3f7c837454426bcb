"""Runs a script in the Python of a Blender wheel, and ends it as Python does but without Blender's own end.

The module of 4.2 crashes there (``bpy_class_free`` after Python is gone) as soon as any add-on registered a
panel or a property with a callback; the application ends in another order.
"""

import atexit
import os
import runpy
import sys
import traceback

script = sys.argv[1]
del sys.argv[0]
sys.path.insert(0, os.path.dirname(script))
code = 0
try:
    runpy.run_path(script, run_name="__main__")
except SystemExit as end:
    code = end.code if isinstance(end.code, int) else int(end.code is not None)
except BaseException:  # noqa: BLE001 - whatever it is, the test shows it
    traceback.print_exc()
    code = 1
atexit._run_exitfuncs()
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)
