#!/usr/bin/env bash
# Pulls the image $1 and names it $2; fails quickly and quietly where no registry answers.
# (The engine itself gives an unreachable registry up after some 15 s; the limit here is for the download.)
# An image that was on this machine before keeps its own name, one that was not loses it again.
set -euo pipefail

if docker image inspect "$1" >/dev/null 2>&1; then
    docker tag "$1" "$2"
    exit 0
fi
timeout "${DEMO_PULL_TIMEOUT:-300}" docker pull --quiet "$1" >/dev/null 2>&1 || exit 1
docker tag "$1" "$2"
docker rmi "$1" >/dev/null
