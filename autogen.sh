#!/bin/sh
# autogen.sh -- makes `configure` from a fresh checkout. Then: mkdir build && cd build && ../configure && make
set -e
cd "$(dirname "$0")"

missing=
for tool in autoconf automake libtoolize pkg-config; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    echo "autogen.sh: missing:$missing" >&2
    echo "autogen.sh: on Debian and Ubuntu: apt-get install autoconf automake libtool pkg-config" >&2
    exit 1
fi

mkdir -p build-aux
exec autoreconf --install --force --warnings=all "$@"
