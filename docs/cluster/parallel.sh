#!/usr/bin/env bash
# Runs N shares with GNU parallel, JOBS at a time (1): parallel.sh N FOLDER [options of verify].
# Called again it runs those that failed and those that were never run; its status is the number that failed.
mkdir -p "$2" || exit 2
seq "$1" | parallel --quote --jobs "${JOBS:-1}" --joblog "$2/joblog" --resume-failed \
  docs/cluster/shard.sh {} "$1" "$2" "${@:3}"
