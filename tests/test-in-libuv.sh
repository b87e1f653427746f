#!/bin/sh
# tests/test-in-libuv.sh -- the example that serves a group inside a loop of libuv.
set -u
program=in-libuv
needs='libuv (Debian, Ubuntu: apt-get install libuv1-dev)'
. "${srcdir:-$(dirname "$0")/..}/tests/room.sh"
