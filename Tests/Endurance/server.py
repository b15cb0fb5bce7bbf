"""A branch server in a process of its own, which may be killed."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import psycopg

PATIENCE = 120
PROGRAMS = "/usr/lib/postgresql/15/bin"


class Failure(Exception):
    """What was promised and does not hold."""


class Server:
    """`oxbow serve` on a folder, and what is needed to talk to it."""

    def __init__(self, oxbow, folder=None, *options):
        self.oxbow = str(pathlib.Path(oxbow).resolve())
        self.folder = folder or tempfile.mkdtemp(prefix="oxbow-endurance-")
        self.data = self.folder + "/data"
        self.options = options
        self.process = None
        self.address = {}
        self.run_folder = None

    def start(self):
        """Starts it, and waits until it listens."""
        self.process = subprocess.Popen(
            [self.oxbow, "serve", "--data", self.data, "--listen", "127.0.0.1:0", "--json",
             *self.options],
            stdout=subprocess.PIPE, stderr=open(self.folder + "/said", "ab"), text=True,
        )
        text = ""
        for line in self.process.stdout:
            text += line
            with contextlib.suppress(json.JSONDecodeError):
                self.address = json.loads(text)
                if "url" not in self.address:
                    raise Failure(f"the server did not start: {text}")
                self.run_folder = self.read_address()["run"]
                return
        self.process.wait()
        raise Failure(f"the server did not start: {self.said()}")

    def said(self):
        with open(self.folder + "/said", encoding="utf-8", errors="replace") as file:
            return file.read()[-2000:]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(timeout=PATIENCE)
        if status != 0:
            raise Failure(f"the server ended with status {status}: {self.said()}")

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    # Talking to it

    def environment(self, branch):
        """For PostgreSQL's own programs, on a branch whatever database they open."""
        return {
            **os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "PGHOST": self.address["host"], "PGPORT": str(self.address["port"]),
            "PGUSER": "postgres", "PGPASSWORD": self.password(), "PGSSLMODE": "require",
            "PGOPTIONS": f"-c oxbow.branch={branch}",
        }

    def read_address(self):
        with open(self.data + "/server/address", encoding="ascii") as file:
            return dict(line.split(maxsplit=1) for line in file.read().splitlines())

    def password(self):
        with open(self.data + "/server/password", encoding="ascii") as file:
            return file.read().strip()

    def connect(self, database="postgres", **more):
        """One attempt to get a session."""
        return psycopg.connect(
            host=self.address["host"], port=self.address["port"], user="postgres",
            password=self.password(), dbname=database, sslmode="require", autocommit=True,
            connect_timeout=60, prepare_threshold=None, **more,
        )

    def ask(self, database, sql):
        """The rows of a statement, in a session of its own."""
        with self.connect(database) as session:
            cursor = session.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def wait_for(self, database):
        """Waits until a session is let in, and returns how long that took."""
        began = time.monotonic()
        while True:
            try:
                self.ask(database, "SELECT 1")
                return time.monotonic() - began
            except psycopg.OperationalError as error:
                if time.monotonic() > began + PATIENCE:
                    raise Failure(f"{database} lets nobody in: {error}") from error
                time.sleep(0.1)

    def ask_patiently(self, database, sql):
        """The same, as often as it takes: while a compute comes back, it lets nobody in."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self.ask(database, sql)
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def value(self, database, sql):
        return self.ask(database, sql)[0][0]

    def run(self, branch, *command):
        """What one of PostgreSQL's programs says on a branch."""
        done = subprocess.run(
            [f"{PROGRAMS}/{command[0]}", *command[1:]], env=self.environment(branch), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
        )
        if done.returncode != 0:
            raise Failure(f"{' '.join(command)} on {branch}: {done.stdout[-2000:]}")
        return done.stdout

    def command(self, *words):
        """What an `oxbow` command says of the store, whether it is served or not."""
        done = subprocess.run(
            [self.oxbow, *words, "-s", self.data], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Failure(f"oxbow {' '.join(words)}: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        return done.stdout

    # What there is of it

    def compute(self, branch):
        """The first process of a branch's compute."""
        for row in self.ask("oxbow", "SHOW COMPUTES"):
            if row[0] == branch and row[1] is None and row[3]:
                return int(row[3])
        return None


def children(process):
    """The processes that a process has begun."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{task}/children", encoding="ascii") as file:
                found += [int(word) for word in file.read().split()]
    return found


def descendants(process):
    """All processes below a process."""
    found = children(process)
    for child in list(found):
        found += descendants(child)
    return found
