"""Takes out of a package manifest what some tests don't need."""

import re


def reduced(text: str, keep: list[str]) -> str:
    """The manifest with those targets, and what they depend on, and nothing else."""
    head, entries, tail = _split(text, "\n    targets: [")
    names = {_name(entry): entry for entry in entries}
    needed, waiting = set(), [name for name in keep if name in names]
    while waiting:
        name = waiting.pop()
        if name in needed:
            continue
        needed.add(name)
        if "tests(" in names[name]:
            waiting.append("TestSupport")
        waiting += [word for word in re.findall(r'"(\w+)"', names[name]) if word in names]
    kept = [entry for entry in entries if _name(entry) in needed]
    text = head + ",\n".join(kept) + tail
    head, products, tail = _split(text, "\n    products: [")
    # What stays are libraries and tests; a mutant may also leave a warning behind.
    products = [product for product in products if "executable" not in product]
    text = head + ",\n".join(products) + tail
    return text.replace("    .treatAllWarnings(as: .error),\n", "")


def _name(entry: str) -> str:
    found = re.search(r'"(\w+)"', entry)
    return found[1] if found else ""


def _split(text: str, opening: str):
    """What comes before a list, its elements, and what comes after."""
    start = text.index(opening) + len(opening)
    entries, depth, begin = [], 0, start
    for place in range(start, len(text)):
        if text[place] in "([{":
            depth += 1
        elif text[place] in ")]}":
            depth -= 1
        if depth < 0 or depth == 0 and text[place] == ",":
            if text[begin:place].strip():
                entries.append(text[begin:place])
            begin = place + 1
        if depth < 0:
            return text[:start], entries, text[place:]
    raise ValueError(f"the list after {opening} has no end")
