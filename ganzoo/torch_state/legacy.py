"""The format of PyTorch before 1.6: five pickles in a row, then the bytes of the storages.

It has no checksums: a damaged file may give other numbers.
"""

from ganzoo.torch_state.pickles import Machine

MAGIC = b"\x80"  # a pickle of protocol 2 or later
_NUMBER = 0x1950A86A20F9469CFC6C
_VERSION = 1001


def open_pickles(data: bytes) -> tuple[object, dict[str, memoryview], bool]:
    """Returns the pickled object, the bytes of each storage by key, and False.

    Storages are little-endian whatever machine wrote them and whatever the file's third pickle
    says of that machine: PyTorch turns them around.

    Raises:
        ValueError: The file is damaged or cut short, or a pickle is refused.
    """
    machine = Machine(data)
    number, end = machine.run()
    if type(number) is not int or number != _NUMBER:
        raise ValueError("it is a pickle, but not one that PyTorch wrote.")
    version, end = machine.run(end)
    if type(version) is not int or version != _VERSION:
        raise ValueError(f"its format's version is not {_VERSION}.")
    _, end = machine.run(end)
    document, end = machine.run(end)
    keys, end = machine.run(end)
    if type(keys) is not list or not all(type(key) is str for key in keys):
        raise ValueError("its list of storages is damaged.")
    storages: dict[str, memoryview] = {}
    for key in keys:
        if key in storages or key not in machine.storages:
            raise ValueError(f"it lists the storage {key[:40]!r}, which occurs twice or nowhere.")
        storage = machine.storages[key]
        if machine.number("<q") != storage.count:
            raise ValueError(f"its storage {key[:40]!r} has another size than its tensors say.")
        storages[key] = machine.take(storage.nbytes)
    if not machine.at_end():
        raise ValueError("something follows its last storage.")
    return document, storages, False
