#!/usr/bin/env bash
# Runs share I of N of a verification and writes FOLDER/I.json: shard.sh I N FOLDER [options of verify].
# Its status is 0 where that report is there, whatever it found: what was refuted need not run again.
set -u
index=$1 count=$2 file=$3/$1.json
mkdir -p "$3" && rm -f "$file" || exit 2
deno run -A cli.ts verify "${@:4}" --shard "$index/$count" --json "$file"
status=$?
# 1 says that a claim was refuted, and of an error too; reports are whole or not there.
if [ "$status" -eq 1 ] && [ -e "$file" ]; then status=0; fi
exit "$status"
