#!/bin/sh
# Writes the configuration of a NATS server for one installation of the hub, and everybody's
# credentials. Run again it keeps the passwords that are there; so adding a tenant or moving to
# another port is a second run. Needs nothing but a POSIX shell and coreutils.
#
#   make-config.sh STATE_DIR PORT [TENANT=RECEIVER]...
#
# TENANT is a short lower-case name; its account is the name in capitals, its user, stream and durable
# are the name. RECEIVER is what the hub calls it. Without any: the two of Warwickshire.
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

# The hub in an account: makes stream and durable, publishes, reads back. $1 its user there.
hub_user() {
  cat <<END
      { user: "$1", password: "$(password "$1")", permissions: {
          publish: { allow: ["coproduction.>", "\$JS.API.>", "\$JS.ACK.>"] }
          subscribe: { allow: ["_INBOX.>"] } } }
END
}

# A tenant: asks for the next events of its one durable, acknowledges them, asks how far it is.
tenant_user() {
  cat <<END
      { user: "$1", password: "$(password "$1")", permissions: {
          publish: { allow: [
            "\$JS.API.CONSUMER.MSG.NEXT.$1.$1"
            "\$JS.API.CONSUMER.INFO.$1.$1"
            "\$JS.API.STREAM.INFO.$1"
            "\$JS.ACK.$1.$1.>" ] }
          subscribe: { allow: ["_INBOX_$1.>"] } } }
END
}

# What a program needs to connect. $1 user, $2 inbox prefix, $3 stream, $4 durable.
credential() {
  cat <<END
{
  "servers": ["$url"],
  "user": "$1",
  "password": "$(password "$1")",
  "inboxPrefix": "$2",
  "stream": "$3",
  "durable": "$4"
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
# Written by make-config.sh. Every receiver has an account of its own: what is in one account cannot
# be seen from another.
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
    cat <<END
  $(echo "$name" | tr 'a-z' 'A-Z') {
    jetstream: enabled
    users: [
$(hub_user "hub-$name")
$(tenant_user "$name")
    ]
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

credential hub _INBOX services '' >"$state/credentials/hub.json"
for tenant in "$@"; do
  name=${tenant%%=*}
  credential "$name" "_INBOX_$name" "$name" "$name" >"$state/credentials/$name.json"
done
