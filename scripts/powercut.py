"""The loop of scripts/powercut, which says what it is: boot, work, cut, boot, verify."""

import argparse
import ctypes
import os
import pathlib
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BOOT_SECONDS = 120
VERIFY_SECONDS = 600
FIRST_COMMIT_SECONDS = 60
CUT_SECONDS = (0.3, 4.0)
# Every fifth cut comes while the worker opens the store, which takes it about this long.
EARLY_SECONDS = (0.0, 0.25)
DISK_BYTES = 4 << 30
MEMORY_MIB = 512
CONTROL_SHARE = 0.9
# What the control's store holds before its syncs become lies.
HONEST_COMMITS = 100
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

libc = ctypes.CDLL(None)

MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-F"],
    "xfs": ["mkfs.xfs", "-q", "-f"],
    "btrfs": ["mkfs.btrfs", "-q", "-f"],
}

# The first process of a guest. The serial line passes bytes on as they are; what it says is
# "ready", the lines of the worker, and "status N" once that has ended.
INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin SWIFT_BACKTRACE=enable=no
mount -t proc proc /proc
stty -F /dev/ttyS0 raw -echo
if [ "$HASTE" = 1 ]; then
    echo 1 >/proc/sys/vm/dirty_writeback_centisecs
    echo 1 >/proc/sys/vm/dirty_expire_centisecs
fi
mount -t {filesystem} /dev/ubda {mount} || echo "status mount" >/dev/ttyS0
echo ready >/dev/ttyS0
case $DUTY in
work) {worker} {mount}/store 1000000000 ;;
prepare) {worker} {mount}/store {honest} && umount {mount} ;;
lie) LD_PRELOAD=libeatmydata.so {worker} {mount}/store 1000000000 ;;
verify) {worker} --verify {mount}/store "$DURABLE" ;;
esac >/dev/ttyS0 2>&1
echo "status $?" >/dev/ttyS0
while :; do sleep 60; done
"""


class Failure(Exception):
    """The test could not be made; nothing is known of the engine."""


class Bench:
    """What all guests share: a folder with the first process, a mount point and a disk."""

    def __init__(self, worker, filesystem):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="oxbow-powercut-"))
        self.mount = self.folder / "mount"
        self.mount.mkdir()
        self.image = self.folder / "disk"
        self.fresh = self.folder / "fresh"
        self.init = self.folder / "init"
        # A copy, since the next build may come while this runs.
        own = self.folder / "worker"
        shutil.copy(worker, own)
        self.init.write_text(
            INIT.format(
                filesystem=filesystem, mount=self.mount, worker=own, honest=HONEST_COMMITS
            )
        )
        self.init.chmod(0o755)
        with open(self.fresh, "wb") as file:
            file.truncate(DISK_BYTES)
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        subprocess.run(
            [*MAKE[filesystem], str(self.fresh)],
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PATH": path},
        )
        self.renew()

    def renew(self):
        """Makes the disk what it was before the first cut."""
        copy(self.fresh, self.image)

    def prepare(self):
        """Has a fresh disk hold a store, so that a lie has more to lose than the folder."""
        with Guest(self, self.image, "prepare") as guest:
            guest.boot()
            status = guest.listen(VERIFY_SECONDS, lambda line: line.startswith("status"))
            guest.cut()
            if status != "status 0":
                raise Failure(f"no store was made; {guest.tail()}")
        self.image.rename(self.fresh)

    def layer(self):
        """A copy-on-write layer over the disk, which stays as it is."""
        layer = self.folder / "layer"
        layer.unlink(missing_ok=True)
        return f"{layer},{self.image}"

    def keep(self, cut):
        kept = self.folder / f"disk-of-cut-{cut}"
        copy(self.image, kept)
        return kept

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def copy(source, target):
    subprocess.run(["cp", "--sparse=always", source, target], check=True)


def memory_folder():
    """Where the guest's memory lies: a file system in memory with room for it, or any."""
    for folder in (os.environ.get("TMPDIR"), "/dev/shm"):
        if folder and os.access(folder, os.W_OK):
            if shutil.disk_usage(folder).free > (MEMORY_MIB + 64) << 20:
                kind = subprocess.run(
                    ["stat", "-f", "-c", "%T", folder], capture_output=True, text=True
                )
                if kind.stdout.strip() in ("tmpfs", "ramfs"):
                    return folder
    return tempfile.gettempdir()


class Guest:
    """A user-mode Linux in a process group of its own, and the lines of its serial line."""

    def __init__(self, bench, disk, duty, **environment):
        self.duty = duty
        self.log = bench.folder / f"console-{duty}"
        self.lines = []
        self.heard = 0
        self.rest = b""
        self.process = None
        self.line, theirs = os.pipe()
        settings = {"DUTY": duty, **environment}
        command = [
            "linux.uml",
            f"mem={MEMORY_MIB}M",
            f"ubd0={disk}",
            "root=/dev/root",
            "rootfstype=hostfs",
            "ro",
            "con=null",
            "con0=null,fd:1",
            f"ssl0=null,fd:{theirs}",
            f"uml_dir={bench.folder}/",
            f"init={bench.init}",
            "panic=1",
            *(f"{name}={value}" for name, value in settings.items()),
        ]
        try:
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[theirs],
                    start_new_session=True,
                    preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),
                    env={**os.environ, "TMPDIR": memory_folder()},
                )
        finally:
            os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()

    def listen(self, seconds, wanted=lambda line: False):
        """Hears the line until one is wanted, and gives that, or until the time is over."""
        end = time.monotonic() + seconds
        while True:
            # On a busy host one piece of the line holds more than what is waited for first.
            while self.heard < len(self.lines):
                self.heard += 1
                if wanted(self.lines[self.heard - 1]):
                    return self.lines[self.heard - 1]
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.line], [], [], left)[0]:
                return None
            data = os.read(self.line, 1 << 16)
            if not data:
                raise Failure(f"the guest ended on its own; {self.tail()}")
            self.take(data)

    def take(self, data):
        """The whole lines; what was cut off in the middle was not said."""
        *whole, self.rest = (self.rest + data).split(b"\n")
        self.lines += [line.decode(errors="replace").strip() for line in whole]

    def boot(self):
        if self.listen(BOOT_SECONDS, lambda line: line in ("ready", "status mount")) != "ready":
            raise Failure(f"the guest was not ready in {BOOT_SECONDS} s; {self.tail()}")

    def cut(self):
        """Kills the guest, waits until none of it is left, and hears what it had said."""
        if self.process is None:
            return
        group = self.process.pid
        # Its first process is not waited for yet, so that the number is still its own.
        os.killpg(group, signal.SIGKILL)
        while True:
            try:
                os.waitpid(-group, 0)
            except ChildProcessError:
                break
        self.process.returncode = -signal.SIGKILL
        self.process = None
        while data := os.read(self.line, 1 << 16):
            self.take(data)
        os.close(self.line)

    @property
    def acknowledged(self):
        return max((int(line) for line in self.lines if line.isdecimal()), default=0)

    @property
    def told(self):
        """What the worker said beside its acknowledgements."""
        said = [line for line in self.lines if not line.isdecimal() and line != "ready"]
        return "; ".join(said[-20:])

    def tail(self):
        text = self.log.read_text(errors="replace")
        return f"it said: {self.told or 'nothing'}; its console:\n{text[-3000:]}"


def work(bench, moment, haste, control):
    """Lets a guest work, and cuts it. Gives what it acknowledged, and what was wrong, if anything
    was before the cut."""
    duty = "lie" if control else "work"
    with Guest(bench, bench.image, duty, HASTE=int(haste)) as guest:
        guest.boot()
        ended = guest.listen(moment, lambda line: line.startswith("status"))
        if control and not ended and guest.acknowledged == 0:
            guest.listen(FIRST_COMMIT_SECONDS, str.isdecimal)
        guest.cut()
        return guest.acknowledged, f"damaged: the worker ended: {guest.told}" if ended else None


def verify(bench, durable):
    """Whether the store holds what is durable, and what a fresh guest says of it."""
    with Guest(bench, bench.layer(), "verify", DURABLE=durable) as guest:
        guest.boot()
        status = guest.listen(VERIFY_SECONDS, lambda line: line.startswith("status"))
        guest.cut()
        if status is None:
            return False, f"damaged: not verified in {VERIFY_SECONDS} s; {guest.told}"
        said = [line for line in guest.lines if line != "ready" and line != status]
        if status == "status 0":
            return True, said[-1]
        wrong = [line for line in said if line.startswith(("lost:", "damaged:"))]
        return False, wrong[-1] if wrong else f"damaged: {status}; {guest.told}"


def run(bench, options, moments):
    """Makes the cuts; gives how many lost data, how many damaged it, and all acknowledgements."""
    counts = {"lost": 0, "damaged": 0}
    durable = total = 0
    for cut in range(1, options.cuts + 1):
        start = time.monotonic()
        early = cut % 5 == 0 and not options.control
        moment = moments.uniform(*(EARLY_SECONDS if early else CUT_SECONDS))
        if options.control:
            bench.renew()
            durable = 0
        haste = cut % 2 == 0 and not options.control
        acknowledged, wrong = work(bench, moment, haste, options.control)
        total += max(0, acknowledged - durable)
        durable = max(durable, acknowledged)
        if wrong is None:
            whole, said = verify(bench, durable)
            wrong = None if whole else said
        print(
            f"{cut:4}/{options.cuts}  cut after {moment:.2f} s{', hasty' if haste else ''}: "
            f"{durable} durable; {wrong or said}; {time.monotonic() - start:.1f} s",
            flush=True,
        )
        if wrong is not None:
            counts["lost" if wrong.startswith("lost:") else "damaged"] += 1
            if not options.control:
                print(f"          the disk is kept: {bench.keep(cut)}", flush=True)
                bench.renew()
                durable = 0
    return counts["lost"], counts["damaged"], total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("worker")
    parser.add_argument("cuts", type=int)
    parser.add_argument("filesystem", choices=sorted(MAKE))
    parser.add_argument("--control", action="store_true")
    options = parser.parse_args()
    # What a killed guest leaves of its processes becomes ours to wait for.
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"{options.filesystem}, seed {seed}", flush=True)
    bench = Bench(options.worker, options.filesystem)
    keeps = False
    try:
        if options.control:
            bench.prepare()
        lost, damaged, total = run(bench, options, random.Random(seed))
        if options.control:
            passed = lost + damaged >= CONTROL_SHARE * options.cuts
            print(
                f"{options.cuts} cuts without syncs, {lost} lost, {damaged} damaged: "
                + ("the cuts cut" if passed else "too few, THE CUTS PROVE NOTHING")
            )
        else:
            keeps = lost + damaged > 0
            passed = not keeps and total >= options.cuts
            print(f"{total} commits acknowledged as durable")
            if total < options.cuts:
                print("less than one for each cut: the worker hardly worked")
            print(f"{options.cuts} cuts, {lost} lost, {damaged} damaged")
        return 0 if passed else 1
    except Failure as failure:
        print(f"powercut: {failure}", file=sys.stderr)
        return 2
    finally:
        if not keeps:
            bench.remove()


if __name__ == "__main__":
    sys.exit(main())
