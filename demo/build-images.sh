#!/usr/bin/env bash
# Builds the demo's images from Debian packages, PyPI and crates.io, without a container registry if need be.
#   build-images.sh            the stack's images (databases, proxy, app, Prometheus, Alertmanager)
#   build-images.sh migwatch   migwatch:dev from the project's Dockerfile
#   build-images.sh NAME...    just these
# An image whose inputs have not changed is left alone, so running this again costs a second. Two runs at
# the same time wait for each other.
set -euo pipefail

cd "$(dirname "$0")"
work=$PWD/.build
lock=${TMPDIR:-/tmp}/migwatch-demo-images-$(id -u).lock
stack=(mariadb postgres nginx app prometheus alertmanager)
export DOCKER_SCAN_SUGGEST=false DOCKER_CLI_HINTS=false

mkdir -p "$work"
if command -v flock >/dev/null; then
    exec 9>"$lock"
    flock -n 9 || { echo "Another build of these images is running: waiting for it."; flock 9; }
fi

# The hash of everything in the given files and folders, and of the image below.
hash_of() { # BASE_IMAGE PATH...
    local base=$1
    shift
    {
        [ -z "$base" ] || docker image inspect --format '{{.Id}}' "$base"
        find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    } | sha256sum | cut -c 1-16
}

is_built() { # IMAGE HASH
    [ "$(docker image inspect --format '{{index .Config.Labels "migwatch-demo.hash"}}' "$1" 2>/dev/null)" = "$2" ]
}

# Builds with the host's network, so that its mirrors and names are reachable; shows the log only if it fails.
build() { # IMAGE HASH LOGNAME DOCKER_BUILD_ARGUMENT...
    local image=$1 hash=$2 log=$work/$3.log started=$SECONDS
    shift 3
    echo "Building $image ..."
    docker build --network host --force-rm --tag "$image" --label "migwatch-demo.hash=$hash" "$@" >"$log" 2>&1 || {
        tail -n 40 "$log" >&2
        echo "Building $image failed; the whole log is $log" >&2
        exit 1
    }
    echo "Built $image in $((SECONDS - started)) s."
}

make_base() {
    docker image inspect migwatch-demo-base >/dev/null 2>&1 || {
        images/host-settings.sh "$work/host"
        images/base.sh migwatch-demo-base "$work"
    }
}

# One of the stack's images: its folder and the host's settings are the build context.
build_stack_image() { # NAME
    local folder=images/$1 image=migwatch-demo-$1 hash
    if [ "$1" = app ]; then folder=app; fi
    make_base
    hash=$(hash_of migwatch-demo-base "$folder" images/install.sh)
    if is_built "$image" "$hash"; then return; fi
    rm -rf "$work/context"
    cp -r "$folder" "$work/context"
    images/host-settings.sh "$work/context/host"
    build "$image" "$hash" "$1" --label migwatch-demo.image="$1" "$work/context"
}

# The image that compiles migwatch: Rust's own where a registry has it, else this host's toolchain; either
# way with the host's settings for crates.io.
build_rust_image() {
    local rust=rust:1.95-bookworm base=migwatch-demo-rust-base toolchain=none hash
    # Asked for once: an image made without a registry is proof enough that there is none.
    if ! docker image inspect "$base" >/dev/null 2>&1 &&
        { docker image inspect migwatch-demo-rust >/dev/null 2>&1 || ! images/pull.sh "$rust" "$base"; }; then
        command -v rustc >/dev/null || { echo "No registry gives $rust and this host has no Rust toolchain: install one with rustup." >&2; exit 1; }
        make_base
        base=migwatch-demo-base
        toolchain=$(rustc -V | tr -cd 'a-z0-9.')
    fi
    hash=$(hash_of "$base" images/rust images/toolchain.sh images/install.sh images/host-settings.sh)-$toolchain
    if is_built migwatch-demo-rust "$hash"; then return; fi
    rm -rf "$work/context"
    cp -r images/rust "$work/context"
    mkdir "$work/context/toolchain"
    images/host-settings.sh "$work/context/host"
    if [ "$toolchain" != none ]; then
        echo "No registry gives $rust: taking this host's Rust toolchain along."
        images/toolchain.sh "$work/context/toolchain"
    fi
    build migwatch-demo-rust "$hash" rust --label migwatch-demo.image=rust --build-arg BASE="$base" "$work/context"
    rm -rf "$work/context"
}

build_migwatch_image() {
    build_rust_image
    local inputs=(../Dockerfile ../Cargo.toml ../Cargo.lock ../src) hash
    if [ -d ../config ]; then inputs+=(../config); fi
    hash=$(hash_of migwatch-demo-rust "${inputs[@]}")
    if is_built migwatch:dev "$hash"; then return; fi
    local arguments=(--build-arg RUST_IMAGE=migwatch-demo-rust
        --build-arg REVISION="$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)" ..)
    # The compile stage under a name of its own: it keeps the compiled dependencies for the next build, and goes with the rest.
    build migwatch-demo-compiled "$hash" migwatch-compile --label migwatch-demo.image=compiled --target build "${arguments[@]}"
    build migwatch:dev "$hash" migwatch --label migwatch-demo.image=migwatch "${arguments[@]}"
}

docker version >/dev/null 2>&1 || { echo "No Docker engine answers: start one, or see that your user may use its socket." >&2; exit 1; }
if [ $# = 0 ]; then set -- "${stack[@]}"; fi
for name in "$@"; do
    case $name in
    migwatch) build_migwatch_image ;;
    rust) build_rust_image ;;
    *) [ -d "images/$name" ] || [ "$name" = app ] || { echo "There is no image called '$name' here." >&2; exit 2; }
        build_stack_image "$name" ;;
    esac
done
# Older builds of these images, now without a name.
docker image prune --force --filter label=migwatch-demo.image >/dev/null
rm -rf "$work/context"
