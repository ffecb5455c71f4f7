"""The worker of `train_step.py` that trains the same DCGAN in PyTorch, and what other twins share.

The order of updates is that of PyTorch's own DCGAN example
(github.com/pytorch/examples/tree/main/dcgan): the discriminator on real images, backward, on
generated ones, backward, one step; then the generator on the same generated images through the
discriminator as it now is. Networks, initial weights, batch normalisation, optimizers, losses and
the moving average of the generator are ganzoo's.
"""

import copy
import functools
from typing import Any

from workers import Problem, run_for, run_steps, serve

try:
    import torch
except ImportError:
    torch = None
if torch is not None:
    from torch import nn
    from torch.nn import functional

LATENT_DIM = 100
EMA_DECAY = 0.999
NORM = {"eps": 1e-5, "momentum": 0.1}
KERNEL = {"kernel_size": 4, "stride": 2, "padding": 1}


def doublings(side: int) -> tuple[int, int]:
    """Returns the smallest side and how often it is doubled to give `side`."""
    count = 0
    while side % 2 == 0 and side >= 8:
        side, count = side // 2, count + 1
    return side, count


def generator(shape: tuple[int, int, int], width: int, hidden: int, latent_dim: int) -> "nn.Module":
    """Returns the generator, (B, latent_dim) -> (B, C, H, W), channels last in memory."""
    side, count = doublings(shape[0])
    channels = width * 2 ** (count - 1)
    layers = []
    if hidden:
        layers = [nn.Linear(latent_dim, hidden, bias=False), nn.BatchNorm1d(hidden, **NORM)]
        layers.append(nn.ReLU(inplace=True))
    layers += [
        nn.Linear(hidden or latent_dim, side * side * channels, bias=False),
        nn.Unflatten(1, (side, side, channels)),
        Permute(0, 3, 1, 2),  # moves nothing: channels come last in memory
        *_norm_relu(channels),
    ]
    for _ in range(1, count):
        layers.append(nn.ConvTranspose2d(channels, channels // 2, **KERNEL, bias=False))
        channels //= 2
        layers += _norm_relu(channels)
    layers += [nn.ConvTranspose2d(channels, shape[2], **KERNEL), nn.Tanh()]
    return nn.Sequential(*layers)


def discriminator(
    shape: tuple[int, int, int], width: int, hidden: int, norm: str = "batch"
) -> "nn.Module":
    """Returns the discriminator, (B, C, H, W) -> logits (B, 1)."""
    layers, features = trunk(shape, width, hidden, norm)
    return nn.Sequential(*layers, within(norm, nn.Linear(features, 1)))


def trunk(
    shape: tuple[int, int, int], width: int, hidden: int, norm: str = "batch"
) -> tuple[list["nn.Module"], int]:
    """Returns the discriminator's layers before its logits, and the number of their features.

    Args:
        shape: (H, W, C) of the images.
        width: Channels of the first layer.
        hidden: Units of a dense layer; 0: none.
        norm: `"batch"`, `"layer"` or `"spectral"`, as ganzoo has it.
    """
    side, count = doublings(shape[0])
    bias = norm == "spectral"
    layers = [within(norm, nn.Conv2d(shape[2], width, **KERNEL)), nn.LeakyReLU(0.2, inplace=True)]
    for _ in range(1, count):
        layers.append(within(norm, nn.Conv2d(width, 2 * width, **KERNEL, bias=bias)))
        width *= 2
        layers += after(norm, width, maps=True)
    flat = side * side * width
    layers += [Permute(0, 2, 3, 1), nn.Flatten()]
    if hidden:
        layers += hidden_layer(norm, flat, hidden)
    return layers, hidden or flat


def hidden_layer(norm: str, features: int, units: int) -> list["nn.Module"]:
    """Returns a dense layer of the discriminator, normalised, with LeakyReLU."""
    dense = within(norm, nn.Linear(features, units, bias=norm == "spectral"))
    return [dense, *after(norm, units, maps=False)]


def within(norm: str, module: "nn.Module") -> "nn.Module":
    """Returns a module, with its weight divided by its spectral norm where `norm` says so."""
    return nn.utils.parametrizations.spectral_norm(module) if norm == "spectral" else module


def after(norm: str, channels: int, *, maps: bool) -> list["nn.Module"]:
    """Returns what follows a layer of the discriminator: a norm, if it has one, and LeakyReLU."""
    layers = [nn.LeakyReLU(0.2, inplace=True)]
    if norm == "batch":
        layers.insert(0, (nn.BatchNorm2d if maps else nn.BatchNorm1d)(channels, **NORM))
    elif norm == "layer":
        layers.insert(0, nn.GroupNorm(1, channels, eps=NORM["eps"]))
    return layers


def _norm_relu(channels: int) -> list["nn.Module"]:
    return [nn.BatchNorm2d(channels, **NORM), nn.ReLU(inplace=True)]


def check_here() -> None:
    """Raises Problem if there is no PyTorch."""
    if torch is None:
        raise Problem(
            "PyTorch is not here: pip install 'keras-ganzoo[peers]', or name an interpreter "
            "that has it, --torch_python=PATH, or leave it out, --peers="
        )


class Permute(nn.Module if torch else object):
    """Gives the axes another order."""

    def __init__(self, *axes: int):
        super().__init__()
        self.axes = axes

    def forward(self, x: "torch.Tensor") -> "torch.Tensor":
        return x.permute(self.axes)


class PyTorchStep:
    """One training step of a DCGAN on one prepared batch; subclasses train other GANs.

    Args:
        shape: (H, W, C) of the images.
        width: Width of both networks.
        hidden: Units of a dense layer in both networks; 0: none.
        batch_size: Images an update.
        threads: Threads of PyTorch.
        warm_up: Steps before the first that is measured.
        as_example: Whether to do what the example does beyond need: gradients of the
            discriminator's weights in the generator's update, which nothing uses, Adam in several
            passes over the weights, and losses brought to Python in each step.
    """

    latent_dim = LATENT_DIM
    norm = "batch"
    discriminator_steps = 1
    logs = 4

    def __init__(
        self,
        *,
        shape: list[int],
        width: int,
        hidden: int,
        batch_size: int,
        threads: int,
        warm_up: int,
        as_example: bool = False,
    ):
        check_here()
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)  # as TensorFlow does
        torch.manual_seed(0)
        self.as_example, self.batch_size = as_example, batch_size
        self.generator = _prepared(generator(shape, width, hidden, self.latent_dim))
        self.discriminator = _prepared(self.make_discriminator(shape, width, hidden))
        self.generator_ema = copy.deepcopy(self.generator).requires_grad_(False)
        self.steps_done = 0
        self.optimizers = {
            network: torch.optim.Adam(
                network.parameters(),
                lr=2e-4,
                betas=(0.5, 0.999),
                eps=1e-7,
                fused=None if as_example else True,
            )
            for network in (self.generator, self.discriminator)
        }
        height, breadth, channels = shape
        count = batch_size * self.discriminator_steps
        real = torch.rand(count, channels, height, breadth) * 2 - 1
        self.real = real.contiguous(memory_format=torch.channels_last)
        self.sums = torch.zeros(self.logs)
        run_steps(self.step, warm_up)

    def make_discriminator(self, shape: list[int], width: int, hidden: int) -> "nn.Module":
        """Returns the discriminator."""
        return discriminator(shape, width, hidden, self.norm)

    def about(self) -> dict[str, Any]:
        """Returns the version, the images of a step, and the weights that train of each network."""
        return {
            "version": f"PyTorch {torch.__version__}",
            "images": len(self.real),
            "weights": {
                player: sum(p.numel() for p in getattr(self, player).parameters())
                for player in ("generator", "discriminator")
            },
        }

    def latents(self) -> "torch.Tensor":
        """Draws the latents of an update."""
        return torch.randn(self.batch_size, self.latent_dim)

    def step(self) -> None:
        """Updates of the discriminator, each on fresh images, then one of the generator."""
        *earlier, real = self.real.split(self.batch_size)
        for batch in earlier:
            with torch.no_grad():
                fake = self.generator(self.latents())
            self.update_discriminator(batch, fake)
        latents = self.latents()
        fake = self.generator(latents)
        d_logs = self.update_discriminator(real, fake.detach(), latents)
        g_loss = self.update_generator(fake, latents)
        self.move_ema()
        self.log(*d_logs, g_loss)

    def update_discriminator(
        self, real: "torch.Tensor", fake: "torch.Tensor", latents: "torch.Tensor | None" = None
    ) -> list["torch.Tensor"]:
        """Takes one step of the discriminator; returns what is to be logged of it."""
        self.discriminator.zero_grad()
        logs = self.discriminator_backward(real, fake, latents)
        self.optimizers[self.discriminator].step()
        return logs

    def update_generator(self, fake: "torch.Tensor", latents: "torch.Tensor") -> "torch.Tensor":
        """Takes one step of the generator; returns its loss."""
        self.generator.zero_grad()
        self.discriminator.requires_grad_(self.as_example)
        loss, logged = self.generator_loss(fake, latents)
        loss.backward()
        self.discriminator.requires_grad_(True)
        self.optimizers[self.generator].step()
        return logged.detach()

    def discriminator_backward(
        self, real: "torch.Tensor", fake: "torch.Tensor", latents: "torch.Tensor"
    ) -> list["torch.Tensor"]:
        """Computes the gradients of the discriminator; returns what is to be logged."""
        real_logits = self.discriminator(real)
        real_loss = functional.softplus(-real_logits).mean()
        real_loss.backward()
        fake_logits = self.discriminator(fake)
        fake_loss = functional.softplus(fake_logits).mean()
        fake_loss.backward()
        with torch.no_grad():
            probabilities = [torch.sigmoid(a).mean() for a in (real_logits, fake_logits)]
            return [real_loss + fake_loss, *probabilities]

    def generator_loss(
        self, fake: "torch.Tensor", latents: "torch.Tensor"
    ) -> tuple["torch.Tensor", "torch.Tensor"]:
        """Returns what the generator descends, and the part of it that is logged."""
        loss = functional.softplus(-self.discriminator(fake)).mean()
        return loss, loss

    @staticmethod
    def _state(network: "nn.Module") -> list["torch.Tensor"]:
        buffers = [b for b in network.buffers() if b.is_floating_point()]
        return [*(p.detach() for p in network.parameters()), *buffers]

    def move_ema(self) -> None:
        """Moves the average of the generator along, batch-norm statistics included.

        As ganzoo's, a young average has a short memory.
        """
        decay = min(EMA_DECAY, (1 + self.steps_done) / (10 + self.steps_done))
        self.steps_done += 1
        torch._foreach_lerp_(  # what torch.optim.swa_utils does it with
            self._state(self.generator_ema), self._state(self.generator), 1 - decay
        )

    def log(self, *values: "torch.Tensor") -> None:
        """Keeps the losses and probabilities of a step."""
        if self.as_example:
            self.shown = [value.item() for value in values]
        else:
            self.sums += torch.stack(values)

    def train(self, *, seconds: float) -> dict[str, float]:
        """Trains for some time; returns `steps` and `seconds`."""
        return run_for(self.step, seconds)

    def matmul(self, *, size: int, products: int) -> list[float]:
        """Returns the seconds of each of some products of two square float32 matrices."""
        a, b, out = (torch.randn(size, size) for _ in range(3))
        product = functools.partial(torch.mm, a, b, out=out)
        run_steps(product, 2)
        return [run_steps(product, 1) for _ in range(products)]


def _prepared(network: "nn.Module") -> "nn.Module":
    """Draws the weights as DCGAN has them; channels last, in training mode."""
    for module in network.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(_stored(module), 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm)):
            nn.init.normal_(module.weight, 1.0, 0.02)
    return network.to(memory_format=torch.channels_last).train()


def _stored(module: "nn.Module") -> "torch.Tensor":
    """Returns a module's weight, as it is before spectral normalization."""
    kept = getattr(module, "parametrizations", None)
    return kept.weight.original if kept else module.weight


if __name__ == "__main__":
    serve(PyTorchStep)
