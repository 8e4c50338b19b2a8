#!/usr/bin/env bash
# make demo-down: removes the demo's containers, volumes, networks, images and files, without asking.
# With --keep-images the images stay, and the next `make demo` starts in seconds.
# Works by labels and names alone, so that it also clears up after a demo that failed half-way.
set -euo pipefail

cd "$(dirname "$0")"
. ./lib.sh
mine=(--filter "label=com.docker.compose.project=$project")

docker ps -aq "${mine[@]}" | xargs -r docker rm --force --volumes >/dev/null
docker volume ls -q "${mine[@]}" | xargs -r docker volume rm >/dev/null
docker network ls -q "${mine[@]}" | xargs -r docker network rm >/dev/null
rm -f .env
if [ "${1:-}" = --keep-images ]; then
    echo "The demo is removed; its images are kept."
    exit 0
fi

# Children before the images they are built on.
for image in migwatch:dev migwatch-demo-app migwatch-demo-mariadb migwatch-demo-postgres migwatch-demo-nginx migwatch-demo-prometheus \
    migwatch-demo-alertmanager migwatch-demo-compiled migwatch-demo-rust migwatch-demo-rust-base migwatch-demo-base; do
    if docker image inspect "$image" >/dev/null 2>&1; then
        docker rmi "$image" >/dev/null || echo "$image is still in use by something else and stays." >&2
    fi
done
# Older builds, now without a name.
docker image prune --force --filter label=migwatch-demo.image >/dev/null
rm -rf .build "${TMPDIR:-/tmp}/migwatch-demo-images-$(id -u).lock"
echo "The demo and everything it made are removed."
