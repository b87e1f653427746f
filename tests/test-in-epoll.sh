#!/bin/sh
# tests/test-in-epoll.sh -- the example that serves a group inside a loop of epoll(7).
set -u
program=in-epoll
needs='epoll(7), and Pollux configured with it'
. "${srcdir:-$(dirname "$0")/..}/tests/room.sh"
