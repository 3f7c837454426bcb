"""From what a decoder gives to upright sRGB: the same for a movie file and for a stream of its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from masklet.errors import ClipError
from masklet_server.media.colour import SRGB, Conversion, conversion_from
from masklet_server.media.movie_colour import VideoMatrix, matrix_of
from masklet_server.media.orientation import Orientation, orientation_of

if TYPE_CHECKING:
    import numpy as np
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

# ITU-T H.273 transfer characteristics of the two HDR curves.
_HDR_SPACES = {16: "Rec.2100-PQ - Display", 18: "Rec.2100-HLG - Display"}


@dataclass(frozen=True, eq=False)
class MoviePicture:
    """How the pictures of one movie become what people see; its first picture says it for all.

    Attributes:
        name: What people call the movie.
        stored_px: Width and height of every picture as it is stored.
        matrix: From YCbCr to RGB.
        orientation: As the file wants it held.
        conversion: From the movie's own values to sRGB.
    """

    name: str
    stored_px: tuple[int, int]
    matrix: VideoMatrix
    orientation: Orientation
    conversion: Conversion

    @staticmethod
    def of(frame: VideoFrame, *, name: str, colour: str | None = None) -> MoviePicture:
        """What the first picture says.

        Args:
            frame: As it comes out of the decoder.
            name: Begins the sentence when something is refused.
            colour: The input space; None for sRGB, or what an HDR stream says of itself.

        Raises:
            ClipError: Its matrix or its orientation is one that is not read.
            BadInputError: The colour space is unknown.
        """
        return MoviePicture(
            name,
            (frame.width, frame.height),
            matrix_of(frame, name=name),
            orientation_of(frame, name=name),
            conversion_from(colour or _HDR_SPACES.get(frame.color_trc, SRGB)),
        )

    @property
    def shown_px(self) -> tuple[int, int]:
        """Width and height, upright."""
        width_px, height_px = self.stored_px
        return (height_px, width_px) if self.orientation.swaps_sides else (width_px, height_px)

    def values(self, frame: VideoFrame, number: int) -> NDArray[Any]:
        """``(H, W, 3)`` in the movie's own values, upright.

        Args:
            frame: As it comes out of the decoder.
            number: For the sentence when it is refused.

        Raises:
            ClipError: It has another size than the first one.
        """
        if (frame.width, frame.height) != self.stored_px:
            raise ClipError(
                f"frame {number} of {self.name} is {frame.width} x {frame.height}, the first one is "
                f"{self.stored_px[0]} x {self.stored_px[1]}: render the movie in one size."
            )
        sample_format = "rgb24" if self.conversion.space == SRGB else "rgb48le"
        return self.orientation.upright(self.matrix.to_rgb(frame, sample_format))

    def to_srgb(self, frame: VideoFrame, number: int) -> NDArray[np.uint8]:
        """``(H, W, 3)`` display-referred sRGB; arguments and errors as for :meth:`values`."""
        return self.conversion.to_srgb(self.values(frame, number))
