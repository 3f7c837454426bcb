"""Generated from ``protos/masklet/v1`` by ``installers/generate_protos.py``; never edited by hand."""
