#!/usr/bin/env bash
# Installs from Debian's packages the servers that the tests of this folder need, as far as they are missing. None of them
# is started: the tests start servers of their own, on ports of their own, and end them.
set -euo pipefail

# What has to be there, and the package that brings it.
packages=()
need() {
  local package=$1
  shift
  for file in "$@"; do
    if compgen -G "$file" >/dev/null; then return; fi
  done
  packages+=("$package")
}
need postgresql      '/usr/lib/postgresql/*/bin/postgres'
need redis-server    /usr/bin/redis-server
need nats-server     /usr/bin/nats-server /usr/sbin/nats-server
need rabbitmq-server /usr/lib/rabbitmq/bin/rabbitmq-server
need mosquitto       /usr/sbin/mosquitto
need buildah         /usr/bin/buildah
need ca-certificates /etc/ssl/certs/ca-certificates.crt
if [ ${#packages[@]} -eq 0 ]; then exit 0; fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "the integration tests need ${packages[*]}: install them, or run this as root on Debian" >&2
  exit 1
fi

# Debian's packages start their services unless this file says no. https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}"
