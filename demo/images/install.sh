#!/bin/sh
# Runs inside an image build, beside the host's settings: installs Debian packages (`install apt PACKAGE...`)
# or Python packages (`install pip FILE`) through them, and leaves neither caches nor the settings behind.
# The settings are handed over by environment alone; the image's own /etc/apt and pip files stay as they are.
set -eu

host=$(cd "$(dirname "$0")" && pwd)
. "$host/env"
kind=$1
shift

case $kind in
apt)
    export DEBIAN_FRONTEND=noninteractive APT_CONFIG="$host/apt.conf"
    # No package may start its service while the image is built.
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "$@"
    apt-get clean
    rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/log/alternatives.log
    ;;
pip)
    export PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
    python3 -m pip install --quiet -r "$1"
    ;;
*)
    echo "install: '$kind' is neither apt nor pip" >&2
    exit 2
    ;;
esac
