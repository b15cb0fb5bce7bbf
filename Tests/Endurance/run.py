"""Runs a part of the endurance tests: run.py PART SIZE OXBOW."""

import os
import random
import subprocess
import sys
import time

import psycopg

import churn
import full_disk
import hostile
import kills
from server import Failure, Server

PARTS = {
    "kill-server": (kills.kill_server, int),
    "kill-compute": (kills.kill_compute, int),
    "churn": (churn.churn, float),
    "full-disk": (full_disk.full_disk, int),
    "hostile": (hostile.hostile, float),
}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in PARTS:
        sys.exit(f"usage: run.py {'|'.join(PARTS)} SIZE OXBOW")
    part, size = PARTS[sys.argv[1]]
    seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
    random.seed(seed)
    print(f"{sys.argv[1]} {sys.argv[2]}, SEED={seed}", flush=True)
    server = Server(sys.argv[3])
    server.table = {}
    began = time.monotonic()
    failure = None
    try:
        part(server, size(sys.argv[2]))
    except (Failure, OSError, psycopg.Error, subprocess.SubprocessError) as error:
        failure = error
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
    for name, value in {**server.table, "seconds": round(time.monotonic() - began)}.items():
        print(f"   {name:<36} {value}")
    if failure:
        print(server.said())
        sys.exit(f"not ok: {failure}\nThe store is kept: {server.data}")
    server.remove()
    print("ok")


if __name__ == "__main__":
    main()
