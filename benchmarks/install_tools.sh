#!/usr/bin/env bash
# Installs valgrind, which counts instructions, on Debian; does nothing when it is there.
set -euo pipefail

command -v valgrind > /dev/null && command -v vgdb > /dev/null && exit 0
SUDO=""
[ "$(id -u)" = 0 ] || SUDO=sudo
export DEBIAN_FRONTEND=noninteractive
$SUDO apt-get update -qq
$SUDO apt-get install -y -qq --no-install-recommends valgrind
