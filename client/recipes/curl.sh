#!/usr/bin/env bash
# Follows a subscription with curl: prints each result once, however often the connection is lost.
#   TOKEN=… curl.sh https://sauti.example/graphql '{"query":"subscription { inboxEvents { __typename } }"}' [cursor]
# Ends with 0 when the server completes the subscription, with 1 when it is refused or fails: the last line says why.
url=$1 operation=$2 cursor=${3-}

while :; do
  status='' id='' data='' has_failed=0
  while IFS= read -r line; do
    case $line in
      'id: '*) id=${line#id: } ;;
      'data: '*) data=${line#data: } ;;
      'event: complete') exit "$has_failed" ;;
      'status: '*) status=${line#status: } ;;
      '{'*) printf '%s\n' "$line" ;; # JSON instead of a stream: why it is refused
      '') # the end of an event; what has not arrived up to here does not count
        if [ -n "$data" ]; then
          printf '%s\n' "$data"
          [ -n "$id" ] && cursor=$id || has_failed=1
        fi
        id='' data=''
        ;;
    esac
  done < <(
    # Silent for 25 s means dead: the gateway gives a sign of life every 10 s.
    curl --silent --no-buffer --speed-limit 1 --speed-time 25 --write-out '\nstatus: %{http_code}\n' "$url" \
      ${TOKEN:+--header "authorization: Bearer $TOKEN"} ${cursor:+--header "last-event-id: $cursor"} \
      --header 'accept: text/event-stream' --header 'content-type: application/json' --data "$operation"
  )
  case $status in 4*) exit 1 ;; esac
  sleep "$((RANDOM % 2)).$((RANDOM % 10))"
done
