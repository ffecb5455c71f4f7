"""The worker of `metrics.py` that runs ganzoo's metrics."""

import metrics_inputs
import numpy as np
from workers import run_for, serve


class FID:
    """Moments of two sets of features, and their Fréchet distance."""

    def __init__(self, **sizes: int):
        self.real, self.fake = metrics_inputs.features(**sizes)

    def about(self) -> dict[str, str]:
        return {"version": f"NumPy {np.__version__}"}

    def run(self) -> dict[str, object]:
        """Returns what the run took, and its score."""
        from ganzoo.metrics.frechet import frechet_distance, moments

        return metrics_inputs.measured(
            lambda: [frechet_distance(moments(self.real), moments(self.fake))]
        )


class PRDC(FID):
    """Precision, recall, density and coverage."""

    def run(self) -> dict[str, object]:
        from ganzoo.metrics.neighbours import prdc

        k = metrics_inputs.K
        return metrics_inputs.measured(
            lambda: list(vars(prdc(self.real, self.fake, precision_k=k, density_k=k)).values())
        )


class Inception:
    """The resize and the network of FID, with random weights."""

    def __init__(self, *, batch_size: int, image_size: int):
        import tensorflow as tf

        from ganzoo.metrics.features import inception

        self.images = metrics_inputs.images(batch_size, image_size)
        network = inception.build()
        shape = (None, inception.SIZE, inception.SIZE, 3)
        forward = tf.function(
            lambda pixels: [network(pixels, training=False)[name] for name in ("2048", "logits")],
            input_signature=[tf.TensorSpec(shape, tf.float32)],
        )
        self.step = lambda: [x.numpy() for x in forward(inception.preprocess(self.images))]
        self.versions = f"TensorFlow {tf.__version__}"
        self.step()

    def about(self) -> dict[str, str]:
        return {"version": self.versions}

    def run(self, *, seconds: float) -> dict[str, float]:
        """Runs batches for some time; returns `steps` and `seconds`."""
        return run_for(self.step, seconds)


def make(*, task: str, **options: int) -> object:
    """Returns the object that runs a task."""
    return {"fid": FID, "prdc": PRDC, "inception": Inception}[task](**options)


if __name__ == "__main__":
    serve(make)
