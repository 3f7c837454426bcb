"""What a clip may ask of the server, checked from headers before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from masklet.errors import ClipError, LimitError
from masklet_server.fence import ANYWHERE, Fence


@dataclass(frozen=True)
class Limits:
    """Bounds on one clip.

    Attributes:
        max_side_px: Longest side of a frame.
        max_pixels: Pixels of a frame: a little more than the largest cinema cameras have (8640 x 5760).
            Separate from the side because a square of the longest side would need gigabytes once it is
            decoded to float.
        max_channels: Channels of a picture file; more is a bomb or a mistake.
        max_decoded_bytes: Of all channels of a part of a picture file: whoever wants three of them has to
            decompress all.
        max_picture_bytes: Size of one encoded picture. Movies have no such limit, they are read in
            parts.
        max_frames: Numbers between the first and the last frame, missing ones included.
        max_counted_by_decoding: Packets of a movie whose pictures can be counted only by decoding all.
        fence: The folders that its files lie in.
    """

    max_side_px: int = 16_384
    max_pixels: int = 50_000_000
    max_channels: int = 1_024
    max_decoded_bytes: int = 1 << 30
    max_picture_bytes: int = 1 << 30
    max_frames: int = 500_000
    max_counted_by_decoding: int = 50_000
    fence: Fence = ANYWHERE

    def check_size(self, width_px: int, height_px: int, *, what: str) -> None:
        """Refuse a frame of this size.

        Args:
            width_px: As the header gives it.
            height_px: As the header gives it.
            what: Begins the sentence, such as ``"plate.1001.exr"``.

        Raises:
            ClipError: There are no pixels at all.
            LimitError: There are more than this server takes.
        """
        if width_px < 1 or height_px < 1:
            raise ClipError(f"{what} has no pixels ({width_px} x {height_px}): render it again.")
        if max(width_px, height_px) > self.max_side_px:
            raise LimitError(
                f"{what} is {width_px} x {height_px} pixels and this server takes at most {self.max_side_px} "
                "on a side: scale the clip down or raise the limit."
            )
        if width_px * height_px > self.max_pixels:
            raise LimitError(
                f"{what} is {width_px} x {height_px} = {width_px * height_px} pixels and this server takes "
                f"at most {self.max_pixels}: scale the clip down or raise the limit."
            )

    def check_picture_bytes(self, size_bytes: int, *, what: str) -> None:
        """Refuse an encoded picture of this size.

        Raises:
            ClipError: The file is empty.
            LimitError: The file is larger than this server takes.
        """
        if size_bytes == 0:
            raise ClipError(f"{what} is empty (0 bytes): copy or render it again.")
        if size_bytes > self.max_picture_bytes:
            raise LimitError(
                f"{what} has {size_bytes} bytes and this server takes at most {self.max_picture_bytes} per "
                "picture: compress it or raise the limit."
            )

    def check_decoded_bytes(self, size_bytes: int, channels: int, *, what: str) -> None:
        """Refuse a part of a picture file that has to be decompressed whole.

        Raises:
            LimitError: Its channels are more, or together larger, than this server takes.
        """
        if channels > self.max_channels:
            raise LimitError(
                f"{what} has {channels} channels and this server takes at most {self.max_channels}: write "
                "the plate without other layers, or in a part of its own."
            )
        if size_bytes > self.max_decoded_bytes:
            raise LimitError(
                f"{what} has {channels} channels of together {size_bytes / 1e6:.0f} MB once they are "
                f"decompressed, and this server takes at most {self.max_decoded_bytes / 1e6:.0f}: write the "
                "plate without other layers, or in a part of its own."
            )

    def check_frame_count(self, frame_count: int, *, what: str) -> None:
        """Refuse a clip with so many frame numbers.

        Raises:
            LimitError: There are more than this server takes.
        """
        if frame_count > self.max_frames:
            raise LimitError(
                f"{what} spans {frame_count} frame numbers and this server takes at most {self.max_frames}: "
                "a stray file with a far-off number is the usual cause, remove it or raise the limit."
            )

    def check_counted_by_decoding(self, packet_count: int, *, what: str) -> None:
        """Refuse a movie that would have to be decoded whole in order to number its frames.

        Raises:
            LimitError: It is longer than this server decodes for that.
        """
        if packet_count > self.max_counted_by_decoding:
            raise LimitError(
                f"{what} does not say in which order its {packet_count} pictures are shown, and this server "
                f"decodes at most {self.max_counted_by_decoding} to find out: cut it, or render it as ProRes."
            )
