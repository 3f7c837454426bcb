"""Frames in: picture sequences, movies and uploads as display-referred sRGB, one frame at a time.

``source.open_clip`` opens whatever an artist names and gives a :class:`~masklet_server.media.clip.Clip`,
which satisfies ``tracking.FrameSource``. Everything is checked against ``limits.Limits`` from
the header, before a decoder allocates anything.

Shape letters in this package: H and W are the height and width of the display window, h and w those
of the data window.
"""
