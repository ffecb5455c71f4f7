"""Lines, interpolations and traversals against what the latents must have been."""

import numpy as np
import pytest

from ganzoo import latent, visualize
from ganzoo.latent import conditions
from tests import small


class Recorder:
    """A stand-in for a GAN that keeps what it is asked for; images show the latents."""

    latent_dim = 4

    def __init__(self, *known, dimension=4):
        self.conditions, self.latent_dim = known, dimension
        self.class_names = ("cat", "dog", "cow")
        self.codes = {"digit": range(3), "slant": (-1.0, 1.0), "width": (0.0, 2.0)}

    def generate(self, *, latents, **asked):
        self.latents, self.asked = latents, asked
        return np.zeros((len(latents), 2, 2, 1), np.uint8)


CODED = ("codes",)


def coded():
    return Recorder("codes", dimension=4 + 3 + 2)


# -- lines -----------------------------------------------------------------------------------


def test_lerp_is_the_straight_line():
    a, b = np.random.default_rng(0).standard_normal((2, 5, 8), np.float32)
    path = latent.lerp(a, b, [0, 0.25, 1])
    assert (path.shape, path.dtype) == ((3, 5, 8), np.float32)
    np.testing.assert_array_equal(path[0], a)
    np.testing.assert_array_equal(path[2], b)
    np.testing.assert_allclose(path[1], 0.75 * a + 0.25 * b, rtol=1e-6)
    with pytest.raises(ValueError, match="of one shape"):
        latent.lerp(a, b[:, :3], 0)


def test_the_middle_of_an_arc_is_as_long_as_its_ends_and_that_of_a_line_is_not():
    gan = Recorder(dimension=256)
    lengths = {}
    for path in ("slerp", "lerp"):
        latent.interpolate(gan, 40, 3, path=path, seed=1)
        rows = np.linalg.norm(gan.latents.reshape(40, 3, 256), axis=2)
        lengths[path] = rows[:, 1].mean() / rows[:, [0, 2]].mean()
    assert lengths["slerp"] == pytest.approx(1, abs=0.01)
    assert lengths["lerp"] == pytest.approx(np.sqrt(0.5), abs=0.02)
    with pytest.raises(ValueError, match="did you mean 'slerp'"):
        latent.interpolate(gan, path="slurp")


# -- conditions ------------------------------------------------------------------------------


def test_each_row_of_an_interpolation_keeps_a_class_and_rows_have_them_in_turn():
    gan = Recorder("labels")
    latent.interpolate(gan, 4, 2)
    assert gan.asked["labels"] == [0, 0, 1, 1, 2, 2, 0, 0]
    latent.interpolate(gan, 2, 3, labels=["dog", 0], batch_size=7)
    assert gan.asked == {"labels": ["dog"] * 3 + [0] * 3, "batch_size": 7}
    latent.interpolate(gan, 2, 2, labels="cow")
    assert gan.asked["labels"] == "cow"
    with pytest.raises(ValueError, match=r"labels, one value or one for each of 2 rows.* 3\."):
        latent.interpolate(gan, 2, 2, labels=[0, 1, 2])


def test_frames_keep_the_class_of_each_place_in_the_grid():
    gan = Recorder("labels")
    latent.interpolation_frames(gan, 3, 2, 2, labels=["cat", "dog", 2])
    assert gan.asked["labels"] == ["cat", "dog", 2] * 4


def test_interpolation_of_a_gan_with_codes_walks_through_noise_alone():
    gan = coded()
    latent.interpolate(gan, 2, 2, codes={"width": 0.5})
    assert gan.latents.shape == (4, 4) and conditions.noise_dim(gan) == 4
    assert gan.asked["codes"] == {"digit": [0, 0, 1, 1], "slant": [0.0] * 4, "width": 0.5}


# -- traversals ------------------------------------------------------------------------------


def test_an_axis_goes_from_end_to_end_and_all_else_stays():
    gan = Recorder()
    latent.traverse(gan, 2, n=3, steps=5, seed=4, reach=2.0)
    rows = gan.latents.reshape(3, 5, 4)
    np.testing.assert_allclose(rows[..., 2], np.tile([-2, -1, 0, 1, 2], (3, 1)), atol=1e-6)
    assert (np.delete(rows, 2, axis=2) == np.delete(rows[:, :1], 2, axis=2)).all()
    assert len(np.unique(rows[:, 0, 0])) == 3  # each row has noise of its own
    latent.traverse(gan, "2", n=3, steps=5, seed=4, reach=2.0)
    np.testing.assert_array_equal(gan.latents.reshape(3, 5, 4), rows)


def test_a_direction_replaces_the_latents_part_along_it_whatever_its_length():
    gan, direction = Recorder(), np.array([3.0, 0, 4.0, 0])
    latent.traverse(gan, direction, n=2, steps=3, reach=1.5)
    rows = gan.latents.reshape(2, 3, 4)
    np.testing.assert_allclose(rows @ [0.6, 0, 0.8, 0], np.tile([-1.5, 0, 1.5], (2, 1)), atol=1e-6)
    across = rows @ np.array([[0.8, 0, -0.6, 0], [0, 1, 0, 0], [0, 0, 0, 1]]).T
    np.testing.assert_allclose(across, np.repeat(across[:, :1], 3, axis=1), atol=1e-6)


def test_a_continuous_code_goes_through_its_interval_and_a_categorical_one_through_its_values():
    gan = coded()
    latent.traverse(gan, "width", n=2, steps=3)
    asked = gan.asked["codes"]
    assert asked["width"] == [0, 1, 2] * 2
    assert (asked["digit"], asked["slant"]) == ([0] * 3 + [1] * 3, [0.0] * 6)
    assert (gan.latents.reshape(2, 3, 4) == gan.latents.reshape(2, 3, 4)[:, :1]).all()
    latent.traverse(gan, "digit", n=2, steps=4, codes={"slant": [-1.0, 0.5]})
    assert gan.asked["codes"]["digit"] == [0, 1, 2, 0] * 2
    assert gan.asked["codes"]["slant"] == [-1.0] * 4 + [0.5] * 4


@pytest.mark.parametrize(
    ("gan", "what", "message"),
    [
        (coded(), "slnt", "Unknown code 'slnt'; did you mean 'slant'"),
        (Recorder(), "slant", "axis, 0 to 3, or a direction: this GAN has no codes"),
        (Recorder(), 4, "a latent axis, 0 to 3"),
        (coded(), "4", "a latent axis, 0 to 3"),
        (Recorder(), [1.0, 2.0], r"direction \(4,\)"),
        (Recorder(), np.zeros(4), "not zero"),
    ],
)
def test_what_can_not_be_traversed_is_refused(gan, what, message):
    with pytest.raises(ValueError, match=message):
        latent.traverse(gan, what)


def test_traversals_picture_has_a_row_in_each_row():
    gan = small.gan(eager=True)
    picture = latent.traverse_grid(gan, 1, n=3, steps=4, padding=0, scale=1)
    images = latent.traverse(gan, 1, n=3, steps=4)
    np.testing.assert_array_equal(picture, visualize.grid(images, columns=4, padding=0))
    assert len(np.unique(images.reshape(12, -1), axis=0)) == 12


def test_an_infogans_own_codes_can_be_traversed():
    from ganzoo.gans.infogan import InfoGAN

    gan = small_infogan(InfoGAN)
    images = latent.traverse(gan, "turn", n=2, steps=3, seed=5)
    noise = np.random.default_rng(5).standard_normal((2, 2), np.float32)
    turns = [-1.0, 0.0, 1.0]
    latents = [[*noise[i], *np.eye(2)[i], t] for i in range(2) for t in turns]
    np.testing.assert_array_equal(images, gan.generate(latents=latents))
    assert latent.interpolate(gan, 2, 3).shape == (6, 16, 16, 1)


def small_infogan(kind):
    """An InfoGAN of latents (B, 5): two of noise, a code of two values, a uniform one."""
    import keras

    generator, discriminator = small.convolutional()
    codes = keras.layers.Dense(4)(discriminator.layers[-2].output)
    discriminator = keras.Model(discriminator.input, [discriminator.output, codes])
    codes = {"kind": 2, "turn": [-1, 1]}
    gan = kind(generator, discriminator, latent_dim=5, codes=codes)
    gan.compile()
    return gan
