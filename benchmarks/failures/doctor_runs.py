"""The runs on which the doctor is tuned, and those on which it is judged.

Failures are planted by settings that are known to bring them about. What a run is counted as is
what became of it, measured at its end (`doctor_truth`).
"""

import dataclasses
from typing import Any

from runs import Run

BASES = {"ring": 2, "grid": 2, "line": 1}
STEPS = {"ring": 4000, "grid": 4000, "line": 3000, "digits": 1000}
FLAT = {"class": "adam", "beta_1": 0.5}


def run(
    row: str,
    column: str,
    *,
    seed: int,
    gan: Any = "non_saturating",
    g: Any = 1e-3,
    d: Any = 1e-3,
    steps: int | None = None,
    batch: int = 128,
    latent_dim: int = 8,
    generator: dict | None = None,
    discriminator: dict | None = None,
) -> Run:
    """Returns a run of small dense networks on points, or of small DCGANs on 8x8 digits.

    Args:
        row: What it is called; begins with what is planted.
        column: Data: `"ring"`, `"grid"`, `"line"` or `"digits"`.
        seed: Of the run.
        gan: Class, or a mapping with its options.
        g: The generator's optimizer: a learning rate of Adam(beta_1=0.5), or a mapping.
        d: The discriminator's.
        steps: Of the run.
        batch: Images an update.
        latent_dim: Of the generator.
        generator: Options of its network.
        discriminator: Options of its network.
    """
    steps = steps or STEPS[column]
    gan = {"class": gan} if isinstance(gan, str) else dict(gan)
    entry = "dcgan_digits" if column == "digits" else "non_saturating_ring"
    if column == "digits":
        networks = {
            "generator": {"width": 16, **(generator or {})},
            "discriminator": {"width": 16, **(discriminator or {})},
        }
        data = {"batch_size": min(batch, 64)}
    else:
        shape = [BASES[column]]
        packs = [shape[0] * gan.get("packing", 1)]
        networks = {
            "generator": {"network": "mlp_generator", "shape": shape, "width": 64, "depth": 2,
                          **(generator or {})},
            "discriminator": {"network": "mlp_discriminator", "shape": packs, "width": 64,
                              "depth": 2, **(discriminator or {})},
        }  # fmt: skip
        data = {"dataset": "ring" if column == "line" else column, "batch_size": batch}
    networks = {  # a None takes an option out
        name: {key: value for key, value in own.items() if value is not None}
        for name, own in networks.items()
    }
    if gan["class"] in ("cgan", "acgan", "projection"):
        data |= {"labels": True}
    optimizers = {
        player: {**FLAT, "learning_rate": one} if isinstance(one, float) else one
        for player, one in (("generator", g), ("discriminator", d))
    }
    overrides = {
        "gan": {**gan, "latent_dim": latent_dim},
        **networks,
        "optimizers": optimizers,
        "data": data,
        "training.steps": steps,
    }
    return Run(row, column, entry, seed, overrides)


def annealed(rate: float, steps: int) -> dict[str, Any]:
    """Returns Adam whose rate falls to 0 in so many updates."""
    schedule = {"class": "cosine_decay", "initial_learning_rate": rate, "decay_steps": steps}
    return {**FLAT, "learning_rate": schedule}


def sgd(rate: float, momentum: float = 0.0) -> dict[str, Any]:
    """Returns stochastic gradient descent, with momentum if asked."""
    return {"class": "sgd", "learning_rate": rate, "momentum": momentum}


def adam(rate: float, beta_1: float) -> dict[str, Any]:
    """Returns Adam with another memory."""
    return {"class": "adam", "learning_rate": rate, "beta_1": beta_1}


def rmsprop(rate: float) -> dict[str, Any]:
    """Returns RMSprop."""
    return {"class": "rmsprop", "learning_rate": rate}


def k(name: str, steps: int, **options: Any) -> dict[str, Any]:
    """Returns a class with so many updates of the discriminator a step."""
    return {"class": name, "discriminator_steps": steps, **options}


def tuning() -> list[Run]:
    """Runs for setting the rules' thresholds, which no result is reported of."""
    v, c, n, h = "vanishing", "collapse", "non-convergence", "healthy"
    far = {"width": 64, "depth": 3}
    return [
        run(f"{v} minimax five steps", "ring", seed=100, gan=k("minimax", 5), g=1e-4, d=2e-3),
        run(f"{n} momentum", "line", seed=101, gan="minimax", g=sgd(0.05, 0.9), d=sgd(0.05, 0.9)),
        run(f"{h} plain", "ring", seed=102, g=annealed(1e-3, 4000), d=annealed(2e-3, 4000)),
        run(
            f"{c} narrow generator",
            "grid",
            seed=103,
            latent_dim=1,
            generator={"width": 2, "depth": 1},
        ),
        run(f"{v} sgd", "ring", seed=104, gan="minimax", g=sgd(0.02), d=2e-3, discriminator=far),
        run(
            f"{n} no clipping",
            "ring",
            seed=105,
            gan={"class": "wgan", "clip": 1000.0, "discriminator_steps": 1},
            g=1e-3,
            d=1e-3,
        ),
        run(f"{h} gradient penalty", "ring", seed=106, gan=k("wgan_gp", 3, penalty_weight=0.1)),
        run(
            f"{c} fast generator, annealed",
            "ring",
            seed=107,
            g=annealed(3e-3, 3000),
            d=annealed(3e-4, 3000),
        ),
        run(
            f"{v} clip",
            "ring",
            seed=108,
            gan=k("wgan", 3, clip=0.003),
            g=sgd(0.05),
            d=rmsprop(1e-3),
            discriminator={"depth": 4},
        ),
        run(f"{n} fast generator", "ring", seed=109, g=5e-3, d=5e-4),
        run(f"{h} plain", "line", seed=110),
        run(
            f"{c} feature matching of means",
            "ring",
            seed=111,
            gan="feature_matching",
            discriminator={"width": 2},
        ),
        run(f"{v} digits", "digits", seed=112, gan=k("minimax", 2), g=sgd(0.02), d=1e-3),
        run(f"{n} high rates", "ring", seed=113, g=adam(1e-2, 0.9), d=adam(1e-2, 0.9)),
        run(
            f"{h} r1",
            "grid",
            seed=114,
            gan={"class": "r1", "r1_gamma": 0.1},
            latent_dim=2,
            generator={"width": 96},
            discriminator={"width": 96},
        ),
        run(
            f"{c} one kernel",
            "ring",
            seed=115,
            gan={"class": "gmmn", "bandwidths": [50.0]},
            discriminator={
                "network": "flatten_features",
                "shape": [2],
                "width": None,
                "depth": None,
            },
        ),
        run(f"{h} digits", "digits", seed=116, g=2e-4, d=2e-4, latent_dim=32),
        run(f"{n} digits high rates", "digits", seed=117, g=adam(2e-2, 0.9), d=adam(2e-2, 0.9)),
        run(f"{c} digits narrow", "digits", seed=118, generator={"width": 2}, latent_dim=1),
        run(
            f"{h} spectral hinge", "ring", seed=119, gan="hinge", discriminator={"norm": "spectral"}
        ),
        run(
            f"{h} unrolled",
            "ring",
            seed=120,
            gan={"class": "unrolled", "unrolling_steps": 3},
            d=2e-4,
        ),
        run(f"{c} slow discriminator", "line", seed=121, g=1e-3, d=2e-5),
        run(f"{h} lsgan", "line", seed=122, gan="lsgan"),
        run(
            f"{h} wgan digits",
            "digits",
            seed=123,
            gan=k("wgan_gp", 2),
            latent_dim=32,
            discriminator={"norm": "none"},
            steps=1000,
        ),
        run(
            f"{v} lsgan far ahead",
            "grid",
            seed=124,
            gan=k("lsgan", 5),
            g=sgd(0.01),
            d=2e-3,
            discriminator=far,
        ),
        run(
            f"{n} weak discriminator",
            "ring",
            seed=125,
            g=2e-3,
            d=1e-3,
            discriminator={"width": 4, "depth": 1},
        ),
        run(f"{h} dragan", "grid", seed=126, gan="dragan", latent_dim=2),
        run(
            f"{h} instance noise",
            "ring",
            seed=127,
            gan={"class": "instance_noise", "stddev": 0.5, "steps": 3000},
        ),
    ]


def judged(seed: int = 0) -> list[Run]:
    """Returns runs on which the doctor is judged, and was not tuned: other settings, other seeds.

    Args:
        seed: Added to that of each run.
    """
    planned = [*_vanishing(), *_collapsing(), *_swinging(), *_healthy()]
    return [dataclasses.replace(one, seed=one.seed + seed) for one in planned]


def _vanishing() -> list[Run]:
    """A discriminator far ahead of a generator whose loss, or whose critic, is flat there."""
    v, deep = "vanishing", {"width": 96, "depth": 3}
    slow, slower = sgd(3e-3), sgd(1e-3)
    clipped = {"gan": k("wgan", 2, clip=0.002), "d": rmsprop(5e-4), "discriminator": {"depth": 3}}
    tanh = {"activation": "tanh", "width": 96, "initializer": "he_normal"}
    heavy = sgd(0.1, 0.9)
    likely = {"gan": k("maximum_likelihood", 2), "d": 2e-3}
    return [
        run(f"{v}: minimax, sgd", "ring", seed=0, gan=k("minimax", 3), g=slower, d=2e-3),
        run(f"{v}: minimax, sgd", "grid", seed=1, gan=k("minimax", 3), g=slower, d=2e-3),
        run(f"{v}: minimax, sgd", "line", seed=2, gan=k("minimax", 3), g=slower, d=2e-3),
        run(f"{v}: minimax, deep", "ring", seed=3, gan="minimax", g=slow, discriminator=deep),
        run(f"{v}: minimax, deep", "grid", seed=4, gan="minimax", g=slow, discriminator=deep),
        run(f"{v}: clipped to nothing", "ring", seed=5, g=sgd(0.02), **clipped),
        run(f"{v}: clipped to nothing", "grid", seed=6, g=sgd(0.02), **clipped),
        run(f"{v}: clipped to nothing", "line", seed=7, g=sgd(0.02), **clipped),
        run(f"{v}: likelihood, sgd", "ring", seed=8, g=slower, **likely),
        run(f"{v}: likelihood, sgd", "line", seed=9, g=slower, **likely),
        run(f"{v}: minimax, digits", "digits", seed=10, gan=k("minimax", 2), g=sgd(0.01), d=1e-3),
        run(f"{v}: minimax, digits", "digits", seed=11, gan="minimax", g=sgd(3e-3), d=2e-3,
            discriminator={"width": 24}),
        run(f"{v}: tanh, sgd", "ring", seed=12, gan="minimax", g=slower, d=5e-3,
            discriminator=tanh),
        run(f"{v}: heavy momentum", "line", seed=13, gan="minimax", g=heavy, d=heavy),
    ]  # fmt: skip


def _collapsing() -> list[Run]:
    """Generators that cannot show all, or are not asked to."""
    c, thin = "collapse", {"width": 3, "depth": 1}
    means = {"gan": "feature_matching", "discriminator": {"width": 2, "depth": 1}}
    wide = {"network": "flatten_features"}
    ring, line = ({**wide, "shape": [n], "width": None, "depth": None} for n in (2, 1))
    kernel = {"class": "gmmn", "bandwidths": [100.0]}
    fast = {"g": annealed(4e-3, 2000), "d": annealed(3e-4, 2000)}
    return [
        run(f"{c}: thin generator", "grid", seed=20, latent_dim=1, generator=thin),
        run(f"{c}: thin generator", "grid", seed=21, latent_dim=2, generator={"width": 2}),
        run(f"{c}: thin generator", "ring", seed=22, latent_dim=1, generator={"width": 2}),
        run(f"{c}: means alone", "ring", seed=23, **means),
        run(f"{c}: means alone", "grid", seed=24, **means),
        run(f"{c}: means alone", "line", seed=25, **means),
        run(f"{c}: one wide kernel", "ring", seed=26, gan=kernel, discriminator=ring),
        run(f"{c}: one wide kernel", "grid", seed=27, gan=kernel, discriminator=ring),
        run(f"{c}: one wide kernel", "line", seed=28, gan=kernel, discriminator=line),
        run(f"{c}: fast, then frozen", "ring", seed=29, **fast),
        run(f"{c}: fast, then frozen", "grid", seed=30, **fast),
        run(f"{c}: thin generator", "digits", seed=31, latent_dim=1, generator={"width": 1}),
        run(f"{c}: channels drowned", "digits", seed=32, gan="hinge", g=1e-3, d=1e-3,
            generator={"width": 8}, discriminator={"norm": "spectral"}, latent_dim=1),
        run(f"{c}: fast, then frozen", "digits", seed=33, g=annealed(1e-2, 500),
            d=annealed(5e-4, 500)),
    ]  # fmt: skip


def _swinging() -> list[Run]:
    """Steps too large for the game, or a discriminator that nothing holds back."""
    n, free = "swinging", {"class": "wgan", "clip": 100.0, "discriminator_steps": 1}
    hasty = adam(2e-2, 0.9)
    return [
        run(f"{n}: no clipping", "ring", seed=40, gan=free, g=5e-4, d=5e-4),
        run(f"{n}: no clipping", "grid", seed=41, gan=free, g=5e-4, d=5e-4),
        run(f"{n}: no clipping", "line", seed=42, gan=free, g=5e-4, d=5e-4),
        run(f"{n}: high rates, momentum", "ring", seed=43, g=hasty, d=hasty),
        run(f"{n}: high rates, momentum", "grid", seed=44, g=hasty, d=hasty),
        run(f"{n}: high rates, momentum", "line", seed=45, g=hasty, d=hasty),
        run(f"{n}: fast generator", "ring", seed=46, g=6e-3, d=4e-4),
        run(f"{n}: fast generator", "grid", seed=47, g=6e-3, d=4e-4),
        run(f"{n}: weak discriminator", "ring", seed=48, g=2e-3, discriminator={"width": 3}),
        run(f"{n}: weak discriminator", "grid", seed=49, g=2e-3, discriminator={"width": 3}),
        run(f"{n}: hinge, high rates", "ring", seed=50, gan="hinge", g=1e-2, d=1e-2),
        run(f"{n}: high rates", "digits", seed=51, g=3e-2, d=3e-2),
        run(f"{n}: no clipping", "digits", seed=52, gan=free, g=2e-3, d=2e-3),
        run(f"{n}: fast generator", "digits", seed=53, g=2e-2, d=2e-4),
    ]


def _healthy() -> list[Run]:
    """Settings that are known to work, of many classes."""
    h, two = "healthy", {"width": 96}
    points = {"generator": two, "discriminator": two}
    calm = {"g": annealed(1e-3, 4000), "d": annealed(2e-3, 4000)}
    noise = {"class": "instance_noise", "stddev": 0.3, "steps": 2000}
    slow = {"g": 1e-3, "d": 2e-4}
    return [
        run(f"{h}: annealed", "ring", seed=60, **calm, **points),
        run(f"{h}: annealed", "grid", seed=61, **calm, **points, latent_dim=2),
        run(f"{h}: annealed", "line", seed=62, **calm, **points),
        run(f"{h}: constant rates", "ring", seed=63, d=2e-3, **points),
        run(f"{h}: constant rates", "line", seed=64, d=2e-3, latent_dim=4),
        run(f"{h}: gradient penalty", "ring", seed=65, gan=k("wgan_gp", 4, penalty_weight=0.1)),
        run(f"{h}: gradient penalty", "line", seed=66, gan=k("wgan_gp", 3, penalty_weight=0.1)),
        run(f"{h}: gradient penalty", "grid", seed=67, gan=k("wgan_gp", 4, penalty_weight=0.1),
            latent_dim=2),
        run(f"{h}: r1", "ring", seed=68, gan={"class": "r1", "r1_gamma": 0.05}, d=2e-3),
        run(f"{h}: r1", "line", seed=69, gan={"class": "r1", "r1_gamma": 0.1}),
        run(f"{h}: packs", "ring", seed=70, gan={"class": "pacgan", "packing": 2}, batch=256,
            **calm),
        run(f"{h}: packs", "grid", seed=71, gan={"class": "pacgan", "packing": 4}, batch=512,
            latent_dim=2, **calm),
        run(f"{h}: unrolled", "ring", seed=72, gan={"class": "unrolled", "unrolling_steps": 5},
            **slow),
        run(f"{h}: unrolled", "line", seed=73, gan={"class": "unrolled", "unrolling_steps": 3},
            **slow),
        run(f"{h}: dragan", "ring", seed=74, gan="dragan", **calm),
        run(f"{h}: dragan", "line", seed=75, gan="dragan"),
        run(f"{h}: instance noise", "ring", seed=76, gan=noise, **calm),
        run(f"{h}: least squares", "ring", seed=77, gan="lsgan", **calm),
        run(f"{h}: least squares", "line", seed=78, gan="lsgan", d=2e-3),
        run(f"{h}: hinge, spectral", "line", seed=79, gan="hinge",
            discriminator={"norm": "spectral"}),
        run(f"{h}: relativistic", "ring", seed=80, gan="ragan", **calm),
        run(f"{h}: smooth labels", "line", seed=81, gan="label_smoothing", **calm),
        run(f"{h}: minibatch", "ring", seed=82, discriminator={"head": "minibatch_stddev"}, **calm),
        run(f"{h}: roth", "ring", seed=83, gan="roth", **calm),
        run(f"{h}: digits", "digits", seed=84, g=5e-4, d=5e-4, latent_dim=16),
        run(f"{h}: digits", "digits", seed=85, g=1e-3, d=5e-4, latent_dim=24,
            generator={"width": 24}),
        run(f"{h}: digits, least squares", "digits", seed=86, gan="lsgan", g=5e-4, d=5e-4),
        run(f"{h}: digits, gradient penalty", "digits", seed=87, gan=k("wgan_gp", 2), g=5e-4,
            d=5e-4, latent_dim=16, discriminator={"norm": "none"}),
        run(f"{h}: digits, r1", "digits", seed=88, gan={"class": "r1", "r1_gamma": 1.0}, g=5e-4,
            d=5e-4, latent_dim=16),
        run(f"{h}: digits, relativistic", "digits", seed=89, gan="ragan", g=5e-4, d=5e-4),
        run(f"{h}: digits, two steps", "digits", seed=90, gan=k("hinge", 2), g=5e-4, d=5e-4,
            generator={"project_norm": "units"}, discriminator={"norm": "spectral"}),
        run(f"{h}: consensus", "line", seed=91, gan={"class": "consensus", "gamma": 0.1}),
        run(f"{h}: replay", "line", seed=92, gan="experience_replay", **calm),
        run(f"{h}: historical", "line", seed=93, gan={"class": "historical_averaging",
            "weight": 1e-4}),
    ]  # fmt: skip
