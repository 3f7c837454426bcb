"""Clips of clients, opened where they can do no harm: by processes that compute and read, and nothing else.

:class:`~masklet_server.sandbox.opener.MediaOpener` opens them for the service. Where the system can, each
open clip has a process of its own, which sees the clip's folders and has neither network nor other programs
(docs/decisions/0057-decoding-in-a-sandbox.md).
"""
