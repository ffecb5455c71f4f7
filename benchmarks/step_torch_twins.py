"""The worker of `train_step.py` that trains other GANs than DCGAN in PyTorch.

Each has the networks, losses, order of updates and moving average of ganzoo's class, on what
`step_torch.py` has of DCGAN.
"""

import math
from typing import Any

import step_torch
from workers import serve

torch = step_torch.torch
if torch is not None:
    from torch import nn
    from torch.nn import functional

CATEGORICAL, UNIFORM = 10, 2
CODES = CATEGORICAL + UNIFORM
LOG_2_PI = math.log(2 * math.pi)


class WGANGPStep(step_torch.PyTorchStep):
    """WGAN-GP: five updates of the critic, each with the penalty of Gulrajani 2017, Algorithm 1."""

    norm = "layer"
    discriminator_steps = 5
    logs = 5
    penalty_weight = 10.0

    def shares(self, count: int) -> "torch.Tensor":
        """Draws the share of the real image in each point between it and a generated one."""
        return torch.rand(count)

    def discriminator_backward(self, real, fake, latents):
        real_score = self.discriminator(real).mean()
        (-real_score).backward()
        fake_score = self.discriminator(fake).mean()
        fake_score.backward()
        points = torch.lerp(fake, real, self.shares(len(real)).view(-1, 1, 1, 1)).requires_grad_()
        # a point moves its own score alone, so the gradient of the sum is that of each
        total = self.discriminator(points).sum()
        (gradients,) = torch.autograd.grad(total, points, create_graph=True)
        norms = (gradients.square().sum((1, 2, 3)) + 1e-12).sqrt()
        penalty = (norms - 1).square().mean()
        # not to the points, which nothing moves
        weights = list(self.discriminator.parameters())
        (self.penalty_weight * penalty).backward(inputs=weights)
        logs = (fake_score - real_score, real_score, fake_score, penalty)
        return [one.detach() for one in logs]

    def generator_loss(self, fake, latents):
        loss = -self.discriminator(fake).mean()
        return loss, loss


class SNGANStep(step_torch.PyTorchStep):
    """SNGAN: hinge losses, and PyTorch's own spectral normalization in the discriminator.

    That takes one step of power iteration in each pass of training mode, as ganzoo's does.
    """

    norm = "spectral"

    def discriminator_backward(self, real, fake, latents):
        real_logits = self.discriminator(real)
        real_loss = functional.relu(1 - real_logits).mean()
        real_loss.backward()
        fake_logits = self.discriminator(fake)
        fake_loss = functional.relu(1 + fake_logits).mean()
        fake_loss.backward()
        with torch.no_grad():
            return [real_loss + fake_loss, real_logits.mean(), fake_logits.mean()]

    def generator_loss(self, fake, latents):
        loss = -self.discriminator(fake).mean()
        return loss, loss


class WithCodes(nn.Module if torch else object):
    """A discriminator with a second head on its trunk: Q, which infers InfoGAN's codes.

    Args:
        trunk: Layers that both heads share.
        features: How many features they give.
        units: Units of Q's dense layer.
    """

    def __init__(self, trunk: list["nn.Module"], features: int, units: int):
        super().__init__()
        self.trunk = nn.Sequential(*trunk)
        self.q_hidden = nn.Sequential(*step_torch.hidden_layer("batch", features, units))
        self.logits = nn.Linear(features, 1)
        self.q = nn.Linear(units, CODES)

    def forward(self, x: "torch.Tensor") -> "torch.Tensor":
        return self.logits(self.trunk(x))

    def both(self, x: "torch.Tensor") -> tuple["torch.Tensor", "torch.Tensor"]:
        """Returns logits (B, 1) and Q's parameters (B, CODES)."""
        x = self.trunk(x)
        return self.logits(x), self.q(self.q_hidden(x))


class InfoGANStep(step_torch.PyTorchStep):
    """InfoGAN: a ten-way code and two uniform ones on [-1, 1], whose Q has unit variance."""

    latent_dim = 62 + CODES
    logs = 8
    hidden_units = 128
    continuous_weight = 0.1

    def make_discriminator(self, shape, width, hidden):
        trunk, features = step_torch.trunk(shape, width, hidden)
        return WithCodes(trunk, features, self.hidden_units)

    def latents(self):
        noise = torch.randn(self.batch_size, self.latent_dim - CODES)
        kinds = functional.one_hot(torch.randint(CATEGORICAL, (self.batch_size,)), CATEGORICAL)
        return torch.cat([noise, kinds, torch.rand(self.batch_size, UNIFORM) * 2 - 1], 1)

    def bounds(self, latents: "torch.Tensor", parameters: "torch.Tensor") -> "torch.Tensor":
        """Returns the lower bound of each code's information in nats (Chen 2016, equation 5)."""
        kinds, uniform = latents[:, -CODES:].split([CATEGORICAL, UNIFORM], 1)
        logits, means = parameters.split([CATEGORICAL, UNIFORM], 1)
        categorical = math.log(CATEGORICAL) - functional.cross_entropy(logits, kinds)
        squares = (uniform - means).square().mean(0)
        return torch.cat([categorical[None], math.log(2) - 0.5 * (squares + LOG_2_PI)])

    def weighted(self, bounds: "torch.Tensor") -> "torch.Tensor":
        """Returns the bounds' sum, in which continuous codes count less."""
        return bounds[0] + self.continuous_weight * bounds[1:].sum()

    def discriminator_backward(self, real, fake, latents):
        real_logits = self.discriminator(real)
        real_loss = functional.softplus(-real_logits).mean()
        real_loss.backward()
        fake_logits, parameters = self.discriminator.both(fake)
        fake_loss = functional.softplus(fake_logits).mean()
        bounds = self.bounds(latents, parameters)
        (fake_loss - self.weighted(bounds)).backward()
        with torch.no_grad():
            probabilities = [torch.sigmoid(a).mean() for a in (real_logits, fake_logits)]
            return [real_loss + fake_loss, *probabilities, bounds.sum(), *bounds.detach()]

    def generator_loss(self, fake, latents):
        logits, parameters = self.discriminator.both(fake)
        loss = functional.softplus(-logits).mean()
        return loss - self.weighted(self.bounds(latents, parameters)), loss


# By the name of ganzoo's class.
TWINS = {"wgan_gp": WGANGPStep, "hinge": SNGANStep, "infogan": InfoGANStep}


def make(*, gan: str, **options: Any) -> step_torch.PyTorchStep:
    """Returns the twin of one of ganzoo's classes; options as `PyTorchStep` takes them."""
    step_torch.check_here()
    return TWINS[gan](**options)


if __name__ == "__main__":
    serve(make)
