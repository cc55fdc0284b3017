#!/bin/sh
# Writes the configuration of a NATS server for one installation of the hub, and everybody's
# credentials. Run again it keeps the passwords that are there; so adding a tenant or moving to
# another port is a second run. Needs nothing but a POSIX shell and coreutils.
#
#   make-config.sh STATE_DIR PORT [TENANT=RECEIVER]...
#
# TENANT is a short lower-case name; its account is the name in capitals, that of its stream has _STREAM
# after it, its user, stream and durable are the name. RECEIVER is what the hub calls it. Without any:
# the two of Warwickshire.
#
#   STATE_DIR/nats.conf                  nats-server -c STATE_DIR/nats.conf
#   STATE_DIR/receivers.json             for the hub: where to publish, with its own users
#   STATE_DIR/credentials/TENANT.json    for the tenant: how to fetch
#   STATE_DIR/credentials/hub.json       the hub's own account
#   STATE_DIR/passwords/USER             one password each
set -eu
umask 077

if [ $# -lt 2 ]; then
  echo "usage: $0 STATE_DIR PORT [TENANT=RECEIVER]..." >&2
  exit 2
fi
mkdir -p "$1/credentials" "$1/passwords" "$1/jetstream"
state=$(cd "$1" && pwd)
port=$2
shift 2
[ $# -gt 0 ] || set -- wpcv=forums/warwickshire wcc=forums/warwickshire/partners/wcc
url=nats://127.0.0.1:$port

for tenant in "$@"; do
  case $tenant in
    *=*) ;;
    *) echo "$0: '$tenant' is not TENANT=RECEIVER" >&2; exit 2 ;;
  esac
  case ${tenant%%=*} in
    hub | '' | *[!a-z0-9]*) echo "$0: a tenant's name is lower-case letters and digits, not 'hub': '$tenant'" >&2
      exit 2 ;;
  esac
done

# The password of a user, made at the first call.
password() {
  if [ ! -s "$state/passwords/$1" ]; then
    head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$state/passwords/$1.new"
    mv "$state/passwords/$1.new" "$state/passwords/$1"
  fi
  cat "$state/passwords/$1"
}

# The hub in an account: makes stream and durable, publishes, reads back. $1 its user there. Not all of
# $JS.API: servers before 2.10.27 let $JS.API.ACCOUNT.PURGE delete another account's streams.
hub_user() {
  cat <<END
      { user: "$1", password: "$(password "$1")", permissions: {
          publish: { allow: ["coproduction.>", "\$JS.API.STREAM.>", "\$JS.API.CONSUMER.>", "\$JS.ACK.>"] }
          subscribe: { allow: ["_INBOX.>"] } } }
END
}

# What a tenant asks of JetStream: the next events of its one durable, how far it is, its stream.
requests() {
  echo "CONSUMER.MSG.NEXT.$1.$1 CONSUMER.INFO.$1.$1 STREAM.INFO.$1"
}

# A tenant's user. It may say where an answer is to go, and the server delivers there without asking
# what the user may: in the account of the stream, an answer sent to STREAM.DELETE deletes. So the
# tenant has an account beside the stream's, without JetStream, into which only these requests are
# let, under the name of the domain 'hub'.
tenant_account() {
  cat <<END
    users: [
      { user: "$1", password: "$(password "$1")", permissions: {
          publish: { allow: [
$(for request in $(requests "$1"); do echo "            \"\$JS.hub.API.$request\""; done)
            "\$JS.ACK.$1.$1.>" ] }
          subscribe: { allow: ["_INBOX_$1.>"] } } }
    ]
    imports: [
$(for request in $(requests "$1"); do
    echo "      { service: { account: $2, subject: \"\$JS.API.$request\" }, to: \"\$JS.hub.API.$request\" }"
  done)
      { service: { account: $2, subject: "\$JS.ACK.$1.$1.>" } }
    ]
END
}

# The same, seen from the account of the stream; a request for the next events has many answers.
exports() {
  for request in $(requests "$1"); do
    case $request in *.MSG.NEXT.*) answers=stream ;; *) answers=singleton ;; esac
    echo "      { service: \"\$JS.API.$request\", response: $answers, accounts: [$2] }"
  done
  echo "      { service: \"\$JS.ACK.$1.$1.>\", accounts: [$2] }"
}

# What a program needs to connect. $1 user, $2 inbox prefix, $3 stream, $4 durable, $5 domain of
# JetStream, which every client library can be told.
credential() {
  cat <<END
{
  "servers": ["$url"],
  "user": "$1",
  "password": "$(password "$1")",
  "inboxPrefix": "$2",
  "stream": "$3",
  "durable": "$4",
  "domain": "$5"
}
END
}

# One entry of receivers.json. $1 receiver, $2 user, $3 stream, $4 durable, $5 format.
receiver() {
  printf '    {"name": "%s", "url": "%s", "user": "%s", "password": "%s",\n' \
    "$1" "$url" "$2" "$(password "$2")"
  printf '     "stream": "%s", "durable": "%s", "format": "%s"}' "$3" "$4" "$5"
}

{
  cat <<END
# Written by make-config.sh. Every stream and every tenant has an account of its own: what is in one
# cannot be seen from another, except what it imports.
listen: "127.0.0.1:$port"
server_name: "hub-nats"
jetstream { store_dir: "$state/jetstream" }
accounts {
  HUB {
    jetstream: enabled
    users: [
$(hub_user hub)
    ]
  }
END
  for tenant in "$@"; do
    name=${tenant%%=*}
    account=$(echo "$name" | tr 'a-z' 'A-Z')
    cat <<END
  ${account}_STREAM {
    jetstream: enabled
    users: [
$(hub_user "hub-$name")
    ]
    exports: [
$(exports "$name" "$account")
    ]
  }
  $account {
$(tenant_account "$name" "${account}_STREAM")
  }
END
  done
  echo "}"
} >"$state/nats.conf"

{
  echo '{'
  echo '  "receivers": ['
  receiver services hub services '' protobuf
  for tenant in "$@"; do
    name=${tenant%%=*}
    printf ',\n'
    receiver "${tenant#*=}" "hub-$name" "$name" "$name" json
  done
  printf '\n  ]\n}\n'
} >"$state/receivers.json"

credential hub _INBOX services '' '' >"$state/credentials/hub.json"
for tenant in "$@"; do
  name=${tenant%%=*}
  credential "$name" "_INBOX_$name" "$name" "$name" hub >"$state/credentials/$name.json"
done
