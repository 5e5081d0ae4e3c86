#!/bin/sh
# A signed call through the gateway with curl and openssl. Usage: see README.md.
set -euf
[ $# -ge 8 ] || { echo "usage: sample.sh GATEWAY_URL CA CLIENT_ID KEY CERT GATEWAY_CERT PATH PURPOSE [BODYFILE]" >&2; exit 2; }
url=$1 ca=$2 client=$3 key=$4 cert=$5 gateway_cert=$6 path=$7 purpose=$8 body=${9:-}
case $purpose in \"*) ;; *) purpose="\"$purpose\"" ;; esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail() { echo "not verified: $*" >&2; exit 2; }

digest() { printf 'sha-256=:%s:' "$(openssl dgst -sha256 -binary "$1" | openssl base64 -A)"; }
keyid() { openssl x509 -in "$1" -outform DER | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d '='; }
# ECDSA: openssl has DER, RFC 9421 wants r and s, 32 bytes each
der_to_raw() {
  hex=$(openssl asn1parse -inform DER -in "$1" | sed -n 's/.*INTEGER *://p' | while read -r n; do
    n=0000000000000000000000000000000000000000000000000000000000000000$n
    printf '%s' "$n" | tail -c 64
  done)
  printf "$(printf '%s' "$hex" | sed 's/../0x& /g' | xargs printf '\\%03o')"
}
raw_to_der() {
  hex=$(od -An -v -tx1 "$1" | tr -d ' \n')
  [ ${#hex} -eq 128 ] || fail "the signature is not 64 bytes"
  printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "${hex%????????????????????????????????????????????????????????????????}" \
    "${hex#????????????????????????????????????????????????????????????????}" >"$tmp/der.conf"
  openssl asn1parse -genconf "$tmp/der.conf" -noout -out "$2"
}

# --- the request: what is sent is what is signed ---
method=GET target=$url$path
set -- "X-Road-Client: $client" "X-Road-Id: $(openssl rand -hex 16)" "Motlan-Purpose: $purpose"
[ -z "${OFFICER:-}" ] || set -- "$@" "X-Road-UserId: $OFFICER"
[ -z "${CASE:-}" ] || set -- "$@" "X-Road-Issue: $CASE"
if [ -n "$body" ]; then
  method=POST
  set -- "$@" "Content-Type: application/json" "Content-Digest: $(digest "$body")"
fi
covered='"@method" "@target-uri"'
printf '"@method": %s\n"@target-uri": %s\n' "$method" "$target" >"$tmp/base"
: >"$tmp/curl"
for field in "$@"; do
  name=$(printf '%s' "${field%%:*}" | tr 'A-Z' 'a-z')
  covered="$covered \"$name\""
  printf '"%s": %s\n' "$name" "${field#*: }" >>"$tmp/base"
  printf '%s\n' "$field" >>"$tmp/headers"
done
now=$(date +%s)
params="($covered);created=$now;expires=$((now + 60));nonce=\"$(openssl rand -hex 16)\";keyid=\"$(keyid "$cert")\";alg=\"ecdsa-p256-sha256\";tag=\"motlan-request\""
printf '"@signature-params": %s' "$params" >>"$tmp/base"
openssl dgst -sha256 -sign "$key" -out "$tmp/der" "$tmp/base"
signature=$(der_to_raw "$tmp/der" | openssl base64 -A)
printf 'Signature-Input: sig1=%s\nSignature: sig1=:%s:\n' "$params" "$signature" >>"$tmp/headers"

set -- -sS -g --path-as-is --http1.1 --cacert "$ca" -X "$method" -H "@$tmp/headers" -H 'Expect:' -D "$tmp/head" -o "$tmp/answer"
[ -z "$body" ] || set -- "$@" --data-binary "@$body"
: >"$tmp/answer"
curl "$@" "$target" || fail "no answer"

# --- the answer ---
tr -d '\r' <"$tmp/head" | awk '/^HTTP\//{text=""} {text=text $0 "\n"} END{printf "%s", text}' >"$tmp/fields" # the last of several heads
status=$(sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' "$tmp/fields")
get() { awk -v name="$1" '{i=index($0, ":")} tolower(substr($0, 1, i-1))==name {v=substr($0, i+1); sub(/^[ \t]+/, "", v); sub(/[ \t]+$/, "", v); print v}' "$tmp/fields"; }
input=$(get signature-input | tr ',' '\n' | sed 's/^ *//' | grep 'tag="motlan-response"') || fail "no signature of a gateway"
label=${input%%=*}
answer_params=${input#*=}
list=${answer_params#(}
list=${list%%)*}
case $answer_params in *";keyid=\"$(keyid "$gateway_cert")\""*) ;; *) fail "signed by another key" ;; esac
case $answer_params in *';alg="ecdsa-p256-sha256"'*) ;; *) fail "another algorithm" ;; esac

needed='"@status" "content-digest" "@method";req "@target-uri";req'
[ -z "$body" ] || needed="$needed \"content-digest\";req"
for name in content-type content-encoding x-road-id x-road-client x-road-service x-road-request-id x-road-request-hash x-road-error motlan-outcome motlan-receipt; do
  [ -z "$(get $name)" ] || needed="$needed \"$name\""
done
# an error of the gateway may come without these two, if it could not read our signature
if [ "$status" -lt 400 ] || [ -z "$(get x-road-error)" ]; then
  needed="$needed \"signature-input\";req;key=\"sig1\" \"signature\";req;key=\"sig1\""
fi
for component in $needed; do
  case " $list " in *" $component "*) ;; *) fail "$component is not covered" ;; esac
done

: >"$tmp/base"
for component in $list; do
  case $component in
    '"@status"') value=$status ;;
    '"@method";req') value=$method ;;
    '"@target-uri";req') value=$target ;;
    '"content-digest";req') value=$(digest "$body") ;;
    '"signature-input";req;key="sig1"') value=$params ;;
    '"signature";req;key="sig1"') value=":$signature:" ;;
    *';'* | '"@'*) fail "unknown component $component" ;;
    *) value=$(get "$(printf '%s' "$component" | tr -d '"')") ;;
  esac
  printf '%s: %s\n' "$component" "$value" >>"$tmp/base"
done
printf '"@signature-params": %s' "$answer_params" >>"$tmp/base"
get signature | tr ',' '\n' | sed -n "s/^ *$label=:\(.*\):\$/\1/p" | openssl base64 -d -A >"$tmp/raw"
raw_to_der "$tmp/raw" "$tmp/der"
openssl x509 -in "$gateway_cert" -pubkey -noout >"$tmp/key"
openssl dgst -sha256 -verify "$tmp/key" -signature "$tmp/der" "$tmp/base" >/dev/null 2>&1 || fail "the signature is wrong"
created=$(printf '%s' "$answer_params" | sed 's/.*;created=\([0-9]*\).*/\1/')
age=$(($(date +%s) - created))
[ $age -lt 360 ] && [ $age -gt -60 ] || fail "the answer is $age s old"
[ "$(get content-digest)" = "$(digest "$tmp/answer")" ] || fail "the body is another one"

echo "verified: $status" >&2
cat "$tmp/answer"
[ "$status" -lt 400 ]
