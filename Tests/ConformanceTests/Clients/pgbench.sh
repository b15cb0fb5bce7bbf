#!/usr/bin/env bash
# pgbench, in each of the ways in which it sends a query.
. "$(dirname "${BASH_SOURCE[0]}")/check.sh"
db=postgres@$BRANCH

pgbench -i -q -s 1 "$db" >out 2>&1 || { cat out; exit 1; }
ok "tables" 100000 "$(said "$db" 'SELECT count(*) FROM pgbench_accounts')"
for mode in simple extended prepared; do
    for script in tpcb-like select-only; do
        pgbench -n -M $mode -b $script -c 4 -j 2 -t 20 "$db" >out 2>&1 || { cat out; exit 1; }
        ok "$mode, $script" 80/80 "$(sed -n 's/^number of transactions actually processed: //p' out)"
        ok "$mode, $script, without failures" "0 (0.000%)" \
            "$(sed -n 's/^number of failed transactions: //p' out)"
    done
done
# What each transaction added stands in four places.
ok "sums" t "$(said "$db" "SELECT count(*) = 240 AND sum(delta) = (SELECT sum(abalance)
    FROM pgbench_accounts) AND sum(delta) = (SELECT sum(tbalance) FROM pgbench_tellers)
    AND sum(delta) = (SELECT sum(bbalance) FROM pgbench_branches) FROM pgbench_history")"
printf '%s\n' '\startpipeline' 'SELECT 1;' 'INSERT INTO pgbench_history (tid) VALUES (0);' \
    'SELECT 2;' '\endpipeline' >pipeline.sql
pgbench -n -M extended -f pipeline.sql -c 2 -t 20 "$db" >out 2>&1 || { cat out; exit 1; }
ok "pipeline" 40 "$(said "$db" 'SELECT count(*) FROM pgbench_history WHERE tid = 0')"
