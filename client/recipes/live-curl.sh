#!/usr/bin/env bash
# Transcribes what ffmpeg reads while it is read: a file, a microphone, a stream. Prints the session's id, then its end.
#   TOKEN=… live-curl.sh http://localhost:4000/graphql -i talk.mp3
#   TOKEN=… live-curl.sh http://localhost:4000/graphql -f pulse -i default
set -euo pipefail
url=$1
shift

field() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }
start='{"query":"mutation { startLiveSession(input: { title: \"curl\", options: { language: \"en\" } }) {
  session { id ingest { httpUrl token } } errors { code message } } }"}'
session=$(curl --silent --show-error "$url" --header "authorization: Bearer $TOKEN" \
  --header 'content-type: application/json' --data "${start//$'\n'/ }")
id=$(field id <<<"$session") || { printf '%s\n' "$session" >&2 && exit 1; }
printf '%s\n' "$id"

ffmpeg -v error -nostdin "$@" -vn -f s16le -ac 1 -ar 16000 -flush_packets 1 pipe:1 |
  curl --silent --show-error --fail-with-body --upload-file - "$(field httpUrl <<<"$session")" \
    --header "authorization: Bearer $(field token <<<"$session")"
