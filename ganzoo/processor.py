"""What TensorFlow is asked for before it is imported."""

import os
import platform
import sys

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


def ask_for_onednn() -> None:
    """Has TensorFlow use oneDNN on x86 processors, as it does by itself on those with AVX-512 VNNI.

    On others a training step takes 1.5 to 1.8 times as long by its own convolutions. Nothing is
    done where the environment says what is wanted, or where TensorFlow is imported already: it
    would come too late here, and set this process apart from those that it starts.
    """
    if platform.machine().lower() in ("x86_64", "amd64") and "tensorflow" not in sys.modules:
        os.environ.setdefault(ONEDNN, "1")
