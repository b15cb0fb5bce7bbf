#!/usr/bin/env bash
# psql: https://www.postgresql.org/docs/15/app-psql.html
. "$(dirname "${BASH_SOURCE[0]}")/check.sh"
db=postgres@$BRANCH

ok "password over TLS" "TLSv1.3|$BRANCH" \
    "$(psql -X -q -At -F '|' -d "$db" -c '\conninfo' -c 'SHOW oxbow.branch' |
        sed -n 's/.*protocol: \(TLSv[0-9.]*\).*/\1/p; /^[a-z][a-z0-9-]*$/p' | paste -sd '|')"
ok "channel binding" 1 "$(PGCHANNELBINDING=require said "$db" 'SELECT 1')"
ok "wrong password" 'password authentication failed for user "postgres"' \
    "$(PGPASSWORD=no said "$db" 'SELECT 1' | sed -n 's/.*FATAL:  *//p')"
ok "unknown branch" 3D000 \
    "$(said postgres@no-such-branch 'SELECT 1' | grep -o 'branch "no-such-branch" does not exist' |
        sed 's/.*/3D000/')"
ok "types" "7|1.50|t|{1,NULL,3}|{\"a\": 1}|2026-04-08 22:56:02+00|\\x00ff|été" \
    "$(PGTZ=UTC said "$db" "SELECT 7, 1.50, true, '{1,NULL,3}'::int[], '{\"a\": 1}'::jsonb,
        '2026-04-08T22:56:02Z'::timestamptz, '\\x00ff'::bytea, 'été'")"
ok "error with its state" "ERROR:  22012: division by zero" \
    "$(said "$db" 'SELECT 1/0' | grep '^ERROR')"
ok "prepared statement" 42 \
    "$(said "$db" 'PREPARE p(int) AS SELECT $1 * 2; EXECUTE p(21)')"
ok "copy out and in" "20000|200010000" "$(
    psql -X -q -At -d "$db" <<'SQL'
CREATE TABLE copied (n bigint, line text);
\copy (SELECT n, repeat('x', 80) FROM generate_series(1, 20000) n) TO PROGRAM 'cat > /dev/null'
COPY copied FROM PROGRAM 'seq -f "%.0f	line" 20000';
SELECT count(*), sum(n) FROM copied;
SQL
)"
ok "copy through the client" "$(seq 1000 | md5sum)" "$(
    seq 1000 | psql -X -q -d "$db" -c 'CREATE TABLE c (n int)' -c '\copy c FROM STDIN'
    psql -X -q -At -d "$db" -c '\copy c TO STDOUT' | md5sum
)"
ok "copy that fails" "22P02" \
    "$(printf '1\nx\n' | psql -X -q -d "$db" -v VERBOSITY=verbose -c '\copy c FROM STDIN' 2>&1 |
        sed -n 's/^ERROR:  \([0-9A-Z]*\).*/\1/p')"
ok "cursor" "1 2 3 20000" "$(said "$db" "BEGIN;
    DECLARE c SCROLL CURSOR FOR SELECT n FROM copied ORDER BY n;
    FETCH 3 FROM c; FETCH LAST FROM c; COMMIT" | paste -sd ' ')"
ok "rows in pieces" 20000 \
    "$(psql -X -q -At -d "$db" -v FETCH_COUNT=999 -c 'SELECT n FROM copied' | wc -l)"
ok "notify" 'Asynchronous notification "news" with payload "hello" received' \
    "$(said "$db" "LISTEN news; NOTIFY news, 'hello'" | sed 's/ from server.*//')"
ok "isolation" "serializable|on" \
    "$(said "$db" "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
        SELECT current_setting('transaction_isolation') || '|' ||
            current_setting('transaction_read_only'); COMMIT")"
ok "cancel" 57014 "$(
    psql -X -q -At -d "$db" -v VERBOSITY=verbose -c 'SELECT pg_sleep(60)' \
        >cancel.out 2>&1 &
    psql=$!
    until [ "$(said "$db" "SELECT count(*) FROM pg_stat_activity
            WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'")" = 1 ]; do :; done
    kill -INT $psql
    wait $psql || :
    sed -n 's/^ERROR:  \([0-9A-Z]*\).*/\1/p' cancel.out
)"
said "$db" 'CREATE TABLE kept AS SELECT 32 n; CHECKPOINT' >>said
moment=$(psql -X -q -At -d oxbow -c "SHOW POINT $BRANCH AT 'head'" | cut -d '|' -f 1)
said "$db" 'DELETE FROM kept' >>said
ok "a moment is read-only" "32 25006" "$(
    said "$db@$moment" 'SELECT n FROM kept; INSERT INTO kept VALUES (1)' |
        sed -n 's/^32$/32/p; s/^ERROR:  \([0-9A-Z]*\).*/\1/p' | paste -sd ' '
)"
ok "a throw-away fork" "1 0" "$({
    said "$db+" 'INSERT INTO kept VALUES (1); SELECT count(*) FROM kept'
    said "$db" 'SELECT count(*) FROM kept'
} | paste -sd ' ')"
ok "branch in the options" "$BRANCH" \
    "$(PGOPTIONS="-c oxbow.branch=$BRANCH" said postgres 'SHOW oxbow.branch')"
ok "console" "$BRANCH" "$(psql -X -q -At -d oxbow -c 'SHOW BRANCHES' | cut -d '|' -f 1 | grep -x "$BRANCH")"
