#!/usr/bin/env python3
"""Writes the tables of Sources/PostgresWire/SASLprep+Tables*.swift from Python's Unicode data.

The characters are those of Unicode 3.2, on which RFC 4013 rests; their normal forms are those of
the Unicode that this Python has, as in PostgreSQL. Usage: scripts/unicode_tables.py FOLDER
"""
import base64
import stringprep
import sys
import unicodedata

every = [c for c in range(0x80, 0x110000) if not 0xD800 <= c < 0xE000]


def refused(c):
    t = chr(c)
    return (stringprep.in_table_a1(t) or stringprep.in_table_c21_c22(t)
            or stringprep.in_table_c3(t) or stringprep.in_table_c4(t) or stringprep.in_table_c5(t)
            or stringprep.in_table_c6(t) or stringprep.in_table_c7(t) or stringprep.in_table_c8(t)
            or stringprep.in_table_c9(t))


def varint(n):
    out = []
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + [n])


def zigzag(n):
    return varint(n * 2 if n >= 0 else -n * 2 - 1)


def ranges(test, codes):
    runs = []
    for c in codes:
        if test(c):
            if runs and runs[-1][1] == c - 1:
                runs[-1][1] = c
            else:
                runs.append([c, c])
    out, last = b"", 0
    for low, high in runs:
        out += varint(low - last) + varint(high - low)
        last = high
    return out


def hangul(c):
    return 0xAC00 <= c < 0xD7A4


usable = [c for c in every if not refused(c) and not hangul(c)]
decompositions, last, target, reached = b"", 0, 0, set(range(0x80)) | set(usable)
for c in usable:
    form = unicodedata.normalize("NFKD", chr(c))
    if form == chr(c):
        continue
    codes = [ord(t) for t in form]
    reached.update(codes)
    decompositions += varint(c - last) + varint(len(codes))
    for code in codes:
        decompositions += zigzag(code - target - 1)
        target = code
    last = c

classes, last = b"", 0
for c in sorted(reached):
    kind = unicodedata.combining(chr(c))
    if kind:
        classes += varint(c - last) + varint(kind)
        last = c

compositions, last = b"", 0
for c in every:
    parts = unicodedata.decomposition(chr(c)).split()
    if hangul(c) or len(parts) != 2 or parts[0].startswith("<"):
        continue
    first, second = (int(p, 16) for p in parts)
    if unicodedata.normalize("NFC", chr(first) + chr(second)) != chr(c):
        continue
    if first in reached or first in every:
        compositions += varint(c - last) + varint(first) + varint(second)
        last = c

tables = {
    "spaces": ranges(lambda c: stringprep.in_table_c12(chr(c)), every),
    "nothing": ranges(lambda c: stringprep.in_table_b1(chr(c)), every),
    "refused": ranges(lambda c: c < 0x20 or c == 0x7F or c >= 0x80 and refused(c),
                      list(range(0x80)) + every),
    "rightToLeft": ranges(lambda c: stringprep.in_table_d1(chr(c)), range(0x110000)),
    "leftToRight": ranges(lambda c: stringprep.in_table_d2(chr(c)), range(0x110000)),
    "combiningClasses": classes,
    "compositions": compositions,
    "decompositions": decompositions,
}
words = {
    "spaces": "What becomes a space (RFC 3454, C.1.2).",
    "nothing": "What is left out (B.1).",
    "refused": "What no password has (C.2.1 to C.9), and what Unicode 3.2 does not have (A.1).",
    "rightToLeft": "Letters that are written from right to left (D.1).",
    "leftToRight": "Letters that are written from left to right (D.2).",
    "combiningClasses": "Characters with a combining class other than zero, and the class.",
    "compositions": "Characters that two others compose to, and those two.",
    "decompositions": "Characters with a compatibility decomposition, and that.",
}
files = {"": [n for n in tables if n != "decompositions"], "2": ["decompositions"]}
for suffix, names in files.items():
    with open(f"{sys.argv[1]}/SASLprep+Tables{suffix}.swift", "w") as out:
        out.write("// Made by scripts/unicode_tables.py from Unicode data of version "
                  f"{unicodedata.unidata_version}, for the\n// characters of 3.2: numbers as varints, "
                  "in base64. How they are read, SASLprep.swift says.\n\nextension SASLprep {\n")
        for number, name in enumerate(names):
            text = base64.b64encode(tables[name]).decode()
            lines = [text[i:i + 90] for i in range(0, len(text), 90)]
            out.write(("\n" if number else "") + f"    /// {words[name]}\n")
            out.write(f'    static let {name}Text = """\n')
            out.write("".join(f"        {line}\\\n" for line in lines[:-1]))
            out.write(f'        {lines[-1]}\n        """\n')
        out.write("}\n")
for name, data in tables.items():
    print(name, len(data), file=sys.stderr)
