#!/usr/bin/env bash
# Writes to the folder $1 what a build needs to reach the package registries as this host reaches them:
# apt's Debian sources and transport settings, pip's index, cargo's registry, proxies, certificates.
# The folder is made anew at every build, is ignored by git, and is removed from the image by the step
# that used it. Refuses to know what the image installs. Fewer settings is a good answer: on a plain
# network nothing is needed.
set -euo pipefail

out=$1
suite=bookworm
inside=/opt/host # where the folder lies inside the build
here=$(cd "$(dirname "$0")" && pwd)

rm -rf "$out"
mkdir -p "$out/sources"
cp "$here/install.sh" "$out/install"
: >"$out/env"
: >"$out/apt.conf"

export_line() { printf "export %s='%s'\n" "$1" "${2//\'/\'\\\'\'}" >>"$out/env"; }

# Certificates: a path of its own, because installing ca-certificates overwrites the usual file.
for bundle in "${PIP_CERT:-}" "${SSL_CERT_FILE:-}" "${REQUESTS_CA_BUNDLE:-}" "${CURL_CA_BUNDLE:-}" \
    /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
    if [ -n "$bundle" ] && [ -s "$bundle" ]; then
        cp -L "$bundle" "$out/ca-bundle.pem"
        chmod 644 "$out/ca-bundle.pem"
        for name in PIP_CERT SSL_CERT_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE CARGO_HTTP_CAINFO; do
            export_line "$name" "$inside/ca-bundle.pem"
        done
        echo "Acquire::https::CAInfo \"$inside/ca-bundle.pem\";" >>"$out/apt.conf"
        break
    fi
done

for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    if [ -n "${!name:-}" ]; then export_line "$name" "${!name}"; fi
done

# pip: the environment first, then its files. Values that are paths of this host mean nothing in a build.
pip_files=(/etc/xdg/pip/pip.conf /etc/pip.conf "$HOME/.pip/pip.conf" "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf"
    "${PIP_CONFIG_FILE:-/nonexistent}")
for key in index-url extra-index-url find-links trusted-host proxy timeout default-timeout retries; do
    name=$(tr 'a-z-' 'A-Z_' <<<"PIP_$key")
    value=${!name:-}
    if [ -z "$value" ]; then
        value=$(sed -n "s/^[[:space:]]*${key}[[:space:]]*[=:][[:space:]]*//p" "${pip_files[@]}" 2>/dev/null | tail -n 1 || true)
    fi
    case $value in '' | /* | file:*) ;; *) export_line "$name" "$value" ;; esac
done

# cargo: the sections that say where crates come from, and no others (linkers and target folders stay here).
for file in "${CARGO_HOME:-$HOME/.cargo}/config.toml" "${CARGO_HOME:-$HOME/.cargo}/config"; do
    if [ -f "$file" ]; then
        awk '/^[[:space:]]*\[/ { keep = /^[[:space:]]*\[+(source|registries|registry|http|net)[].]/ } keep' "$file" |
            grep -v '^[[:space:]]*cainfo' >"$out/cargo.toml" || true
        break
    fi
done
[ -e "$out/cargo.toml" ] || : >"$out/cargo.toml"
while IFS='=' read -r name _; do
    case $name in
    CARGO_HTTP_CAINFO | *_TOKEN) ;;
    CARGO_SOURCE_* | CARGO_REGISTRIES_* | CARGO_REGISTRY_* | CARGO_HTTP_* | CARGO_NET_*) export_line "$name" "${!name}" ;;
    esac
done < <(env)

# apt: entries for exactly this suite of Debian itself; the host's other repositories do not concern us.
command -v apt-config >/dev/null || exit 0
apt-config dump | grep -E '^Acquire::' | grep -vE '^Acquire::(IndexTargets|Languages|Changelogs|GzipIndexes|CompressionTypes|cdrom|Send-URI-Encoded|.*CAInfo)' \
    >>"$out/apt.conf" || true
number=0
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    number=$((number + 1))
    case $file in
    *.list)
        awk -v suite="$suite" '/^deb[ \t]/ && / main( |$)/ {
            for (i = 1; i <= NF; i++) if ($i == suite || $i == suite "-updates" || $i == suite "-security") { print; next } }' \
            "$file" >"$out/sources/$number.list"
        ;;
    *.sources)
        awk -v RS= -v suite="$suite" '$0 ~ "(^|\n)Suites:([^\n]* )?" suite "(-updates|-security)?( |\n|$)" &&
            $0 ~ "(^|\n)Components:[^\n]*main" { print $0 "\n" }' "$file" >"$out/sources/$number.sources"
        ;;
    esac
done
find "$out/sources" -type f -empty -delete
if [ -n "$(ls -A "$out/sources")" ]; then
    { echo 'Dir::Etc::SourceList "/dev/null";'; echo "Dir::Etc::SourceParts \"$inside/sources\";"; } >>"$out/apt.conf"
fi
for file in /etc/apt/auth.conf /etc/apt/auth.conf.d/*.conf; do
    if [ -r "$file" ]; then cat "$file" >>"$out/netrc"; fi
done
if [ -e "$out/netrc" ]; then
    chmod 600 "$out/netrc"
    echo "Dir::Etc::netrc \"$inside/netrc\";" >>"$out/apt.conf"
fi
