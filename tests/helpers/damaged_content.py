"""Ways to damage the content of a file, its values of JSON or its fields, for `fuzz`."""

import copy
import json

# What stands in the place of a value of JSON.
VALUES = (
    *(None, True, -1, 0, 0.5, 3, 1e308, float("nan"), float("inf"), 10**30, 10**9),
    *("", "x", "../../x", "\x00", "ü\n", "9" * 5000, [], {}, [[]], [1, 2, 3], {"a": [1]}),
)

FIELDS = ("", "x", "-1", "1e999", "nan", "1,5", "../../x", '"', "\x00", "ü", "9" * 5000, "a\nb", "0", "1e300")


def damage_bytes(content, random_):
    """Flip, cut, repeat, blank or insert some bytes."""
    content = bytearray(content)
    for _ in range(random_.choice([1, 1, 2, 8])):
        at, span = random_.randrange(len(content) + 1), random_.choice([1, 2, 4, 64])
        way = random_.randrange(6)
        if way == 0 and at < len(content):
            content[at] ^= 1 << random_.randrange(8)
        elif way == 1:
            del content[at : at + random_.randrange(200)]
        elif way == 2:
            content[at:at] = content[at : at + span]
        elif way == 3:
            content[at : at + span] = random_.choice([b"\0", b"\xff", b"\x7f"]) * span
        elif way == 4:
            content[at:at] = random_.randbytes(span)
        else:
            head = random_.randrange(min(len(content), 200) + 1)
            content[head : head + 4] = random_.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
        if random_.random() < 0.05:
            content = content[: random_.randrange(len(content) + 1)]
    return bytes(content)


def damage_json(value, random_):
    """Return JSON with one value, anywhere in it, replaced or taken out; or nested deeply."""
    value = copy.deepcopy(value)
    if random_.random() < 0.02:
        return "[" * 100_000
    holders = [(holder, key) for holder, key in _places(value)]
    holder, key = random_.choice(holders)
    way = random_.random()
    if way < 0.1:
        del holder[key]
    elif way < 0.2:
        nested = 0
        for _ in range(300):
            nested = [nested]
        holder[key] = nested
    elif way < 0.25 and isinstance(holder, dict):
        holder["unheard-of"] = holder.pop(key)
    else:
        holder[key] = random_.choice(VALUES)
    return json.dumps(value)


def _places(value):
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(pairs):
        yield value, key
        yield from _places(inner)


def damage_table(text, random_):
    """Replace one field of a table, or damage its bytes."""
    if random_.random() < 0.2:
        return damage_bytes(text.encode(), random_)
    rows = [line.split(",") for line in text.splitlines()]
    row = random_.choice(rows)
    row[random_.randrange(len(row))] = random_.choice(FIELDS)
    if random_.random() < 0.1:
        rows.append(random_.choice(rows))
    return "\n".join(map(",".join, rows)).encode("utf-8", "surrogateescape")
