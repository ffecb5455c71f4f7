"""Which settings of the zoo to change for a failure, for the GAN that has it."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import keras

from ganzoo.gans import GANS
from ganzoo.gans.checks import batch_norms
from ganzoo.gans.wasserstein import WassersteinGame

LISTED = 3


@dataclasses.dataclass(frozen=True)
class Setting:
    """A change of a config.

    Args:
        changes: Values by dotted key, as `ganzoo.registry.entry` and `--set` take them.
        why: What it does, in a few words.
    """

    changes: dict[str, Any]
    why: str

    @property
    def flags(self) -> str:
        """The change as flags of `ganzoo train`."""
        return " ".join(f"--set={key}={_written(value)}" for key, value in self.changes.items())


def for_failure(failure: str, gan: Any) -> list[Setting]:
    """Returns up to three changes for a failure, the likeliest to help first.

    Those of another class are for GANs of images or points alone: labels, codes and texts need the
    class that they have.

    Args:
        failure: One of `ganzoo.doctor.FAILURES`.
        gan: The GAN that has it, compiled.
    """
    return list(_Settings(gan).of(failure))[:LISTED]


class _Settings:
    """What could be changed in a GAN."""

    def __init__(self, gan: Any):
        self.gan = gan
        self.name = next((name for name in GANS if GANS[name] is type(gan)), "")
        self.points = len(gan.image_shape) == 1
        # their class is what makes them what they are
        bound = gan.kind_of_labels != "unconditional" or gan.conditions
        self.free = bool(self.name) and not (bound or hasattr(gan, "vocabulary"))
        self.normed = bool(batch_norms(gan.discriminator))
        self.packs = getattr(gan, "packing", 1)

    def of(self, failure: str) -> Iterator[Setting]:
        found = getattr(self, f"_{failure}")()
        return (one for one in found if one is not None)

    def _vanishing_gradients(self) -> Iterator[Setting | None]:
        if self.name in ("minimax", "maximum_likelihood"):
            yield self._to(
                "non_saturating", "its gradient is largest where the discriminator is sure"
            )
        steps = self.gan.discriminator_steps
        if self.name != "wgan_gp":
            yield self._critic()
        if steps > 1 and not isinstance(self.gan, WassersteinGame):
            yield Setting({"gan.discriminator_steps": 1}, "the discriminator gets less far ahead")
        yield self._rates({"discriminator": 0.25}, "the discriminator gets less far ahead")
        yield self._noise()

    def _mode_collapse(self) -> Iterator[Setting | None]:
        yield self._units()
        if self.packs == 1:
            yield self._packs()
        if self.name != "unrolled":
            why = "the generator sees how the discriminator will answer"
            yield self._to("unrolled", why, unrolling_steps=5)
        yield self._head()
        yield self._rates({"generator": 0.25}, "the generator does not run away from its answer")

    def _non_convergence(self) -> Iterator[Setting | None]:
        if self.name != "r1":
            why = "the discriminator is flat where the data are, which ends circles"
            yield self._to("r1", why, r1_gamma=0.1 if self.points else 1.0)
        quarter = {"generator": 0.25, "discriminator": 0.25}
        yield self._rates(quarter, "smaller steps do not overshoot")
        yield self._spectral()
        yield self._noise()

    def _divergence(self) -> Iterator[Setting | None]:
        tenth = {"generator": 0.1, "discriminator": 0.1}
        yield self._rates(tenth, "smaller steps do not blow up")
        if self.gan.generator.compute_dtype != "float32":
            yield Setting({"training.precision": "float32"}, "numbers do not overflow so soon")
        yield self._spectral()
        if self.name != "r1":
            why = "steep discriminators are penalised"
            yield self._to("r1", why, r1_gamma=0.1 if self.points else 1.0)

    # -- single changes ----------------------------------------------------------------------

    def _to(self, name: str, why: str, **options: Any) -> Setting | None:
        """Another class of GAN, of the same networks; a new class keeps no option of the old."""
        if not self.free or self.name == name or not self._plays():
            return None
        changes = {"gan.class": name, "gan.latent_dim": self.gan.latent_dim}
        changes |= {f"gan.{key}": value for key, value in options.items()}
        if self.packs > 1 and name != "pacgan":
            changes |= self._shape(1)
        return Setting(changes, why)

    def _plays(self) -> bool:
        """Whether the discriminator gives one logit, and can be trained."""
        shape = self.gan.discriminator.output_shape
        return shape == (None, 1) and bool(self.gan.discriminator.trainable_variables)

    def _critic(self) -> Setting | None:
        options = {"penalty_weight": 0.1 if self.points else 10.0}
        found = self._to("wgan_gp", "a critic's gradient does not vanish", **options)
        if found and self.normed:
            found.changes["discriminator.norm"] = "layer"
        return found

    def _noise(self) -> Setting | None:
        options = {"stddev": 0.5 if self.points else 0.2, "steps": 10_000}
        return self._to("instance_noise", "noise lets data and samples overlap", **options)

    def _packs(self) -> Setting | None:
        found = self._to("pacgan", "packs of samples show that they are alike", packing=2)
        if found:
            found.changes.update(self._shape(2))
        return found

    def _shape(self, packing: int) -> dict[str, Any]:
        """The discriminator's input for packs of so many."""
        *sides, last = self.gan.image_shape
        shape = [*sides, last * packing]
        dcgan = self.gan.discriminator.name == "dcgan_discriminator"
        return {f"discriminator.{'image_shape' if dcgan else 'shape'}": shape}

    def _units(self) -> Setting | None:
        """A DCGAN's first norm, where it can drown what tells images apart."""
        names = {layer.name: layer for layer in self.gan.generator.layers}
        norm = names.get("project_norm")
        if self.normed or norm is None or len(norm.output.shape) != 4:
            return None
        why = "norms over channels can drown what tells images apart"
        return Setting({"generator.project_norm": "units"}, why)

    def _head(self) -> Setting | None:
        names = {layer.name for layer in self.gan.discriminator.layers}
        known = self.gan.discriminator.name in ("dcgan_discriminator", "mlp_discriminator")
        if (
            not known
            or not self._plays()
            or names & {"minibatch_stddev", "minibatch_discrimination"}
        ):
            return None
        if self.name in ("wgan_gp", "dragan", "roth", "sgan"):  # penalties of each image by itself
            return None
        why = "the discriminator sees how much the samples of a batch differ"
        return Setting({"discriminator.head": "minibatch_stddev"}, why)

    def _spectral(self) -> Setting | None:
        known = self.gan.discriminator.name in ("dcgan_discriminator", "mlp_discriminator")
        if not known or any(
            "pectral" in type(one).__name__ for one in self.gan.discriminator.layers
        ):
            return None
        why = "spectral normalization bounds how steep the discriminator is"
        return Setting({"discriminator.norm": "spectral"}, why)

    def _rates(self, factors: dict[str, float], why: str) -> Setting | None:
        changes = {}
        for player, factor in factors.items():
            optimizer = getattr(self.gan, f"{player}_optimizer")
            inner = getattr(optimizer, "inner_optimizer", optimizer)
            key, rate = f"optimizers.{player}.learning_rate", inner._learning_rate
            if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
                config = rate.get_config()
                if "initial_learning_rate" not in config:
                    return None
                key, rate = f"{key}.initial_learning_rate", config["initial_learning_rate"]
            changes[key] = float(f"{factor * float(rate):.2g}")
        return Setting(changes, why)


def _written(value: Any) -> str:
    return str(value).replace(" ", "") if isinstance(value, list) else f"{value}"
