"""Builds the engine with all seeded bugs, and runs the tests with one after the other."""

import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import threading
import time

import manifest
import table

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / ".build-mutants"
TREE = WORK / "tree"
SUITES = ["PageStorageTests", "OxbowTests", "CorruptionTests", "SimulationTests", "CrashTests"]
FAILURE = re.compile(r"Test (.+?)(?: with \d+ test cases)? (?:recorded an issue|failed after)")
BUILD = ["swift", "build", "-c", "release", "--build-tests", "--scratch-path", str(WORK / "build")]

SWITCH = """import Glibc

private let chosen = unsafe getenv("OXBOW_MUTANT").map { unsafe String(cString: $0) }

/// Whether the bug of that name was chosen to be in this run.
@usableFromInline
package func mutant(_ name: String) -> Bool { chosen == name }
"""


def main() -> int:
    arguments = sys.argv[1:]
    mutants = table.read(ROOT / "Tests/Mutants")
    if "--list" in arguments:
        for mutant in mutants:
            print(f"{mutant.name:<44} {mutant.what}")
        print(len(mutants))
        return 0
    unknown = set(arguments) - {mutant.name for mutant in mutants}
    if unknown:
        print(f"there is no mutant {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    mirror(mutants)
    start = time.monotonic()
    if subprocess.run(BUILD, cwd=TREE, stdout=sys.stderr).returncode != 0:
        return 2
    print(f"built in {time.monotonic() - start:.0f} s")
    folder = subprocess.run(
        [*BUILD, "--show-bin-path"], cwd=TREE, check=True, capture_output=True, text=True
    ).stdout.strip()
    binary = pathlib.Path(folder) / "oxbowPackageTests.xctest"
    chosen = [mutant for mutant in mutants if not arguments or mutant.name in arguments]
    return judge(binary, chosen)


def mirror(mutants):
    """Brings the tree up to date, touching only what differs, so that builds are incremental."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    files = [
        name
        for name in listed
        if name.startswith(("Sources/", "Tests/")) and (ROOT / name).is_file()
    ]
    sources = {
        name: (ROOT / name).read_text()
        for name in files
        if name.startswith("Sources/") and name.endswith(".swift")
    }
    changed = table.apply(mutants, sources)
    changed["Sources/Primitives/Mutants.swift"] = SWITCH
    package = (ROOT / "Package.swift").read_text()
    changed["Package.swift"] = manifest.reduced(package, keep=SUITES)
    wanted = {name: (ROOT / name).read_bytes() for name in files}
    wanted |= {name: text.encode() for name, text in changed.items()}
    for path in TREE.rglob("*"):
        if path.is_file() and str(path.relative_to(TREE)) not in wanted:
            path.unlink()
    for name, content in wanted.items():
        path = TREE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != content:
            path.write_bytes(content)


def judge(binary, mutants) -> int:
    limits = {}
    for suite in SUITES:
        verdict, seconds = run(binary, suite, "", limit=600)
        print(f"{'(no bug)':<44} {seconds:6.1f} s  {suite}: {verdict or 'green'}", flush=True)
        if verdict:
            return 2
        # A bug may make a test endless; one that is merely slow is still to be heard.
        limits[suite] = 20 + 4 * seconds
    survivors = []
    for mutant in mutants:
        start = time.monotonic()
        verdict = None
        for suite in order(mutant):
            verdict, _ = run(binary, suite, mutant.name, limits[suite.split(".")[0]])
            if verdict:
                verdict = f"{suite.split('.')[0]}: {verdict}"
                break
        seconds = time.monotonic() - start
        print(f"{mutant.name:<44} {seconds:6.1f} s  {verdict or 'SURVIVED'}", flush=True)
        if not verdict:
            survivors.append(mutant.name)
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} caught")
    if survivors:
        print("survived: " + " ".join(survivors))
    return 1 if survivors else 0


def order(mutant):
    """The tests named for it first; then all suites, the slowest last."""
    return mutant.tests + [suite for suite in SUITES if suite not in mutant.tests]


def run(binary, suite, mutant, limit):
    """What a suite says (None where it is green), and how many seconds it took."""
    start = time.monotonic()
    process = subprocess.Popen(
        [str(binary), "--testing-library", "swift-testing", "--filter", f"^{re.escape(suite)}[./]"],
        env=os.environ | {"OXBOW_MUTANT": mutant},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        cwd=TREE,
    )
    lines = queue.Queue()
    threading.Thread(target=feed, args=(process.stdout, lines), daemon=True).start()
    verdict, last = None, ""
    while True:
        rest = start + limit - time.monotonic()
        try:
            line = lines.get(timeout=max(0.01, rest))
        except queue.Empty:
            verdict = f"no end after {limit:.0f} s"
            break
        if line is None:
            break
        if "invariant broken" in line or "Fatal error" in line:
            last = line.strip()
        failure = FAILURE.search(line)
        if failure:
            verdict = failure[1]
            break
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    code = process.wait()
    if verdict is None and line is None and code not in (0, 69, -signal.SIGKILL):
        verdict = f"trapped: {last[:90] or code}"
    return verdict, time.monotonic() - start


def feed(stream, lines):
    for line in stream:
        lines.put(line)
    lines.put(None)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except table.TableError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
