#!/usr/bin/env bash
# Installs the programs that the interoperability tests talk to, on Debian; does nothing for those that are there.
set -euo pipefail

declare -A PACKAGES=(
    [openssl]=openssl [gnutls-cli]=gnutls-bin [curl]=curl [node]=nodejs [go]=golang-go [javac]=default-jdk-headless
    [redis-server]=redis-server
)
missing=()
for program in "${!PACKAGES[@]}"; do
    command -v "$program" > /dev/null || missing+=("${PACKAGES[$program]}")
done
[ "${#missing[@]}" = 0 ] && exit 0

SUDO=""
[ "$(id -u)" = 0 ] || SUDO=sudo
export DEBIAN_FRONTEND=noninteractive
$SUDO apt-get update -qq
$SUDO apt-get install -y -qq --no-install-recommends "${missing[@]}"
