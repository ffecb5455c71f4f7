"""Weights: cards, strict files, finding and downloading, publishing. Imports no TensorFlow."""

from ganzoo.paths import home
from ganzoo.weights.fetch import DownloadError, find, load
from ganzoo.weights.files import digest, read, write
from ganzoo.weights.networks import assign, collect, decoded
from ganzoo.weights.publishing import publish, write_mirror
from ganzoo.weights.records import Card, NotPublished, add_metrics, card, cards, read_card

__all__ = [
    "Card",
    "DownloadError",
    "NotPublished",
    "add_metrics",
    "assign",
    "card",
    "cards",
    "collect",
    "decoded",
    "digest",
    "find",
    "home",
    "load",
    "publish",
    "read",
    "read_card",
    "write",
    "write_mirror",
]
