"""The network's parts run by OpenVINO on processors without a GPU.

``forms`` says what is exported, ``exporting`` writes it in a process of its own, ``models`` compiles and
calls it, ``backend`` decides who uses it, ``library`` is OpenVINO without its reports. Decisions 40 and
81 tell why.
"""
