# shellcheck shell=bash disable=SC2034
# What demo.sh and demo-down.sh share: which Compose this host has, and how to ask an HTTP address of the demo.
# Sourced, with the demo's folder as working folder.

project=coe-demo

# COMPOSE=... chooses; otherwise Compose 2, else Compose 1.
find_compose() {
    if [ -n "${COMPOSE:-}" ]; then
        read -r -a compose <<<"$COMPOSE"
    elif docker compose version >/dev/null 2>&1; then
        compose=(docker compose)
    elif command -v docker-compose >/dev/null; then
        compose=(docker-compose)
    else
        echo "There is no Compose on this host. Debian: apt-get install docker-compose; elsewhere the Compose plugin of Docker." >&2
        exit 1
    fi
}

# GET http://127.0.0.1:PORT/PATH: prints the body, fails unless the status is 200. Needs no curl on the host.
get() { # PORT PATH
    timeout 5 bash -c '
        exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n" "$2" >&3 && cat <&3' _ "$1" "$2" 2>/dev/null |
        tr -d '\r' | { read -r _ status _ && sed '1,/^$/d' && [ "$status" = 200 ]; }
}
