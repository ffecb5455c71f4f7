"""Between a GAN's networks and named tensors.

A tensor's name is `network/layer/variable`, for example `generator/stem/kernel`; layers within
layers add their names between. States of random generators (dropout) are no weights.

Small files: after training, `generator` differs from its average `generator_ema` by little, and so
does a classifier from its own. With `delta=True` the kernels of such a network (floats of two or
more axes) are stored as that difference in float8 (e4m3: 3 bits of mantissa), with a float32 scale
per tensor beside it, named `generator/stem/kernel.scale`, that maps the largest difference to 448,
float8's largest value. The difference keeps a relative error of 2^-4 at most (below
max|difference| / 28,672 an absolute one of max|difference| / 458,752), and `assign` undoes it.
Vectors stay as they are: a batch-norm variance must not turn negative by rounding.
"""

import warnings
from collections.abc import Iterator, Mapping

import ml_dtypes
import numpy as np

from ganzoo.errors import closest, unknown

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_FLOAT8 = np.dtype(ml_dtypes.float8_e4m3fn)
_LARGEST = float(ml_dtypes.finfo(_FLOAT8).max)  # 448
_SCALE = ".scale"


def collect(gan, *, dtype: str = "float16", delta: bool = False) -> dict[str, np.ndarray]:
    """Returns the weights of all networks of a GAN by name.

    Args:
        gan: Anything with `networks`, a dict of built Keras models.
        dtype: What floats are stored as: float16, bfloat16 or float32. Integers stay.
        delta: Whether to store a network as its difference from its average; see the module.

    Raises:
        ValueError: A weight is not finite, or not within `dtype`'s range; or two variables have
            one name.
    """
    if dtype not in _FLOATS[:3]:
        raise unknown("dtype of weights", dtype, _FLOATS[:3])
    exact = {
        f"{network}/{path}": np.asarray(variable)
        for network, model in gan.networks.items()
        for path, variable in _variables(model)
    }
    stored = {name: _narrowed(name, value, dtype) for name, value in exact.items()}
    if delta:
        for name, value in exact.items():
            average = stored.get(_average_of(name))
            if average is not None and _is_float(value) and value.ndim >= 2:
                stored[name], stored[name + _SCALE] = _difference(value, average)
    return stored


def assign(gan, tensors: Mapping[str, np.ndarray]) -> None:
    """Gives the networks of a GAN the weights of a file: all of them, or none and an error.

    A file with one of generator and generator_ema fills both from it. One without a discriminator
    leaves that fresh, with a warning.

    Args:
        gan: Anything with `networks`, a dict of built Keras models.
        tensors: As `collect` gives and `read` returns them.

    Raises:
        ValueError: The first variable whose tensor is missing, or has another shape or kind; or a
            tensor that belongs to no variable. Nothing has been assigned then.
    """
    tensors = _filled(decoded(tensors), gan.networks)
    pairs, names = [], set()
    for network, model in gan.networks.items():
        if network == "discriminator" and not _of(network, tensors):
            message = (
                "These weights have no discriminator: it starts fresh, so expect a rough start."
            )
            warnings.warn(message, stacklevel=2)
            continue
        for path, variable in _variables(model):
            name = f"{network}/{path}"
            names.add(name)
            pairs.append((variable, _fitting(name, variable, tensors)))
    for name in tensors:
        if name not in names:
            raise ValueError(f"Unexpected weight {name!r}{closest(name, names)}.")
    for variable, value in pairs:
        variable.assign(value)


def decoded(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the tensors with stored differences undone (float32); see the module.

    Raises:
        ValueError: A difference without its scale or its average, or of another shape.
    """
    result = dict(tensors)
    for name, value in tensors.items():
        if value.dtype != _FLOAT8:
            continue
        scale, average = result.pop(name + _SCALE, None), tensors.get(_average_of(name))
        if scale is None or scale.shape != () or average is None or average.shape != value.shape:
            raise ValueError(
                f"{name!r} is a difference: it needs a scalar {name + _SCALE!r} and "
                f"{_average_of(name)!r} of shape {value.shape}."
            )
        result[name] = average.astype("float32") + value.astype("float32") * scale
    return result


def _difference(value: np.ndarray, average: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    difference = value.astype("float32") - average.astype("float32")
    scale = np.float32(np.max(np.abs(difference), initial=0.0) / _LARGEST)
    return (difference / (scale or 1)).astype(_FLOAT8), np.asarray(scale)


def _average_of(name: str) -> str:
    network, _, path = name.partition("/")
    return f"{network}_ema/{path}"


def _narrowed(name: str, value: np.ndarray, dtype: str) -> np.ndarray:
    if not _is_float(value):
        return value
    with np.errstate(over="ignore"):
        narrow = value.astype(dtype)
    if not np.all(np.isfinite(narrow)):
        bad = value[~np.isfinite(narrow)].flat[0]
        raise ValueError(f"Weight {name!r} has the value {bad}: not finite in {dtype}.")
    return narrow


def _is_float(value: np.ndarray) -> bool:
    return value.dtype.name in _FLOATS


def _of(network: str, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tensors of one network, by their path within it."""
    start = network + "/"
    return {name[len(start) :]: value for name, value in tensors.items() if name.startswith(start)}


def _filled(tensors: dict[str, np.ndarray], networks: Mapping) -> dict[str, np.ndarray]:
    """Adds the generator from its average, or the average from the generator."""
    if "generator" not in networks:  # no GAN: a classifier, say
        return tensors
    twins = ("generator", "generator_ema")
    here = {network: _of(network, tensors) for network in twins}
    if not any(here.values()):
        first = next(iter(sorted(tensors)), "nothing at all")
        raise ValueError(f"These weights have no generator. Expected 'generator/...', got {first}.")
    for network, other in (twins, twins[::-1]):
        if network in networks and not here[network]:
            tensors |= {f"{network}/{path}": value for path, value in here[other].items()}
        if network not in networks:  # a GAN that keeps no average
            tensors = {k: v for k, v in tensors.items() if not k.startswith(network + "/")}
    return tensors


def _fitting(name: str, variable, tensors: Mapping[str, np.ndarray]) -> np.ndarray:
    if name not in tensors:
        raise ValueError(
            f"The weights lack {name!r} of shape {tuple(variable.shape)}{closest(name, tensors)}."
        )
    value = tensors[name]
    if value.shape != tuple(variable.shape):
        raise ValueError(
            f"{name!r} has shape {tuple(variable.shape)} in the model, "
            f"{value.shape} in the weights."
        )
    if _is_float(value) != _is_float_name(variable.dtype):
        raise ValueError(
            f"{name!r} is {variable.dtype} in the model, {value.dtype.name} in the weights."
        )
    return value.astype("float32") if _is_float(value) else value


def _is_float_name(dtype: str) -> bool:
    return dtype in _FLOATS


def _variables(model) -> Iterator[tuple[str, object]]:
    """Yields each weight of a model with its path below the model, layer by layer."""
    seen: dict[str, int] = {}
    done: set[int] = set()
    for path, variable in _walk(model):
        if id(variable) in done:  # a weight shared by two layers goes by its first name
            continue
        done.add(id(variable))
        if seen.setdefault(path, id(variable)) != id(variable):
            raise ValueError(f"Model {model.name!r} has two weights {path!r}: name its layers.")
        yield path, variable


def _walk(model) -> Iterator[tuple[str, object]]:
    for layer in getattr(model, "layers", ()):
        if hasattr(layer, "get_layer"):  # a model within the model
            yield from ((f"{layer.name}/{path}", variable) for path, variable in _walk(layer))
        for variable in layer.weights:
            yield f"{layer.name}/{_below(layer.name, variable.path)}", variable
    for variable in model.weights:
        yield _below(model.name, variable.path), variable


def _below(name: str, path: str) -> str:
    """The part of a variable's path that follows the layer's name, else the whole path.

    The name's last place counts: a wrapper's layer, named as it is, has a path of `down1/down1`
    when it is built and of `down1` when it is read from a `.keras` file.
    """
    *scopes, variable = path.split("/")
    if name not in scopes:
        return path
    return "/".join([*scopes[len(scopes) - scopes[::-1].index(name) :], variable])
