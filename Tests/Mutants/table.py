"""Reads the tables of seeded bugs, and puts the bugs into sources."""

import pathlib
from dataclasses import dataclass, field


class TableError(Exception):
    pass


@dataclass
class Hunk:
    """Neighbouring lines of one file: kept (' '), taken away ('-') and put in ('+')."""

    file: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def old(self):
        return [text for kind, text in self.lines if kind != "+"]


@dataclass
class Mutant:
    name: str
    what: str = ""
    tests: list[str] = field(default_factory=list)
    hunks: list[Hunk] = field(default_factory=list)


def read(folder: pathlib.Path) -> list[Mutant]:
    mutants: list[Mutant] = []
    for path in sorted(folder.glob("*.txt")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            try:
                _take(line, mutants)
            except (TableError, IndexError) as error:
                raise TableError(f"{path.name}:{number}: {error}") from None
    names = [mutant.name for mutant in mutants]
    for mutant in mutants:
        if names.count(mutant.name) > 1:
            raise TableError(f"two mutants are named {mutant.name}")
        text = "".join(text for hunk in mutant.hunks for kind, text in hunk.lines if kind == "+")
        if f'mutant("{mutant.name}")' not in text:
            raise TableError(f"{mutant.name} puts no switch of its name in")
    return mutants


def _take(line: str, mutants: list[Mutant]):
    if not line or line.startswith("#"):
        return
    if line[0] in " +-":
        mutants[-1].hunks[-1].lines.append((line[0], line[1:]))
        return
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    if word == "mutant":
        mutants.append(Mutant(rest))
    elif word == "what":
        mutants[-1].what = f"{mutants[-1].what} {rest}".strip()
    elif word == "tests":
        mutants[-1].tests = rest.split()
    elif word == "at":
        mutants[-1].hunks.append(Hunk(rest))
    else:
        raise TableError(f"what is '{word}'?")


def apply(mutants: list[Mutant], sources: dict[str, str]) -> dict[str, str]:
    """The sources with all mutants in them. Each hunk must fit in exactly one place."""
    edits: dict[str, list[tuple[int, int, list[str], str]]] = {}
    for mutant in mutants:
        for hunk in mutant.hunks:
            lines = sources.get(hunk.file, "").split("\n")
            start = _place(hunk, lines, mutant.name)
            for edit in _edits(hunk, start):
                edits.setdefault(hunk.file, []).append((*edit, mutant.name))
    changed = {}
    for file, list_of_edits in edits.items():
        lines = sources[file].split("\n")
        limit = len(lines)
        for start, end, new, name in sorted(list_of_edits, reverse=True):
            if end > limit:
                raise TableError(f"{name} changes a line of {file} that another changes too")
            lines[start:end] = new
            limit = start
        # What can be inlined elsewhere must name its switch there.
        lines = [line for line in lines if not line.endswith("import Primitives")]
        lines.insert(0, "public import Primitives")
        changed[file] = "\n".join(lines)
    return changed


def _place(hunk: Hunk, lines: list[str], name: str) -> int:
    old = hunk.old
    places = [
        index
        for index in range(len(lines) - len(old) + 1)
        if lines[index : index + len(old)] == old
    ]
    if len(places) != 1:
        raise TableError(
            f"the text of {name} is in {hunk.file} {len(places)} times, not once:\n"
            + "\n".join(old)
        )
    return places[0]


def _edits(hunk: Hunk, start: int):
    """Runs of lines taken away and put in, as (start, end, new lines)."""
    place = start
    run_start, new, is_open = start, [], False
    for kind, text in [*hunk.lines, (" ", "")]:
        if kind == " ":
            if is_open:
                yield run_start, place, new
            is_open = False
            place += 1
            continue
        if not is_open:
            run_start, new, is_open = place, [], True
        if kind == "-":
            place += 1
        else:
            new.append(text)
