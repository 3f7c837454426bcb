"""The night's farm: shots with their prompts become a job that any OpenJD engine runs, and mattes by morning.

What is asked for (:mod:`masklet.farm.request`) and the job that comes of it (:mod:`masklet.farm.job`) need
the standard library alone, so that hosts submit. Running a job needs ``pip install 'masklet[farm]'``.
"""
