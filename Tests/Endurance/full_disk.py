"""A disk that fills up under a running PostgreSQL: an error, nothing lost, on when there is room."""

import contextlib
import os
import subprocess
import time

import psycopg

from load import Load, check_rows, check_whole
from server import PATIENCE, Failure

MEBIBYTE = 1 << 20
DISK = 900 * MEBIBYTE
BALLAST = 200 * MEBIBYTE


class FullDisk:
    """Rounds of filling a small file system to its last block and making room again."""

    def __init__(self, server, rounds):
        self.server = server
        self.rounds = rounds
        self.load = Load(server)
        self.counts = {"rounds": 0, "errors told": 0, "acknowledged rows": 0,
                       "rows looked up": 0, "amchecks": 0, "lost": 0}

    @contextlib.contextmanager
    def disk(self):
        """A file system of its own under the data folder."""
        image, data = self.server.folder + "/image", self.server.data
        with open(image, "wb") as file:
            file.truncate(DISK)
        os.mkdir(data)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, data], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", data], check=True)

    @property
    def ballast(self):
        return self.server.data + "/ballast"

    def fill(self):
        """Takes all room but what the store has already."""
        with open(self.ballast, "ab") as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(MEBIBYTE))
                file.flush()

    def room(self):
        os.remove(self.ballast)

    def run(self):
        server = self.server
        server.start()
        server.command("window", "set", "--time", "5s", "--bytes", "64M")
        Load.prepare(server)
        for _ in range(self.rounds):
            self.round()
            self.counts["rounds"] += 1
        self.counts["acknowledged rows"] = sum(self.load.acknowledged())
        server.stop()
        server.command("check")

    def round(self):
        load, server = self.load, self.server
        load.start()
        load.wait_until_busy()
        self.fill()
        self.wait_for_error()
        # What is there can be read as long as PostgreSQL does not have to recover.
        with contextlib.suppress(psycopg.Error):
            server.ask("postgres@main", "SELECT count(*) FROM written")
        time.sleep(1)
        self.room()
        load.wait_until_busy()
        load.stop()
        server.wait_for("postgres@main")
        self.counts["rows looked up"] += check_rows(server, "main", load)
        check_whole(server, "main")
        self.counts["amchecks"] += 1

    def wait_for_error(self):
        """Until every writer was told that something failed."""
        for writer in self.load.writers:
            writer.error = None
        until = time.monotonic() + PATIENCE
        while any(writer.error is None for writer in self.load.writers):
            if time.monotonic() > until:
                raise Failure("nobody was told of the full disk")
            time.sleep(0.05)
        self.counts["errors told"] += len(self.load.writers)
        print("   told: " + str(self.load.writers[0].error).strip().replace("\n", "; "), flush=True)


def full_disk(server, rounds):
    full = FullDisk(server, rounds)
    try:
        with full.disk():
            try:
                full.run()
            finally:
                if server.process and server.process.poll() is None:
                    server.kill()
                time.sleep(0.5)
    finally:
        server.table = full.counts
