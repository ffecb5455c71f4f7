"""Semi-supervised GAN: the discriminator is a classifier that learns from few labels.

Salimans et al. 2016, "Improved Techniques for Training GANs", arXiv:1606.03498, section 5.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from ganzoo.gans import GANS, inputs, labelled, players
from ganzoo.gans.base import Examples, Logs
from ganzoo.gans.classifying import Classifying
from ganzoo.gans.conditional import check_spec, names_of
from ganzoo.gans.feature_matching import FeatureMatchingGAN, batch_mean
from ganzoo.layers.gaussian_noise import noise_from
from ganzoo.layers.weight_normalization import awaits_data, initialize
from ganzoo.strategy import several_workers
from ganzoo.workers import Workers


@keras.saving.register_keras_serializable("ganzoo")
@GANS.register("sgan")
class SGAN(Classifying, FeatureMatchingGAN):
    """The discriminator gives K logits l, and D(x) = Z / (Z + 1) with Z = sum_k exp(l_k).

    So the K + 1 classes of the paper have K logits, that of generated images being fixed at 0. The
    discriminator minimises the cross-entropy of labelled images (L_supervised) plus the plain
    game's -log D(x) - log(1 - D(G(z))) of unlabelled and generated ones (L_unsupervised); the
    generator minimises ||E f(x) - E f(G(z))||^2 on a hidden layer f of the moved discriminator,
    over unlabelled images. `classify` uses a moving average of the discriminator's weights, as the
    authors' code does.

    A batch is (images, labels), -1 standing for no label. The half of it that comes first when
    labelled images do is classified, the other half is told from as many generated images.
    `fit(images, labels)` and the config's `data.labelled` make batches that are half labelled:
    `batch_size` of each kind. The first `fit` starts weight-normalised layers by its first batch
    (`ganzoo.layers.weight_normalization.initialize`), unless their biases have been trained.

    The generator's loss grows as the classifier learns. Where its optimizer averages gradients over
    many steps it can break down; `sgan_mnist` trains it by Adam with beta_2 = 0.9.

    Latents are normal, where the authors draw them from uniform(0, 1). Both updates of a step see
    the same unlabelled images, and the three images at one place of their batches the same noise.

    Args:
        generator: As for `GAN`.
        discriminator: Model from images (B, H, W, C) to logits (B, K), without batch
            normalisation: labelled, unlabelled and generated images pass through it as one batch.
        classes: Number of classes K, or their names in the order of the labels.
        layer: Name of the discriminator's layer whose outputs are matched; by default the last
            one before the logits that adds no noise.
        unlabelled_weight: Weight of L_unsupervised. 1 in the paper; 1/2 in the authors' code and
            here by default. 0 leaves a classifier of labelled images alone.
        classifier_decay: Decay of the discriminator's moving average a step, in [0, 1).
        **options: Of `GAN`.

    Raises:
        ValueError: If the discriminator has another number of logits, or batch normalisation, or
            an option is out of range.
    """

    tracked = (*FeatureMatchingGAN.tracked, "class_loss", "class_accuracy")
    kind_of_labels = "trained with labels"
    one_logit = False

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        classes: int | Sequence[str] = 10,
        layer: str | None = None,
        unlabelled_weight: float = 0.5,
        classifier_decay: float = 0.9999,
        **options: Any,
    ):
        _check(discriminator, len(names_of(classes)), unlabelled_weight, classifier_decay)
        layer = _last_without_noise(discriminator) if layer is None else layer
        super().__init__(generator, discriminator, layer=layer, **options)
        self.class_names = names_of(classes)
        self.unlabelled_weight = unlabelled_weight
        self.classifier_decay = classifier_decay
        with self.distribute_strategy.scope():
            self.discriminator_ema = keras.models.clone_model(discriminator)
            self.discriminator_ema.trainable = False
        players.copy_weights(discriminator, self.discriminator_ema)

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {**super().networks, "discriminator_ema": self.discriminator_ema}

    # -- the games ---------------------------------------------------------------------------

    def discriminator_game(self, real: Examples, fake: tf.Tensor) -> tuple[tf.Tensor, Logs]:
        images, labels, unlabelled = self.halves(real)
        # one pass: without batch statistics that is the same, and faster
        logits, *others = self.trained_logits(images, unlabelled, fake)
        class_loss, accuracy = _supervised(logits, labels)
        real_logits, fake_logits = (_log_z(one) for one in others)
        unsupervised = self.discriminator_loss(real_logits, fake_logits)
        loss = class_loss + self.unlabelled_weight * unsupervised
        logs = self.discriminator_logs(loss, real_logits, fake_logits)
        return loss, {**logs, "class_loss": class_loss, "class_accuracy": accuracy}

    def generator_game(self, real: Examples, fake: tf.Tensor) -> tuple[tf.Tensor, Logs]:
        images = self.halves(real)[2]
        with players.frozen_state(self.discriminator):
            features = self.features(ops.concatenate([images, fake]), parts=2)
        real_mean, fake_mean = (batch_mean(one) for one in tf.split(features, 2))
        loss = ops.sum(ops.square(real_mean - fake_mean))
        return loss, {"g_loss": loss}

    def after_update(self, player: str) -> None:
        super().after_update(player)
        if player == "discriminator":
            decay = players.warmed_up(self.classifier_decay, self._steps_done)
            players.move_average(self.discriminator_ema, self.discriminator, decay=decay)

    # -- examples ----------------------------------------------------------------------------

    def real_examples(self, data: Any) -> Examples:
        if not isinstance(data, (tuple, list)) or len(data) < 2:
            raise _no_labels(self.name)
        low, high = labelled.UNLABELLED, len(self.class_names)
        labels = inputs.within(data[1], low, high, name="labels")
        return self.real_images(data), ops.reshape(labels, (-1,))

    def halves(self, real: Examples) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the half with labelled images and its labels, and the images of the other.

        Of an odd number the last one is left out.
        """
        images, labels = real
        order = tf.argsort(tf.cast(labels < 0, tf.int32), stable=True)
        half = tf.shape(order)[0] // 2
        first, second = order[:half], order[half : 2 * half]
        return tf.gather(images, first), tf.gather(labels, first), tf.gather(images, second)

    def fakes(self, real: Examples) -> tf.Tensor:
        return super().fakes(real[1][1::2])  # as many as in the unlabelled half

    # -- passes of the discriminator ---------------------------------------------------------

    def judge(self, examples: Examples) -> tf.Tensor:
        """Returns log Z (B, 1), the logit of D = Z / (Z + 1), in training mode."""
        images = examples[0] if isinstance(examples, tuple) else examples
        return _log_z(self.trained_logits(images)[0])

    def trained_logits(self, *batches: tf.Tensor) -> list[tf.Tensor]:
        """Returns the class logits of each batch of images, float32 (B, K), in training mode."""
        images = ops.concatenate(batches)
        with self._noise(images, len(batches)):
            logits = self.discriminator(images, training=True)
        return tf.split(ops.cast(logits, "float32"), len(batches))

    def features(self, images: tf.Tensor, *, parts: int = 1) -> tf.Tensor:
        """Returns the matched layer's outputs, float32 (B, ...), in training mode.

        Args:
            images: Images, of as many batches of the same size as there are parts.
            parts: See `_noise`.
        """
        with self._noise(images, parts):
            return super().features(images)

    def class_logits(self, images: tf.Tensor) -> tf.Tensor:
        return ops.cast(self.discriminator_ema(images, training=False), "float32")

    def _noise(self, images: tf.Tensor, parts: int) -> Any:
        """Makes the networks' noise this GAN's own: saved, resumed, the same on N replicas.

        Drawing it takes a third of a step, so images at the same place of the parts share theirs.
        """
        count = inputs.count(images) // parts

        def draw(shape: tuple[int, ...]) -> tf.Tensor:
            noise = self.draw(keras.random.normal, count, *shape)
            return ops.concatenate([noise] * parts)

        return noise_from(draw)

    # -- data --------------------------------------------------------------------------------

    def check_labels(self, labels: Any) -> None:
        labelled.checked(labels, len(self.class_names))

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        *,
        shuffle: bool = True,
        **options: Any,
    ) -> keras.callbacks.History:
        """Trains on images of which some have labels, and returns the history.

        Args:
            x: As for `GAN`; a `tf.data.Dataset` holds batches (images, labels), half labelled.
            y: Labels (N,) in [0, K), -1 for images without, where `x` is an array.
            batch_size: Labelled images, and unlabelled ones, of an update. An epoch goes once
                through all images as unlabelled ones; labelled ones go round.
            shuffle: As for `GAN`.
            **options: As for `GAN`.

        Raises:
            ValueError: As for `GAN`, or if there are no labels or wrong ones.
        """
        if isinstance(x, tuple) and y is None and len(x) == 2:
            x, y = x
        if not isinstance(x, (tf.data.Dataset, tf.distribute.DistributedDataset)):
            x, steps = self._pairs(x, y, batch_size, self.seed if shuffle else None)
            options["steps_per_epoch"] = options.get("steps_per_epoch") or steps
            y = batch_size = None
        elif isinstance(x, tf.data.Dataset):
            self._check_data_set(x)
        self._start_by(x)
        return super().fit(x, y, batch_size, shuffle=shuffle, **options)

    def _pairs(
        self, x: Any, y: Any, batch_size: int | None, seed: int | None
    ) -> tuple[tf.data.Dataset, int]:
        """Returns arrays as batches that are half labelled, and the batches of an epoch."""
        if y is None:
            raise _no_labels(self.name)
        labels = labelled.checked(y, len(self.class_names))
        replicas = self.distribute_strategy.num_replicas_in_sync
        order = {"seed": seed, "steps_done": self.steps_done}
        options = {"image_shape": self.image_shape, "batch_size": batch_size, **order}
        options["as_float"] = several_workers(self.distribute_strategy)
        data, steps = inputs.training_data(
            x, labels, updates_per_batch=self.updates_per_batch, replicas=replicas, **options
        )
        count = data.element_spec[1].shape[0]
        return labelled.paired(data, x, labels, count=count, **order), steps

    def _check_data_set(self, x: tf.data.Dataset) -> None:
        if not isinstance(x.element_spec, (tuple, list)) or len(x.element_spec) < 2:
            raise _no_labels(self.name)
        check_spec(x.element_spec[1])
        replicas = self.distribute_strategy.num_replicas_in_sync
        options = {"replicas": replicas, "updates_per_batch": self.updates_per_batch}
        inputs.check_dataset(x, self.image_shape, **options)

    def _start_by(self, data: Any) -> None:
        """Starts weight-normalised layers by the first batch, unless that is done."""
        if not awaits_data(self.discriminator):
            return
        with self.distribute_strategy.scope():
            first = tf.nest.flatten(next(iter(data)))[0]
            images = inputs.to_float(self.distribute_strategy.experimental_local_results(first)[0])
            images = tf.constant(Workers(self.distribute_strategy).chiefs(images))
            seeds, count = keras.random.SeedGenerator(self.seed), len(images)
            with noise_from(lambda shape: keras.random.normal((count, *shape), seed=seeds)):
                initialize(self.discriminator, images)
            players.copy_weights(self.discriminator, self.discriminator_ema)

    def get_config(self) -> dict[str, Any]:
        own = {
            "classes": list(self.class_names),
            "unlabelled_weight": self.unlabelled_weight,
            "classifier_decay": self.classifier_decay,
        }
        return {**super().get_config(), **own}


def _log_z(logits: tf.Tensor) -> tf.Tensor:
    """Returns log(sum_k exp(l_k)), (B, 1), of logits (B, K)."""
    return ops.logsumexp(logits, axis=-1, keepdims=True)


def _supervised(logits: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns cross-entropy and accuracy, averaged over the images that have a label."""
    known = ops.cast(labels >= 0, "float32")
    share = known / ops.maximum(ops.sum(known), 1.0)
    classes = ops.maximum(labels, 0)
    losses = ops.sparse_categorical_crossentropy(classes, logits, from_logits=True)
    right = ops.cast(ops.argmax(logits, axis=-1) == ops.cast(classes, "int32"), "float32")
    return ops.sum(share * losses), ops.sum(share * right)


def _check(discriminator: keras.Model, classes: int, weight: float, decay: float) -> None:
    if discriminator.output_shape != (None, classes):
        raise ValueError(
            f"Expected a discriminator with a logit for each of {classes} classes. "
            f"Received: output shape {discriminator.output_shape}."
        )
    batch_norm = keras.layers.BatchNormalization
    if mixing := [one.name for one in discriminator.layers if isinstance(one, batch_norm)]:
        raise ValueError(
            "Expected a discriminator without batch normalisation: real and generated images "
            f"pass through it as one batch. Received: {mixing[0]} in {discriminator.name}."
        )
    if not weight >= 0:
        raise ValueError(f"Expected unlabelled_weight >= 0. Received: {weight}.")
    if not 0 <= decay < 1:
        raise ValueError(f"Expected 0 <= classifier_decay < 1. Received: {decay}.")


def _last_without_noise(network: keras.Model) -> str:
    """Returns the name of the last layer before that of the logits that adds no noise."""
    last = [number for number, layer in enumerate(network.layers) if layer.weights][-1]
    noise = keras.layers.GaussianNoise
    return next(one.name for one in reversed(network.layers[:last]) if not isinstance(one, noise))


def _no_labels(name: str) -> ValueError:
    return ValueError(
        f"Expected labels beside the images: {name} learns from some. Received: images alone; "
        "give fit(images, labels), -1 for images without, a data set of (images, labels), or "
        "`data: {labelled: 100}`."
    )
