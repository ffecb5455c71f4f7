"""What discriminators may see of an example's batch, by name, before they give a logit."""

from typing import Any

from ganzoo.errors import unknown
from ganzoo.layers import MinibatchDiscrimination, MinibatchStddev

HEADS = ("plain", "minibatch_discrimination", "minibatch_stddev")


def check(head: str) -> None:
    """Raises ValueError unless there is such a head."""
    if head not in HEADS:
        raise unknown("head", head, HEADS)


def on_maps(head: str, x: Any) -> Any:
    """Returns the last feature maps (B, H, W, C), or features (B, C), with a head's map appended.

    That is `"minibatch_stddev"`; others leave them as they are.
    """
    return MinibatchStddev(name="minibatch_stddev")(x) if head == "minibatch_stddev" else x


def on_features(head: str, x: Any, kernels: int) -> Any:
    """Returns the features (B, A) with those of a head appended.

    That is `"minibatch_discrimination"`; others leave them as they are.
    """
    if head != "minibatch_discrimination":
        return x
    return MinibatchDiscrimination(kernels, name="minibatch_discrimination")(x)
