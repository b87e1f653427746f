#!/bin/sh
# tests/test-in-epoll.sh -- the example that serves a group inside a loop of epoll(7).
set -u
program=in-epoll
package=libc6-dev
. "${srcdir:-$(dirname "$0")/..}/tests/room.sh"
