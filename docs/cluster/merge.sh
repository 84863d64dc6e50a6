#!/usr/bin/env bash
# Joins the shares in FOLDER into FOLDER.json: merge.sh FOLDER [options of report].
# Its status is 1 where a share is missing, which it names with the command that runs it, or a claim failed.
exec deno run -A cli.ts report --merge "$1"/*.json --json "$1.json" "${@:2}"
