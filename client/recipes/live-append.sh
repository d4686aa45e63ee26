#!/usr/bin/env bash
# Sends one chunk of audio to a live session by GraphQL alone. Calling it again with the same number stores nothing twice.
#   TOKEN=… live-append.sh http://localhost:4000/graphql liv_… 1 chunk.pcm
set -euo pipefail
url=$1 session=$2 sequence=$3 chunk=$4

operation='{"query":"mutation ($input: AppendLiveAudioInput!) { appendLiveAudio(input: $input) {
  session { state acknowledgedSequence } errors { code message retryAfterMs } } }",
  "variables":{"input":{"sessionId":"'$session'","sequence":'$sequence',"chunk":null}}}'
curl --silent --show-error "$url" --header "authorization: Bearer $TOKEN" --header 'apollo-require-preflight: true' \
  --form "operations=${operation//$'\n'/ }" --form 'map={"0":["variables.input.chunk"]}' --form "0=@$chunk"
