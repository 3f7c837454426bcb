"""Which kinds of video are decoded: those that plates come in, and no other parser of FFmpeg's hundreds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import ClipError

if TYPE_CHECKING:
    from av.video.stream import VideoStream

_DECODERS = frozenset(
    {
        # Cameras and editing.
        *("prores", "dnxhd", "cfhd", "dvvideo", "mjpeg", "h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4"),
        # The web.
        *("av1", "libdav1d", "vp8", "vp9"),
        # Without loss: renders of motion graphics, archives, uncompressed video.
        *("png", "qtrle", "ffv1", "ffvhuff", "huffyuv", "utvideo"),
        *("rawvideo", "r210", "v210", "v308", "v408", "v410"),
    }
)

CODEC_WHITELIST = ",".join(sorted(_DECODERS))
"""The same for FFmpeg's option, which keeps the others from looking into a file while it is opened."""


def check_codec(stream: VideoStream, *, name: str) -> None:
    """Refuse a stream before anything of it is decoded.

    Args:
        stream: Of a file that was opened.
        name: Begins the sentence.

    Raises:
        ClipError: Its kind of video is not read.
    """
    # PyAV's types do not tell that a stream of an unknown codec has none.
    if stream.codec_context is None:
        raise ClipError(
            f"{name} holds video of a kind that this server cannot decode: export it as ProRes, DNxHR or "
            "H.264, or copy it again."
        )
    codec = stream.codec_context.codec
    if codec.name not in _DECODERS:
        raise ClipError(
            f"{name} holds video of the kind {codec.long_name}, which this server does not decode: export it "
            "as ProRes, DNxHR or H.264."
        )
