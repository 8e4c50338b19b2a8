#!/usr/bin/env bash
# Makes the image $1 that all others are built on: Debian bookworm, pulled where a registry answers,
# else made with debootstrap from the package mirror that this host uses. $2 is a folder to work in.
set -euo pipefail

image=$1
work=$2
suite=bookworm
here=$(cd "$(dirname "$0")" && pwd)

if "$here/pull.sh" debian:bookworm-slim "$image"; then
    exit 0
fi
echo "No registry gives debian:bookworm-slim: making $image with debootstrap (about a minute)."

as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "debootstrap needs root, and there is no sudo: run this as root once." >&2; exit 1; }
    as_root=(sudo)
fi
if ! command -v debootstrap >/dev/null && [ ! -x /usr/sbin/debootstrap ]; then
    command -v apt-get >/dev/null || { echo "debootstrap is missing and this is no Debian-like host: install it, or docker load a debian:bookworm-slim." >&2; exit 1; }
    echo "Installing debootstrap on this host (apt-get install debootstrap)."
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq debootstrap >/dev/null
fi

# The host's mirror, where it serves this suite; else the one that debootstrap knows.
mirror=$(cat "$work/host/sources/"* 2>/dev/null | awk '
    /^URIs:/ { uri = $2 } /^Suites:/ { for (i = 2; i <= NF; i++) if ($i == "'$suite'") { print uri; exit } }
    /^deb / { for (i = 2; i < NF; i++) if ($i ~ /^https?:/ && $(i + 1) == "'$suite'") { print $i; exit } }')

root=$work/base-root
"${as_root[@]}" rm -rf "$root"
(
    . "$work/host/env"
    if [ -e "$work/host/ca-bundle.pem" ]; then export SSL_CERT_FILE="$work/host/ca-bundle.pem"; fi
    "${as_root[@]}" env "PATH=$PATH:/usr/sbin:/sbin" http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
        debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" ${mirror:+"$mirror"} >"$work/debootstrap.log" 2>&1
) || { tail -n 20 "$work/debootstrap.log" >&2; echo "debootstrap failed; its log is $work/debootstrap.log" >&2; exit 1; }

# What debootstrap took from this host or downloaded stays out.
"${as_root[@]}" sh -c "
    printf 'Acquire::Languages \"none\";\nAcquire::GzipIndexes \"true\";\n' >'$root/etc/apt/apt.conf.d/docker-small'
    printf 'path-exclude /usr/share/doc/*\npath-exclude /usr/share/man/*\npath-exclude /usr/share/locale/*\npath-exclude /usr/share/info/*\n' \
        >'$root/etc/dpkg/dpkg.cfg.d/docker-small'
    rm -rf '$root'/var/lib/apt/lists/* '$root'/var/cache/apt/* '$root'/var/log/* '$root'/usr/share/doc/* '$root'/usr/share/man/* \
        '$root'/usr/share/locale/* '$root'/usr/share/info/*
    : >'$root/etc/resolv.conf'
    echo demo >'$root/etc/hostname'
"
"${as_root[@]}" tar -C "$root" --numeric-owner --exclude=./dev/* -c . |
    docker import --change 'CMD ["sh"]' --change 'LABEL migwatch-demo.image=base' - "$image" >/dev/null
"${as_root[@]}" rm -rf "$root"
