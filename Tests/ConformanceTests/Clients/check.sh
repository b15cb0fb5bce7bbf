# What the clients in shell have in common. Sourced by them.
# The server and who logs in come as PGHOST, PGPORT, PGUSER and PGPASSWORD; BRANCH is the client's own.
set -euo pipefail

export PGSSLMODE=require PGOPTIONS= LC_ALL=C

# ok <what> <expected> <found>: a line that the test compares, or the end.
ok() {
    if [ "$2" != "$3" ]; then
        printf 'not ok: %s: expected [%s], found [%s]\n' "$1" "$2" "$3"
        exit 1
    fi
    printf 'ok %s\n' "$1"
}

# said <database> <sql>: what psql prints, errors too.
said() { psql -X -q -At -v VERBOSITY=verbose -d "$1" -c "$2" 2>&1 || :; }
