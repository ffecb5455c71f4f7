"""The worker of `train_step.py` that trains the same DCGAN in PyTorch.

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


def generator(shape: tuple[int, int, int], width: int, hidden: int) -> "nn.Module":
    """Returns the generator, (B, LATENT_DIM) -> (B, C, H, W), channels last in memory."""
    side, count = doublings(shape[0])
    channels = width * 2 ** (count - 1)
    layers = []
    if hidden:
        layers = [nn.Linear(LATENT_DIM, hidden, bias=False), nn.BatchNorm1d(hidden, **NORM)]
        layers.append(nn.ReLU(inplace=True))
    layers += [
        nn.Linear(hidden or LATENT_DIM, side * side * channels, bias=False),
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


def discriminator(shape: tuple[int, int, int], width: int, hidden: int) -> "nn.Module":
    """Returns the discriminator, (B, C, H, W) -> logits (B, 1)."""
    side, count = doublings(shape[0])
    layers = [nn.Conv2d(shape[2], width, **KERNEL), nn.LeakyReLU(0.2, inplace=True)]
    for _ in range(1, count):
        layers += [
            nn.Conv2d(width, 2 * width, **KERNEL, bias=False),
            nn.BatchNorm2d(2 * width, **NORM),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        width *= 2
    flat = side * side * width
    layers += [Permute(0, 2, 3, 1), nn.Flatten()]
    if hidden:
        layers += [nn.Linear(flat, hidden, bias=False), nn.BatchNorm1d(hidden, **NORM)]
        layers.append(nn.LeakyReLU(0.2, inplace=True))
    layers.append(nn.Linear(hidden or flat, 1))
    return nn.Sequential(*layers)


def _norm_relu(channels: int) -> list["nn.Module"]:
    return [nn.BatchNorm2d(channels, **NORM), nn.ReLU(inplace=True)]


class Permute(nn.Module if torch else object):
    """Gives the axes another order."""

    def __init__(self, *axes: int):
        super().__init__()
        self.axes = axes

    def forward(self, x: "torch.Tensor") -> "torch.Tensor":
        return x.permute(self.axes)


class PyTorchStep:
    """One training step of a DCGAN on one prepared batch.

    Args:
        shape: (H, W, C) of the images.
        width: Width of both networks.
        hidden: Units of a dense layer in both networks; 0: none.
        batch_size: Images a step.
        threads: Threads of PyTorch.
        warm_up: Steps before the first that is measured.
        as_example: Whether to do what the example does beyond need: gradients of the
            discriminator's weights in the generator's update, which nothing uses, Adam in several
            passes over the weights, and losses brought to Python in each step.
    """

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
        if torch is None:
            raise Problem(
                "PyTorch is not here: pip install 'keras-ganzoo[peers]', or name an interpreter "
                "that has it, --torch_python=PATH, or leave it out, --peers="
            )
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)  # as TensorFlow does
        torch.manual_seed(0)
        self.as_example, self.batch_size = as_example, batch_size
        self.generator = _prepared(generator(shape, width, hidden))
        self.discriminator = _prepared(discriminator(shape, width, hidden))
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
        real = torch.rand(batch_size, channels, height, breadth) * 2 - 1
        self.real = real.contiguous(memory_format=torch.channels_last)
        self.sums = torch.zeros(4)
        run_steps(self.step, warm_up)

    def about(self) -> dict[str, Any]:
        """Returns the version and the trainable weights of each network."""
        return {
            "version": f"PyTorch {torch.__version__}",
            "weights": {
                player: sum(p.numel() for p in getattr(self, player).parameters())
                for player in ("generator", "discriminator")
            },
        }

    def latents(self) -> "torch.Tensor":
        """Draws the latents of a step."""
        return torch.randn(self.batch_size, LATENT_DIM)

    def step(self) -> None:
        """One update of the discriminator, then one of the generator."""
        fake = self.generator(self.latents())

        self.discriminator.zero_grad()
        real_logits = self.discriminator(self.real)
        real_loss = functional.softplus(-real_logits).mean()
        real_loss.backward()
        fake_logits = self.discriminator(fake.detach())
        fake_loss = functional.softplus(fake_logits).mean()
        fake_loss.backward()
        self.optimizers[self.discriminator].step()

        self.generator.zero_grad()
        self.discriminator.requires_grad_(self.as_example)
        generator_loss = functional.softplus(-self.discriminator(fake)).mean()
        generator_loss.backward()
        self.discriminator.requires_grad_(True)
        self.optimizers[self.generator].step()

        self.move_ema()
        with torch.no_grad():
            probabilities = (torch.sigmoid(a).mean() for a in (real_logits, fake_logits))
            self.log(real_loss + fake_loss, generator_loss, *probabilities)

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
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(module.weight, 1.0, 0.02)
    return network.to(memory_format=torch.channels_last).train()


if __name__ == "__main__":
    serve(PyTorchStep)
