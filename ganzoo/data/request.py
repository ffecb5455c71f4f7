"""What the caller wants from a source, checked once."""

from dataclasses import dataclass

from ganzoo.data.decode import Decoder
from ganzoo.errors import closest, unknown


@dataclass(frozen=True)
class Request:
    """How to read a source; `open_source` explains each field.

    Raises:
        TypeError, ValueError: for a value that no source could serve.
    """

    image_size: int | None = None
    split: str = "train"
    channels: int | None = None
    crop: int | None = None
    on_error: str = "skip"
    progress: bool = True
    stream: bool = False

    def __post_init__(self):
        check_count("image_size", self.image_size, optional=True)
        check_count("crop", self.crop, optional=True)
        if self.channels not in (None, 1, 3):
            raise ValueError(
                f"channels must be 1 (grey), 3 (RGB) or None. Received: {self.channels!r}"
            )
        if self.on_error not in ("skip", "raise"):
            raise unknown("on_error", self.on_error, ("skip", "raise"))
        if not isinstance(self.split, str) or not self.split:
            raise TypeError(f"split must be a name such as 'train'. Received: {self.split!r}")

    def decoder(self, channels: int) -> Decoder:
        """Returns the decoder for images that become `channels` deep."""
        return Decoder(image_size=self.image_size, channels=channels, crop=self.crop)


def check_count(name: str, value: object, *, least: int = 1, optional: bool = False) -> None:
    """Raises unless `value` is a whole number of at least `least` (or None, if `optional`)."""
    if optional and value is None:
        return
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be a whole number. Received: {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}. Received: {value}")


def check_stream(request: Request, name: object) -> None:
    """Raises ValueError if a source is to be streamed that is not read as records."""
    if request.stream:
        raise ValueError(
            f"stream=True reads TFRecord files and TFDS data sets as they are needed. Received: "
            f"{name}, which is neither; leave stream (data.stream) out."
        )


def no_split(split: str, source: object, splits: tuple[str, ...] | list[str]) -> ValueError:
    """Returns the error for a `split` that `source` does not have."""
    return ValueError(
        f"{source} has no split {split!r}{closest(split, splits) or '.'} "
        f"It has: {', '.join(splits)}."
    )
