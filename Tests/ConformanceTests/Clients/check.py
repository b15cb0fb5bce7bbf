"""What the clients in Python have in common: who is reached, and lines that the test compares."""
import os
import sys

host, port = os.environ["PGHOST"], int(os.environ["PGPORT"])
user, password = os.environ["PGUSER"], os.environ["PGPASSWORD"]
branch = os.environ["BRANCH"]
database = "postgres@" + branch


def ok(what, expected, found):
    """A line that the test compares, or the end."""
    if expected != found:
        print(f"not ok: {what}: expected {expected!r}, found {found!r}")
        sys.exit(1)
    print("ok", what)


def fails(what, kind, state, body):
    """Sees that a body raises a kind of error with an SQLSTATE."""
    try:
        body()
    except kind as error:
        found = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        ok(what, state, found)
    else:
        ok(what, state, "no error")
