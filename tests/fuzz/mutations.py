"""Damage: bytes and texts changed at random, by a seed."""

import random

# what a reader of a text may stumble over
NASTY = (
    "-1", "0", "1e999", ".nan", "null", "true", "[]", "{}", "''", "9" * 400, "../../../etc/passwd",
    "!!python/object/apply:os.system ['touch pwned']", "!!python/name:os.system", "&a [*a]",
    "{<<: {a: 1}}", "\u202e", "\x00", "[" * 3000, "{a: " * 500, "2026-11-22", "0x10", "1_000",
    '"\\ud800"', "~", "? x", "%TAG ! tag:x,2000:", "x: y: z", "- - - -", "'", '"', "`", "@",
)  # fmt: skip


def of_bytes(data: bytes, rng: random.Random) -> bytes:
    """Returns other bytes: some flipped, cut, repeated, overwritten, put in or left out."""
    found = data
    while found == data:
        found = rng.choice(_BYTES)(bytearray(data), rng)
    return bytes(found)


def of_text(data: bytes, rng: random.Random) -> bytes:
    """Returns another text: lines and values changed, or its bytes as `of_bytes` does."""
    if rng.random() < 0.25:
        return of_bytes(data, rng)
    found = data.decode()
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        lines = found.splitlines(keepends=True) or ["\n"]
        number = rng.randrange(len(lines))
        lines[number] = rng.choice(_LINES)(lines[number], rng)
        found = "".join(lines)
    return found.encode("utf-8", "surrogatepass")


def _span(data: bytearray, rng: random.Random, most: int = 64) -> slice:
    start = rng.randrange(len(data))
    return slice(start, start + rng.randint(1, most))


def _flip(data, rng):
    for _ in range(rng.choice((1, 1, 3, 20))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _cut(data, rng):
    return data[: rng.randrange(len(data))]


def _leave_out(data, rng):
    del data[_span(data, rng)]
    return data


def _repeat(data, rng):
    span = _span(data, rng)
    data[span] = data[span] * rng.randint(2, 5)
    return data


def _overwrite(data, rng):
    span = _span(data, rng)
    data[span] = rng.choice((bytes, rng.randbytes))(len(data[span]))
    return data


def _put_in(data, rng):
    place = rng.randrange(len(data) + 1)
    data[place:place] = rng.randbytes(rng.randint(1, 40))
    return data


def _number(data, rng):
    """A length or an offset, in a binary format, becomes an extreme one."""
    place = rng.randrange(max(1, len(data) - 8))
    width = rng.choice((2, 4, 8))
    value = rng.choice((0, 1, 2 ** (8 * width - 1), 2 ** (8 * width) - 1))
    data[place : place + width] = value.to_bytes(width, rng.choice(("little", "big")))
    return data


_BYTES = (_flip, _cut, _leave_out, _repeat, _overwrite, _put_in, _number)


def _value(line, rng):
    key, colon, _ = line.partition(":")
    return f"{key}{colon} {rng.choice(NASTY)}\n"


def _misspell(line, rng):
    if len(line) < 2:
        return line
    place = rng.randrange(len(line) - 1)
    return line[:place] + rng.choice("abcxyz_ :-[]{}#'\"\t\n0") + line[place + rng.randint(0, 1) :]


def _twice(line, rng):
    return line + line


def _nothing(line, rng):
    return ""


def _indent(line, rng):
    return rng.choice(("  ", "\t", "- ", "? ")) + line


def _digit(line, rng):
    digits = [place for place, sign in enumerate(line) if sign.isdigit()]
    if not digits:
        return _value(line, rng)
    place = rng.choice(digits)
    return line[:place] + rng.choice(("-5", "0", "7", "1e9", "nan", "''")) + line[place + 1 :]


_LINES = (_value, _value, _misspell, _misspell, _twice, _nothing, _indent, _digit, _digit)
