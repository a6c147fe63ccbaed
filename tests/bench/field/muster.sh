#!/bin/sh
# muster as a contender of the kit: one process for all runs, as its users would start it.
set -e
here=$(dirname "$0")
mkdir "$BENCH_TMP/project"
cd "$BENCH_TMP/project"
case "$BENCH_TEAM" in
*team.json) team=team prompt="Build a small browser game with a Node.js backend. Follow the project plan." ;;
*) team=solo prompt="Say hello, or do as the script of this benchmark says." ;;
esac
if [ "${BENCH_RUNS:-1}" -eq 1 ]; then
	exec "$MUSTER" run "$here/$team.yaml" -i "prompt=RUN=0; $prompt" --quiet --out "$BENCH_DIR"
fi
run=0
while [ "$run" -lt "$BENCH_RUNS" ]; do
	echo "{\"prompt\": \"RUN=$run; $prompt\"}"
	run=$((run + 1))
done > runs.jsonl
"$MUSTER" run "$here/$team.yaml" --each runs.jsonl --concurrency "$BENCH_RUNS" --quiet \
	--out "$BENCH_DIR"
# Run i is in line i + 1, and its work in the folder of that name.
cd "$BENCH_DIR"
exec python3 -c 'import os, sys
for run in range(int(sys.argv[1])):
    os.rename(str(run + 1), str(run))' "$BENCH_RUNS"
