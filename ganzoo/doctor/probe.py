"""A look at both players of a GAN in training that leaves no trace."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganzoo.doctor.measurements import Data, accuracy, auc
from ganzoo.gans import GAN, inputs
from ganzoo.metrics.modes import Mixture, count_modes

Judge = Callable[[np.ndarray], np.ndarray]

GAME = 64
SAMPLES = {True: 256, False: 128}
SEED = 0x0D0C


class Probe:
    """Measures a GAN, always on the same real examples and latents.

    All that a pass assigns (seeds, batch-norm statistics, vectors of spectral normalization,
    buffers of past images) is assigned in a scope of its own and forgotten.

    Args:
        gan: A GAN of the zoo.
        data: Real examples as a batch of `fit` holds them: images, or a tuple with labels.
        mixture: What points were drawn from, to count its modes.
        judge: From uint8 images (N, H, W, C) to their classes (N,), to count those.

    Raises:
        ValueError: If there are fewer than two examples.
    """

    def __init__(
        self, gan: GAN, data: Any, *, mixture: Mixture | None = None, judge: Judge | None = None
    ):
        self.gan, self.mixture, self.judge = gan, mixture, judge
        # some classes share the images of a batch among updates, or in packs
        each = gan.updates_per_batch * gan.accumulate * getattr(gan, "packing", 1)
        self.left_out: list[str] = []
        rows = int(np.shape(tf.nest.flatten(data)[0])[0])
        self.shown = self._examples(data, min(rows, wanted(gan)), each)
        self.game = self._examples(data, min(rows, GAME), each)
        samples = _rows(self.shown)
        if len(samples) < 2:
            raise ValueError(f"Expected at least two real examples. Received: {len(samples)}.")
        self.data = Data(samples, None if mixture is None else mixture.centres)
        self._before: np.ndarray | None = None

    def _examples(self, data: Any, count: int, each: int) -> Any:
        count = max(count // each, 1) * each
        part = tf.nest.map_structure(lambda one: tf.convert_to_tensor(one[:count]), data)
        with self._scope():
            return self.gan.real_examples(part)

    def players(self) -> dict[str, float]:
        """Returns what there is to measure of both players, numbers by name.

        Returns:
            `g_gradient`, `d_gradient`, the norms of the gradients of both players' own losses with
            respect to their own weights; `g_logit_gradient`, that of
            the mean logit of generated examples with respect to the generator's; `g_weights`,
            `d_weights`, norms; `g_loss`, `d_loss`; `auc`, `accuracy` of the discriminator; `real`,
            `fake`, its mean logits, `real_spread`, `fake_spread` their standard deviations. Those
            that a class does not have are left out and named in `left_out`.
        """
        found = self._games()
        for player in ("generator", "discriminator"):
            found[f"{player[0]}_weights"] = _norm(
                [v.value for v in self.gan.player_variables(player)]
            )
        return found

    def samples(self) -> dict[str, Any]:
        """Returns what there is to measure of samples of fixed latents.

        Returns:
            `finite`, 1 if they are finite and 0 if not; if they are, those of `Data.compared`;
            `moved`, how far they have moved since the last call, over the data's mean distance;
            `modes` of a known mixture that they are near to; and `classes`, how many the judge
            sees.
        """
        with self._scope():
            examples = self.gan.fakes(self.shown)
        fake = _rows(examples)
        before, self._before = self._before, fake
        if not np.isfinite(fake).all():
            return {"finite": 0.0}
        found = {"finite": 1.0, **self.data.compared(fake)}
        if before is not None and before.shape == fake.shape and np.isfinite(before).all():
            steps = np.linalg.norm(np.asarray(fake - before, np.float64), axis=1)
            found["moved"] = float(steps.mean()) / self.data.spread
        if self.mixture is not None:
            modes = count_modes(fake, self.mixture.centres, sigma=self.mixture.sigma)
            found["modes"] = float(modes.covered)
        if self.judge is not None:
            classes = self.judge(inputs.to_uint8(tf.nest.flatten(examples)[0]))
            found["classes"] = float(len(np.unique(classes)))
        return found

    def _scope(self) -> keras.StatelessScope:
        state = self.gan.seed_generator.state
        fixed = np.full(state.shape, SEED)
        return keras.StatelessScope(state_mapping=[(state, ops.cast(fixed, state.dtype))])

    def _games(self) -> dict[str, float]:
        """Gradients, losses and logits of both games."""
        gan, found = self.gan, {}
        own = {name: gan.player_variables(name) for name in ("generator", "discriminator")}
        with self._scope():
            with tf.GradientTape(persistent=True) as tape:
                fake = gan.fakes(self.game)
                g_loss, _ = gan.generator_game(self.game, fake)
                g_scaled = gan.scaled_loss("generator", g_loss)
                fake_logits = self._judged(fake)
                mean = 0.0 if fake_logits is None else ops.mean(fake_logits)
            found["g_loss"] = float(g_loss)
            scale = gan.scaled_loss("generator", tf.constant(1.0))
            found["g_gradient"] = _norm(tape.gradient(g_scaled, own["generator"]), scale)
            if fake_logits is not None:
                found["g_logit_gradient"] = _norm(tape.gradient(mean, own["generator"]))
            del tape
            if own["discriminator"]:
                with tf.GradientTape() as tape:
                    d_loss, _ = gan.discriminator_game(self.game, inputs.stopped(fake))
                    d_scaled = gan.scaled_loss("discriminator", d_loss)
                scale = gan.scaled_loss("discriminator", tf.constant(1.0))
                found["d_loss"] = float(d_loss)
                found["d_gradient"] = _norm(tape.gradient(d_scaled, own["discriminator"]), scale)
            real_logits = None if fake_logits is None else self._judged(self.game)
        if not own["discriminator"]:
            self._leave_out("the discriminator's gradient, as it has no weights")
        if real_logits is None:
            self._leave_out("logits and accuracy, as the discriminator gives no single logit")
            return found
        return {**found, **_of_logits(real_logits.numpy(), fake_logits.numpy())}

    def _judged(self, examples: Any) -> tf.Tensor | None:
        """Logits, or None where the discriminator gives something else."""
        logits = self.gan.judge(examples)
        return logits if len(logits.shape) == 2 and logits.shape[1] == 1 else None

    def _leave_out(self, text: str) -> None:
        if text not in self.left_out:
            self.left_out.append(text)


def wanted(gan: GAN) -> int:
    """Returns how many real examples a probe of a GAN makes use of: 256 points or 128 images."""
    return SAMPLES[len(gan.image_shape) == 1 and not hasattr(gan, "vocabulary")]


def _of_logits(real: np.ndarray, fake: np.ndarray) -> dict[str, float]:
    numbers = {"auc": auc, "accuracy": accuracy}
    found = {name: function(real, fake) for name, function in numbers.items()}
    found |= {"real": float(real.mean()), "fake": float(fake.mean())}
    return found | {"real_spread": float(real.std()), "fake_spread": float(fake.std())}


def _rows(examples: Any) -> np.ndarray:
    """The images of examples, flat, float32."""
    images = np.asarray(tf.nest.flatten(examples)[0], np.float32)
    return images.reshape(len(images), -1)


def _norm(tensors: list, scale: Any = 1.0) -> float:
    """The Euclidean norm of tensors that are one vector, over a scale."""
    given = [tf.convert_to_tensor(one) for one in tensors if one is not None]
    return float(tf.linalg.global_norm([tf.cast(one, tf.float32) for one in given]) / scale)
