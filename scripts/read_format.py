#!/usr/bin/env python3
"""Reads a closed Oxbow store, from docs/format.md alone: an independent witness of the format.

    read_format.py branches FOLDER                   the living branches
    read_format.py pages FOLDER BRANCH               all pages of a branch, with a checksum each
    read_format.py page FOLDER BRANCH OBJECT PAGE    the bytes of one page, to standard output
    read_format.py records FOLDER                    the records of the log, from the checkpoint on
    read_format.py verify FOLDER                     every segment, block and closing index

It changes nothing, and needs the modules lz4 and xxhash, or the libraries of these names.
"""

import os
import re
import struct
import sys

try:
    import lz4.block
    import xxhash

    def xxh3(data, seed=0):
        return xxhash.xxh3_64_intdigest(bytes(data), seed)

    def lz4_restore(data, size):
        return lz4.block.decompress(bytes(data), uncompressed_size=size)

except ImportError:
    import ctypes

    _xxhash = ctypes.CDLL("libxxhash.so.0")
    _xxhash.XXH3_64bits_withSeed.restype = ctypes.c_uint64
    _xxhash.XXH3_64bits_withSeed.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
    _lz4 = ctypes.CDLL("liblz4.so.1")

    def xxh3(data, seed=0):
        return _xxhash.XXH3_64bits_withSeed(bytes(data), len(data), seed)

    def lz4_restore(data, size):
        target = ctypes.create_string_buffer(size)
        count = _lz4.LZ4_decompress_safe(bytes(data), target, len(data), size)
        return target.raw[: max(count, 0)]


ALL_ONES = 2**64 - 1
COMMIT, BLOCKS, CHECKPOINT, LIFECYCLE, MARK = 1, 2, 3, 4, 5
PAGE, PAGE_DELETION, RANGE_DELETION, NODE = 1, 2, 3, 4
NOTHING = (0, 0, 0)


class Damage(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Damage(what)


def aligned(count):
    return (count + 7) & ~7


def fold(left, right):
    return xxh3(struct.pack("<QQ", left, right))


class Reader:
    """Takes values off the front of bytes."""

    def __init__(self, data):
        self.data, self.offset = data, 0

    def raw(self, count):
        need(self.offset + count <= len(self.data), "bytes cut short")
        self.offset += count
        return self.data[self.offset - count : self.offset]

    def byte(self):
        return self.raw(1)[0]

    def u32(self):
        return struct.unpack("<I", self.raw(4))[0]

    def u64(self):
        return struct.unpack("<Q", self.raw(8))[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                need(value <= ALL_ONES, "a varint of more than 64 bits")
                return value
            shift += 7

    def zigzag(self):
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def text(self):
        return self.raw(self.varint()).decode("utf-8")

    def short_location(self):
        return (self.varint(), self.varint(), self.u32())

    def fixed_location(self):
        return (self.u64(), self.u32(), self.u32())

    def optional_location(self):
        return self.short_location() if self.byte() else None

    def mark(self):
        lsn, time = self.varint(), self.varint()
        return (lsn, time, (time + self.zigzag()) & ALL_ONES)

    def authorship(self):
        actor = self.text()
        return (actor, {self.text(): self.text() for _ in range(self.varint())})


class Superblock:
    def __init__(self, data):
        need(len(data) == 4096 and data[:8] == b"OXBOWSUP", "not a superblock")
        need(xxh3(data[:96]) == struct.unpack_from("<Q", data, 96)[0], "a superblock's checksum")
        version, self.page_size, self.bits, _ = struct.unpack_from("<4I", data, 8)
        need(version == 1, f"format version {version}")
        self.high, self.low, self.sequence, self.checkpoint, self.length = struct.unpack_from(
            "<5Q", data, 24
        )
        self.cut, self.durable, self.clean, self.highest = struct.unpack_from("<4Q", data, 64)
        self.block_seed = fold(self.high, self.low)
        self.segment_size = 1 << self.bits
        self.record_limit = min(1 << 20, self.segment_size // 2 - 4096)


class Segment:
    """A segment's file: its header, and its extents if it was rewritten."""

    def __init__(self, path, number, block):
        with open(path, "rb") as file:
            self.data = file.read()
        data, self.block, self.number = self.data, block, number
        need(len(data) >= 4096 and data[:8] == b"OXBOWSEG", f"segment {number}: no header")
        need(xxh3(data[:96]) == struct.unpack_from("<Q", data, 96)[0], "a header's checksum")
        self.version, page_size, bits, _, high, low, own = struct.unpack_from("<4I3Q", data, 8)
        need(self.version in (1, 2), f"segment {number}: format version {self.version}")
        need(own == number, f"segment {number}: another segment's header")
        need((page_size, bits) == (block.page_size, block.bits), "other sizes")
        need((high, low) == (block.high, block.low), "another store's segment")
        self.incarnation, self.generation, self.further, self.predecessor = struct.unpack_from(
            "<Q2IQ", data, 48
        )
        need(self.generation or self.version == 1, "records in a file of version 2")
        need(self.version == 2 or self.further == 0, "several segments in a file of version 1")
        self.predecessor_end, self.durable, self.begun = struct.unpack_from("<3Q", data, 72)
        self.base = number << bits
        self.extents = []
        if self.generation:
            index = ClosingIndex(self)
            if self.version == 1:
                words = index.entries("extents", 24)
                self.extents = [struct.unpack("<3Q", entry) for entry in words]
            else:
                self.extents = list(self.packed(Reader(b"".join(index.entries("extents")))))

    def packed(self, reader):
        place, offset = self.base, 4096
        while reader.offset < len(reader.data):
            place += reader.varint() * 8
            length = reader.varint() * 8
            yield (place, offset, length)
            place, offset = place + length, offset + length

    def at(self, lsn, count):
        """Bytes of the log, from where they lie in the file."""
        offset = lsn - self.base
        if self.generation:
            offset = None
            for start, place, length in self.extents:
                if start <= lsn < start + length:
                    offset = place + lsn - start
        need(offset is not None and offset + count <= len(self.data), f"L{lsn:X} is not kept")
        return self.data[offset : offset + count]


class Block:
    def __init__(self, data, lsn, block_seed):
        need(len(data) >= 56, "a block cut short")
        self.length, self.kind, self.encoding, zero, self.lsn, self.timeline, self.object = (
            struct.unpack_from("<IBBHQQQ", data)
        )
        self.page, payload_sum, self.checksum = struct.unpack_from("<3Q", data, 32)
        need(xxh3(data[:48], block_seed) == self.checksum, "a block header's checksum")
        need(56 <= self.length <= len(data) and 1 <= self.kind <= 4, "a block's length or kind")
        need(self.encoding <= 1 and zero == 0 and self.lsn == lsn, "a block's head")
        self.payload = data[56 : self.length]
        need(xxh3(self.payload) == payload_sum, "a payload's checksum")

    @property
    def location(self):
        return (self.lsn, self.length, self.checksum & 0xFFFFFFFF)

    def bytes_of_page(self, page_size):
        data = lz4_restore(self.payload, page_size) if self.encoding else self.payload
        need(len(data) == page_size, "a page that is not a page long")
        return data


class Record:
    def __init__(self, segment, lsn):
        block, offset = segment.block, lsn - segment.base
        head = segment.data[offset : offset + 64]
        need(len(head) == 64, "a record's header cut short")
        self.lsn = lsn
        self.length, self.kind, zero, zeros = struct.unpack_from("<IBBH", head)
        need(self.length % 8 == 0 and 64 <= self.length <= block.record_limit, "a length")
        need(1 <= self.kind <= 5 and zero == 0 and zeros == 0, "a record's kind")
        self.timeline, self.time, self.clock, self.durable, count, meta_length = (
            struct.unpack_from("<4Q2I", head, 8)
        )
        content, checksum = struct.unpack_from("<2Q", head, 48)
        seed = segment.incarnation ^ (lsn * 0x9E3779B97F4A7C15 & ALL_ONES)
        need(xxh3(head[:56], seed) == checksum, "a record header's checksum")
        data = segment.data[offset : offset + self.length]
        need(len(data) == self.length, "a record cut short")
        self.meta = data[64 : 64 + meta_length]
        place = 64 + aligned(meta_length)
        need(place <= self.length, "meta bytes past the record's end")
        own, self.blocks = xxh3(self.meta, seed), []
        for _ in range(count):
            self.blocks.append(Block(data[place:], lsn + place, block.block_seed))
            own = fold(own, self.blocks[-1].checksum)
            place += aligned(self.blocks[-1].length)
        need(place == self.length and own == content, "a record's content")
        self.end = lsn + self.length


SECTIONS = {"records": 48, "order": 4, "blocks": 48, "ranges": 40, "roots": 32, "extents": 1}


class ClosingIndex:
    def __init__(self, segment):
        self.data = segment.data
        footer = self.data[-256:]
        need(footer[:8] == b"OXBOWIDX", "no closing index")
        need(xxh3(footer[:248]) == struct.unpack_from("<Q", footer, 248)[0], "a footer's checksum")
        number, generation, self.end = struct.unpack_from("<3Q", footer, 8)
        need((number, generation) == (segment.number, segment.generation), "another's index")
        words = struct.unpack_from("<18Q", footer, 32)
        self.places = {
            name: words[place * 3 : place * 3 + 3] for place, name in enumerate(SECTIONS)
        }

    def entries(self, name, size=None):
        size = size or SECTIONS[name]
        offset, count, checksum = self.places[name]
        need(offset % 8 == 0, "a section that is not aligned")
        data = self.data[offset : offset + count * size]
        need(len(data) == count * size and xxh3(data) == checksum, f"the section {name}")
        return [data[place : place + size] for place in range(0, len(data), size)]


# The values of the maps.


def page_value(reader):
    return reader.short_location()


def timeline_value(reader):
    flags, entry = reader.byte(), {"owner": reader.varint()}
    entry["origin"] = (reader.varint(), reader.varint()) if flags & 1 else None
    entry["closed"], entry["purged"] = bool(flags & 2), bool(flags & 4)
    entry["began empty"] = bool(flags & 8)
    need(flags < 16, "a timeline's flags")
    entry["depth"], entry["jump"] = reader.varint(), reader.varint()
    entry["birth root"] = reader.short_location()
    entry["birth"], entry["last"] = reader.mark(), reader.mark()
    entry["root"], entry["changes"] = reader.short_location(), []
    return entry


def branch_value(reader):
    flags, entry = reader.byte(), {"name": reader.text(), "birth": reader.mark()}
    need(flags < 64, "a branch's flags")
    entry["author"] = reader.authorship()
    entry["origin"] = (reader.varint(), reader.varint()) if flags & 1 else None
    entry["parent"] = reader.varint() if flags & 2 else None
    entry["path"] = [(reader.varint(), reader.varint()) for _ in range(reader.varint())]
    entry["protected"] = bool(flags & 4)
    entry["expiry"] = reader.varint() if flags & 8 else None
    entry["death"] = reader.mark() if flags & 16 else None
    entry["window"] = (reader.varint(), reader.varint()) if flags & 32 else None
    return entry


def name_value(reader):
    return [(reader.text(), reader.byte(), reader.varint()) for _ in range(reader.varint())]


def snapshot_value(reader):
    entry = {"name": reader.text(), "birth": reader.mark(), "author": reader.authorship()}
    entry["branch"], entry["point"] = reader.varint(), (reader.varint(), reader.varint())
    entry["mark"], entry["timeline"] = reader.mark(), reader.varint()
    return entry


def segment_value(reader):
    return {"before": reader.varint(), "end": reader.varint(), "generation": reader.varint()}


def expiry_value(reader):
    return reader.byte()


CATALOG = ["timelines", "branches", "names", "snapshots", "checkpoints", "segments", "events"]
CATALOG.append("expiries")


def checkpoint_value(reader):
    entry = {"cut": reader.varint(), "time": reader.varint()}
    entry["roots"] = {name: reader.short_location() for name in CATALOG}
    entry["window"] = (reader.varint(), reader.varint())
    entry["dense"], entry["from"] = reader.varint(), reader.varint()
    return entry


def event_value(reader):
    return {"mark": reader.mark(), "change": change(reader), "author": reader.authorship()}


MAPS = {
    "pages": (1, page_value),
    "timelines": (2, timeline_value),
    "branches": (3, branch_value),
    "names": (4, name_value),
    "snapshots": (5, snapshot_value),
    "segments": (6, segment_value),
    "expiries": (7, expiry_value),
    "checkpoints": (8, checkpoint_value),
    "events": (9, event_value),
}


def change(reader):
    """A lifecycle change: its name, and what belongs to it."""
    tag = reader.byte()
    if tag == 1:
        name, parent = reader.text(), reader.varint()
        origin, root = (reader.varint(), reader.varint()), reader.optional_location()
        return ("create", name, parent, origin, root, reader.varint())
    if tag == 2:
        return ("delete", reader.varint())
    if tag in (3, 4):
        what = ("undelete", "rename")[tag - 3], reader.varint(), reader.text()
        return what + (ALL_ONES,) * (tag == 3)
    if tag in (14, 15):
        verb = "hand over" if tag == 14 else "undelete"
        return (verb, reader.varint(), reader.text(), reader.varint())
    if tag == 5:
        return ("protect", reader.varint(), reader.byte())
    if tag == 6:
        return ("expire", reader.varint(), reader.varint())
    if tag == 7:
        branch, origin = reader.varint(), (reader.varint(), reader.varint())
        return ("reset", branch, origin, reader.optional_location())
    if tag == 8:
        name, branch = reader.text(), reader.varint()
        origin, mark = (reader.varint(), reader.varint()), reader.mark()
        return ("create snapshot", name, branch, origin, mark, reader.optional_location())
    if tag == 9:
        return ("delete snapshot", reader.varint())
    if tag == 10:
        return ("window", reader.varint(), reader.byte(), reader.varint(), reader.varint())
    if tag == 11:
        dense, start, count = reader.varint(), reader.varint(), reader.varint()
        return ("cutoff", dense, start, [(reader.varint(), reader.varint()) for _ in range(count)])
    if tag == 12:
        return ("clock jump", reader.zigzag())
    need(tag == 13, f"lifecycle change {tag}")
    return ("purge", [reader.varint() for _ in range(reader.varint())])


class Store:
    """The newest state of a store."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "superblock"), "rb") as file:
            data = file.read()
        slots = []
        for start in (0, 4096):
            try:
                slots.append(Superblock(data[start : start + 4096]))
            except Damage:
                pass
        need(slots, "both slots of the superblock")
        slots.sort(key=lambda slot: -slot.sequence)
        one = re.compile(r"^([0-9a-f]{16})\.segment$")
        several = re.compile(r"^([0-9a-f]{16})-([0-9a-f]{16})\.segment$")
        names = os.listdir(folder)
        found = [several.match(name) for name in names]
        self.spans = [(int(form[1], 16), int(form[2], 16)) for form in found if form]
        found = [one.match(name) for name in names]
        self.numbers = sorted(int(form[1], 16) for form in found if form)
        self.durable = max(slot.durable for slot in slots)
        failure = None
        for slot in slots:
            try:
                self.load(slot)
                return
            except Damage as error:
                failure = failure or error
        raise failure

    def load(self, block):
        self.block, self.segments, self.records = block, {}, []
        self.maps = {name: {} for name in CATALOG}
        self.dense = self.start = 0
        if block.checkpoint:
            record = Record(self.segment(block.checkpoint >> block.bits), block.checkpoint)
            need(record.kind == CHECKPOINT, "the checkpoint's record")
            need(record.length == block.length, "the checkpoint's length")
            entry = checkpoint_value(Reader(record.meta))
            self.dense, self.start = entry["dense"], entry["from"]
            self.maps = {name: dict(self.walk(name, entry["roots"][name])) for name in CATALOG}
        self.replay()

    def segment(self, number):
        """The file that holds a segment: the widest, where there are several."""
        if number not in self.segments:
            spans = [span for span in self.spans if span[0] <= number <= span[1]]
            first, last = min(spans, key=lambda span: span[0] - span[1], default=(number, number))
            name = f"{first:016x}-{last:016x}.segment" if spans else f"{number:016x}.segment"
            path = os.path.join(self.folder, name)
            need(os.path.exists(path), f"segment {number} is missing")
            segment = Segment(path, first, self.block)
            need(segment.number + segment.further == last, f"{name} holds other segments")
            self.segments[number] = segment
        return self.segments[number]

    def sound_segment(self, number):
        try:
            return self.segment(number)
        except Damage:
            return None

    def read(self, location):
        lsn, length, checksum = location
        segment = self.segment(lsn >> self.block.bits)
        block = Block(segment.at(lsn, length), lsn, self.block.block_seed)
        need(block.location == location, f"another block at L{lsn:X}")
        return block

    def walk(self, name, root, level=None):
        """The entries of a map, in order."""
        if root == NOTHING:
            return
        kind, value = MAPS[name]
        block = self.read(root)
        need(block.kind == NODE and block.object == kind, f"no node of {name} at L{root[0]:X}")
        reader = Reader(block.payload)
        own, high, low = reader.byte(), 0, 0
        need(own == block.page and own == (own if level is None else level), "a node's level")
        for _ in range(reader.varint()):
            step = reader.varint()
            high, low = high + step, reader.varint() + (0 if step else low)
            if own:
                yield from self.walk(name, reader.short_location(), own - 1)
            else:
                yield ((high, low), value(reader))

    # The log, from the cut to its end.

    def replay(self):
        block = self.block
        number = block.cut >> block.bits
        if number not in self.numbers and not block.checkpoint and not block.durable:
            return
        segment, place = self.segment(number), block.cut
        while True:
            self.began(segment)
            following = None
            for candidate in self.numbers:
                other = self.sound_segment(candidate) if candidate > segment.number else None
                if other and other.predecessor == segment.number:
                    following = other
            limit = following.predecessor_end if following else ALL_ONES
            while place < limit:
                try:
                    record = Record(segment, place)
                except Damage:
                    break
                self.records.append(record)
                self.apply(record)
                place = record.end
            if not following or place != limit:
                break
            segment, place = following, (following.number << block.bits) + 4096
        self.end = place
        self.refuse_damage(segment, place)

    def refuse_damage(self, segment, place):
        told = self.durable
        for number in self.numbers:
            other = segment if number == segment.number else self.sound_segment(number)
            if number < segment.number or other is None:
                continue
            first = place - segment.base if other is segment else 4096
            if other is not segment:
                told = max(told, other.durable)
            for offset in range(first, len(other.data) - 63, 8):
                if 1 <= other.data[offset + 4] <= 5 and not any(
                    other.data[offset + 5 : offset + 8]
                ):
                    told = max(told, told_by(other, offset))
        need(told <= place, f"L{place:X} is damaged: the log knew of L{told:X}")

    def began(self, segment):
        segments = self.maps["segments"]
        before = (0, segment.predecessor)
        if segment.predecessor != ALL_ONES and before in segments:
            segments[before]["end"] = segment.predecessor_end
        number = 0 if segment.predecessor == ALL_ONES else segment.predecessor + 1
        segments[(0, segment.number)] = {"before": number, "end": 0, "generation": 0}

    def apply(self, record):
        if record.kind == COMMIT:
            line = self.maps["timelines"].get((0, record.timeline))
            need(line, f"a commit on no timeline at L{record.lsn:X}")
            line["last"] = (record.lsn, record.time, record.clock)
            if record.meta:
                reader = Reader(record.meta)
                reader.u64()
                line["root"], line["changes"] = reader.fixed_location(), []
            else:
                line["changes"] = line["changes"] + record.blocks
        elif record.kind == CHECKPOINT:
            entry = checkpoint_value(Reader(record.meta))
            self.maps["checkpoints"][(entry["time"], entry["cut"])] = entry
        elif record.kind == LIFECYCLE:
            reader = Reader(record.meta)
            self.change(record, change(reader), reader.authorship())

    def change(self, record, what, author):
        branches, lines = self.maps["branches"], self.maps["timelines"]
        mark = (record.lsn, record.time, record.clock)
        verb = what[0]
        if verb == "create":
            _, name, parent, origin, root, expiry = what
            self.begin(mark, record.lsn, origin if origin[0] else None, root)
            branches[(0, record.lsn)] = {
                "name": name,
                "birth": mark,
                "author": author,
                "origin": origin if origin[0] else None,
                "parent": parent or None,
                "path": [(record.lsn, record.lsn)],
                "protected": False,
                "expiry": None if expiry == ALL_ONES else expiry,
                "death": None,
                "window": None,
            }
        elif verb == "create snapshot":
            _, name, branch, origin, point, root = what
            self.begin(mark, record.lsn, origin, root)
            lines[(0, record.lsn)]["closed"] = True
            self.maps["snapshots"][(0, record.lsn)] = {
                "name": name,
                "birth": mark,
                "author": author,
                "branch": branch,
                "point": origin,
                "mark": point,
                "timeline": record.lsn,
            }
        elif verb == "delete snapshot":
            entry = self.maps["snapshots"].pop((0, what[1]), None)
            if entry:
                lines.pop((0, entry["timeline"]), None)
        elif verb == "cutoff":
            self.dense, self.start = max(self.dense, what[1]), max(self.start, what[2])
            for key in what[3]:
                self.maps["checkpoints"].pop(key, None)
        elif verb == "purge":
            for number in what[1]:
                line = lines.get((0, number))
                if line:
                    line.update({"root": NOTHING, "changes": [], "purged": True})
                owner = branches.get((0, line["owner"])) if line else None
                if owner:
                    former = [item for item in owner["path"][:-1] if item[0] != number]
                    owner["path"] = former + owner["path"][-1:]
        elif verb != "clock jump" and what[1]:
            self.change_branch(branches[(0, what[1])], mark, what, author)

    def change_branch(self, entry, mark, what, author):
        lines, verb = self.maps["timelines"], what[0]
        shown = lines.get((0, entry["path"][-1][0]))
        if verb == "delete":
            entry["death"], entry["expiry"], shown["closed"] = mark, None, True
        elif verb == "undelete":
            entry["death"], entry["name"], shown["closed"] = None, what[2], False
            entry["expiry"] = None if what[3] == ALL_ONES else what[3]
        elif verb == "rename":
            entry["name"] = what[2]
        elif verb == "hand over":
            entry["name"], entry["author"] = what[2], author
            entry["expiry"] = None if what[3] == ALL_ONES else what[3]
        elif verb == "protect":
            entry["protected"] = what[2] == 1
        elif verb == "expire":
            entry["expiry"] = None if what[2] == ALL_ONES else what[2]
        elif verb == "window":
            entry["window"] = what[3:] if what[2] else None
        elif verb == "reset":
            self.begin(mark, what[1], what[2], what[3])
            shown["closed"] = True
            entry["path"].append((mark[0], mark[0]))

    def begin(self, mark, owner, origin, root):
        parent = self.maps["timelines"].get((0, origin[0])) if origin else None
        need(parent or not origin, f"no origin for L{mark[0]:X}")
        line = {"owner": owner, "origin": origin, "closed": False, "purged": False}
        line.update({"depth": 0, "jump": mark[0], "birth": mark, "last": mark, "changes": []})
        line["birth root"] = line["root"] = root or NOTHING
        line["began empty"] = root == NOTHING
        if root is None and parent:
            line["root"], line["changes"] = parent["root"], parent["changes"]
        if parent:
            line["depth"] = parent["depth"] + 1
        self.maps["timelines"][(0, mark[0])] = line

    # What it shows.

    def branches(self):
        living = [
            (key[1], entry)
            for key, entry in self.maps["branches"].items()
            if entry["death"] is None
        ]
        return sorted(living, key=lambda item: item[0])

    def timeline(self, name):
        for _, entry in self.branches():
            if entry["name"] == name:
                return self.maps["timelines"][(0, entry["path"][-1][0])]
        for entry in self.maps["snapshots"].values():
            if entry["name"] == name:
                return self.maps["timelines"][(0, entry["timeline"])]
        raise Damage(f"there is no branch or snapshot {name}")

    def pages(self, name):
        """Where the pages of a branch or snapshot stand: (object, page) to location."""
        line = self.timeline(name)
        pages = dict(self.walk("pages", line["root"]))
        for block in line["changes"]:
            key = (block.object, block.page)
            if block.kind == PAGE:
                pages[key] = block.location
            elif block.kind == PAGE_DELETION:
                pages.pop(key, None)
            elif block.kind == RANGE_DELETION:
                bound = struct.unpack("<Q", block.payload)[0]
                for other in [k for k in pages if k[0] == key[0] and key[1] <= k[1] < bound]:
                    del pages[other]
        return pages

    def page(self, location, key):
        block = self.read(location)
        need(block.kind == PAGE and (block.object, block.page) == key, "another page")
        return block.bytes_of_page(self.block.page_size)


def told_by(segment, offset):
    """The durable position in a record header, whatever follows it; 0 where none is sound."""
    head = segment.data[offset : offset + 64]
    lsn = segment.base + offset
    seed = segment.incarnation ^ (lsn * 0x9E3779B97F4A7C15 & ALL_ONES)
    sound = xxh3(head[:56], seed) == struct.unpack_from("<Q", head, 56)[0]
    return struct.unpack_from("<Q", head, 32)[0] if sound else 0


def expected_index(segment, end):
    """The sections of a closing index, made from the records."""
    records, blocks, ranges, roots = [], [], [], []
    place = segment.base + 4096
    while place < end:
        record = Record(segment, place)
        place = record.end
        pages = 0
        if record.kind == COMMIT:
            pages = len(record.blocks)
            if record.meta:
                pages = struct.unpack_from("<Q", record.meta)[0]
                location = record.meta[8:24]
                roots.append(struct.pack("<2Q", record.timeline, record.lsn) + location)
            for block in record.blocks:
                start = (block.timeline, block.object, block.page)
                if block.kind == RANGE_DELETION:
                    bound = struct.unpack("<Q", block.payload)[0]
                    ranges.append(struct.pack("<5Q", *start, bound, record.lsn))
                else:
                    location = block.location if block.kind == PAGE else NOTHING
                    blocks.append((*start, record.lsn, *location))
        pages = min(pages, 2**32 - 1)
        timeline = 0 if record.kind == BLOCKS else record.timeline
        entry = (record.lsn, record.time, record.clock, timeline, record.length, pages)
        records.append((*entry, record.kind))
    need(place == end, "records past the segment's end")
    order = sorted(range(len(records)), key=lambda place: (records[place][3], records[place][0]))
    return {
        "records": [struct.pack("<4Q2IQ", *entry) for entry in records],
        "order": [struct.pack("<I", place) for place in order],
        "blocks": [struct.pack("<5Q2I", *entry) for entry in sorted(blocks)],
        "ranges": ranges,
        "roots": roots,
        "extents": [],
    }


def verify(store):
    """Holds every segment in the folder against the page: (segments, indexes, blocks)."""
    indexes = blocks = 0
    numbers = sorted(set(store.numbers) | {first for first, _ in store.spans})
    for number in numbers:
        segment = store.sound_segment(number)
        if segment is None:
            continue
        if segment.generation:
            for start, _, length in segment.extents:
                place = start
                while place < start + length:
                    rest = segment.at(place, start + length - place)
                    place += aligned(Block(rest, place, store.block.block_seed).length)
                    blocks += 1
            indexes += 1
            continue
        try:
            index = ClosingIndex(segment)
        except Damage:
            continue
        expected = expected_index(segment, index.end)
        for name in SECTIONS:
            need(index.entries(name) == expected[name], f"segment {number}: its index's {name}")
        indexes += 1
    for name in [entry["name"] for _, entry in store.branches()]:
        for key, location in store.pages(name).items():
            store.page(location, key)
            blocks += 1
    return len(numbers), indexes, blocks


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    command, store = arguments[0], Store(arguments[1])
    if command == "branches":
        for number, entry in store.branches():
            line = store.maps["timelines"][(0, entry["path"][-1][0])]
            print(f"{entry['name']} B{number:X} T{entry['path'][-1][0]:X} L{line['last'][0]:X}")
    elif command == "pages" and len(arguments) == 3:
        for key, location in sorted(store.pages(arguments[2]).items()):
            print(f"{key[0]} {key[1]} {xxh3(store.page(location, key)):016x}")
    elif command == "page" and len(arguments) == 5:
        key = (int(arguments[3]), int(arguments[4]))
        location = store.pages(arguments[2]).get(key)
        zeros = bytes(store.block.page_size)
        sys.stdout.buffer.write(store.page(location, key) if location else zeros)
    elif command == "records":
        names = ["", "commit", "blocks", "checkpoint", "lifecycle", "mark"]
        for record in store.records:
            what = change(Reader(record.meta)) if record.kind == LIFECYCLE else ""
            print(f"L{record.lsn:X} {names[record.kind]} T{record.timeline:X}", *what)
    elif command == "verify":
        print("%d segments, %d closing indexes, %d blocks: sound" % verify(store))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Damage as damage:
        sys.exit(f"damaged: {damage}")
