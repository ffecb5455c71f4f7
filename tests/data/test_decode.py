import numpy as np
import pytest
from PIL import Image

from ganzoo.data.decode import Decoder, is_grey

AS_IS = Decoder(image_size=None, channels=3, crop=None)
GREY = Decoder(image_size=None, channels=1, crop=None)
RNG = np.random.default_rng(0)


def random_image(height=5, width=7, depth=3):
    return RNG.integers(0, 256, (height, width, depth), dtype=np.uint8)


@pytest.mark.parametrize(
    "kind, options",
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True, "exact": True}),
        ("TIFF", {}),
        ("BMP", {}),
        ("PPM", {}),
    ],
)
def test_lossless_formats_decode_to_the_very_pixels(encode, kind, options):
    pixels = random_image()
    np.testing.assert_array_equal(AS_IS.decode(encode(pixels, kind, **options)), pixels)


def test_jpeg_decodes_to_nearly_the_pixels(encode):
    ramp = np.tile(np.linspace(0, 255, 32).astype(np.uint8)[:, None, None], (1, 32, 3))
    decoded = AS_IS.decode(encode(ramp, "JPEG", quality=95))
    assert np.abs(decoded.astype(int) - ramp).max() <= 3


def test_grey_file_gains_three_equal_channels_or_keeps_one(encode):
    grey = random_image()[..., 0]
    np.testing.assert_array_equal(AS_IS.decode(encode(grey)), np.stack([grey] * 3, axis=-1))
    np.testing.assert_array_equal(GREY.decode(encode(grey)), grey[..., None])


def test_colour_becomes_grey_by_the_itu_601_luma(encode):
    pixels = random_image(20, 20)
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    assert np.abs(GREY.decode(encode(pixels))[..., 0] - luma).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_16_bit_grey_scales_to_8_bits_rounded(encode, kind):
    values = RNG.integers(0, 65536, (16, 16)).astype(np.uint16)
    values[0, :5] = [0, 128, 129, 65406, 65535]
    expected = np.rint(values / 65535 * 255)
    np.testing.assert_array_equal(GREY.decode(encode(values, kind))[..., 0], expected)
    np.testing.assert_array_equal(AS_IS.decode(encode(values, kind))[..., 2], expected)


def test_one_bit_images_become_black_and_white(encode):
    bits = RNG.random((9, 9)) < 0.5
    np.testing.assert_array_equal(GREY.decode(encode(bits))[..., 0], bits * 255)


def test_cmyk_becomes_rgb(encode):
    inks = RNG.integers(0, 256, (8, 8, 4), dtype=np.uint8)
    paper = 255.0 - inks.astype(float)
    expected = paper[..., :3] * paper[..., 3:] / 255
    decoded = AS_IS.decode(encode(cmyk(inks), "TIFF"))
    assert np.abs(decoded - expected).max() <= 1


def test_cmyk_jpeg_is_not_inverted(encode):
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[..., 1:3] = 255  # Magenta and yellow make red.
    decoded = AS_IS.decode(encode(cmyk(inks), "JPEG", quality=95)).astype(int)
    assert np.abs(decoded - [255, 0, 0]).max() <= 4


def cmyk(inks):
    return Image.merge("CMYK", [Image.fromarray(ink) for ink in np.moveaxis(inks, -1, 0)])


def test_transparent_colours_lie_over_white(encode):
    pixels = random_image(16, 16, 4)
    pixels[0, 0, 3], pixels[0, 1, 3] = 0, 255
    alpha = pixels[..., 3:] / 255
    expected = pixels[..., :3] * alpha + 255 * (1 - alpha)
    for kind, options in [("PNG", {}), ("WEBP", {"lossless": True, "exact": True})]:
        decoded = AS_IS.decode(encode(pixels, kind, **options))
        assert np.abs(decoded - expected).max() <= 1
        np.testing.assert_array_equal(decoded[0, 0], 255)
        np.testing.assert_array_equal(decoded[0, 1], pixels[0, 1, :3])


def test_transparent_grey_lies_over_white(encode):
    pixels = random_image(16, 16, 2)
    alpha = pixels[..., 1] / 255
    decoded = GREY.decode(encode(pixels))[..., 0]
    assert np.abs(decoded - (pixels[..., 0] * alpha + 255 * (1 - alpha))).max() <= 1


def palette_image():
    index = RNG.integers(0, 4, (8, 8), dtype=np.uint8)
    colours = np.array([[10, 20, 30], [200, 0, 0], [0, 200, 0], [1, 2, 250]], np.uint8)
    image = Image.fromarray(index)
    image.putpalette(colours.tobytes())
    return image, index, colours


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP"])
def test_palette_becomes_its_colours(encode, kind):
    image, index, colours = palette_image()
    np.testing.assert_array_equal(AS_IS.decode(encode(image, kind)), colours[index])


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparent_palette_entry_becomes_white(encode, kind):
    image, index, colours = palette_image()
    colours[1] = 255
    decoded = AS_IS.decode(encode(image, kind, transparency=1))
    np.testing.assert_array_equal(decoded, colours[index])


def test_palette_with_an_alpha_for_each_entry_lies_over_white(encode):
    image, index, colours = palette_image()
    alpha = np.array([[0], [85], [170], [255]]) / 255
    expected = (colours * alpha + 255 * (1 - alpha))[index]
    decoded = AS_IS.decode(encode(image, "PNG", transparency=bytes([0, 85, 170, 255])))
    assert np.abs(decoded - expected).max() <= 1


def test_transparent_key_colour_becomes_white(encode):
    pixels = random_image()
    pixels[2, 3] = pixels[0, 0] = [9, 8, 7]
    expected = pixels.copy()
    expected[2, 3] = expected[0, 0] = 255
    decoded = AS_IS.decode(encode(pixels, transparency=(9, 8, 7)))
    np.testing.assert_array_equal(decoded, expected)


# What a viewer does with each EXIF orientation, as array operations on (H, W).
ORIENTATIONS = {
    1: lambda x: x,
    2: np.fliplr,
    3: lambda x: np.rot90(x, 2),
    4: np.flipud,
    5: lambda x: np.swapaxes(x, 0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(np.fliplr(x), -1),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_applied_once(encode, orientation, kind):
    pixels = random_image(4, 6)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    decoded = AS_IS.decode(encode(pixels, kind, exif=exif, **options))
    np.testing.assert_array_equal(decoded, ORIENTATIONS[orientation](pixels))


def test_a_phone_photo_is_turned_before_it_is_cropped(encode):
    pixels = np.zeros((16, 48, 3), np.uint8)
    pixels[:, 16:32] = 255  # The centre square, whichever way it is turned.
    exif = Image.Exif()
    exif[0x0112] = 6
    decoder = Decoder(image_size=16, channels=3, crop=None)
    decoded = decoder.decode(encode(pixels, "JPEG", exif=exif, quality=100))
    assert decoded.shape == (16, 16, 3)
    assert decoded.min() >= 250


def test_damaged_exif_does_not_lose_the_image(encode):
    pixels = random_image()
    data = encode(pixels, exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f")
    np.testing.assert_array_equal(AS_IS.decode(data), pixels)


def test_animations_give_their_first_frame(encode):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    for kind, options in [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("TIFF", {})]:
        data = encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert (AS_IS.decode(data) == [255, 0, 0]).all(), kind


def test_floating_point_and_32_bit_pixels_are_refused(encode):
    with pytest.raises(ValueError, match="range"):
        GREY.decode(encode(np.ones((4, 4), np.float32), "TIFF"))
    with pytest.raises(ValueError, match="range"):
        GREY.decode(encode(np.full((4, 4), 70_000, np.int32), "TIFF"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_truncated_files_raise(encode, kind):
    data = encode(random_image(32, 32), kind)
    with pytest.raises(Exception, match=r"\w"):
        AS_IS.decode(data[: len(data) // 2])


def test_centre_crop_of_celeba_is_the_middle_178_rows(encode):
    pixels = random_image(218, 178)
    for crop in (178, None):
        decoder = Decoder(image_size=178, channels=3, crop=crop)
        np.testing.assert_array_equal(decoder.decode(encode(pixels)), pixels[20:198])


def test_crop_takes_the_centre_of_a_larger_image(encode):
    pixels = random_image(31, 40)
    decoder = Decoder(image_size=None, channels=3, crop=10)
    np.testing.assert_array_equal(decoder.decode(encode(pixels)), pixels[10:20, 15:25])


def test_image_smaller_than_the_crop_is_left_alone(encode):
    pixels = random_image(64, 64)
    decoder = Decoder(image_size=64, channels=3, crop=178)
    np.testing.assert_array_equal(decoder.decode(encode(pixels)), pixels)


def keys_cubic(x):
    """Keys 1981 with a = -1/2, the kernel that Pillow calls bicubic."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def resize_matrix(before, after):
    """(after, before) weights of an antialiased resize: the kernel widens as the image shrinks."""
    scale = before / after
    widened = max(scale, 1)
    centres = (np.arange(after)[:, None] + 0.5) * scale - 0.5
    weights = keys_cubic((np.arange(before) - centres) / widened)
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("before, after", [(40, 16), (178, 64), (8, 28), (33, 32)])
def test_resize_is_the_antialiased_cubic_filter(encode, before, after):
    pixels = random_image(before, before) // 4 + 96  # No overshoot that would be clipped.
    matrix = resize_matrix(before, after)
    expected = np.einsum("ih,jw,hwc->ijc", matrix, matrix, pixels)
    decoded = Decoder(image_size=after, channels=3, crop=None).decode(encode(pixels))
    assert np.abs(decoded - expected).max() < 1.2  # Pillow rounds after each of two passes.


def test_shrinking_a_fine_checkerboard_gives_its_mean(encode):
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    decoded = Decoder(image_size=16, channels=1, crop=None).decode(encode(board)).astype(int)
    assert np.abs(decoded[2:-2, 2:-2] - 127.5).max() < 2


def test_without_antialiasing_the_nearest_pixel_stands(encode):
    pixels = RNG.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    decoder = Decoder(image_size=3, channels=3, crop=None, antialias=False)
    np.testing.assert_array_equal(decoder.decode(encode(pixels)), pixels[1::3, 1::3])


def test_headers_tell_grey_from_colour(encode):
    colour = random_image()
    grey = colour[..., 0]
    shades = Image.fromarray(grey % 4)
    shades.putpalette([0, 0, 0, 80, 80, 80, 160, 160, 160, 255, 255, 255])
    for image in (grey, grey > 9, colour[..., :2], grey.astype(np.uint16), shades):
        assert is_grey(encode(image))
    assert is_grey(encode(grey, "JPEG"))
    assert not is_grey(encode(palette_image()[0]))
    assert not is_grey(encode(colour))
    assert not is_grey(encode(random_image(depth=4)))
    assert not is_grey(encode(cmyk(random_image(depth=4)), "JPEG"))
