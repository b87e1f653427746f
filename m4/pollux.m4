# m4/pollux.m4 -- the few macros of our own, so that nobody needs autoconf-archive.

# POLLUX_APPEND_FLAGS(VARIABLE, FLAGS)
# Appends to the shell VARIABLE each of the FLAGS that the compiler accepts. The test adds -Werror,
# because clang only warns about an unknown flag.
AC_DEFUN([POLLUX_APPEND_FLAGS], [
for flag in $2; do
  POLLUX_TRY_FLAG([$1], [AC_COMPILE_IFELSE])
done])

# POLLUX_APPEND_LINK_FLAGS(VARIABLE, FLAGS)
# The same for flags that the linker has to accept too.
AC_DEFUN([POLLUX_APPEND_LINK_FLAGS], [
for flag in $2; do
  POLLUX_TRY_FLAG([$1], [AC_LINK_IFELSE])
done])

# POLLUX_TRY_FLAG(VARIABLE, AC_COMPILE_IFELSE | AC_LINK_IFELSE)
AC_DEFUN([POLLUX_TRY_FLAG], [
AC_MSG_CHECKING([whether $CC accepts $flag])
pollux_saved_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS -Werror $flag"
$2([AC_LANG_SOURCE([[int main(void) { return 0; }]])],
  [AC_MSG_RESULT([yes])
   AS_VAR_APPEND([$1], [" $flag"])],
  [AC_MSG_RESULT([no])])
CFLAGS=$pollux_saved_CFLAGS])

# POLLUX_CHECK_VISIBILITY
# Adds -fvisibility=hidden to POLLUX_CFLAGS where a symbol can then be made visible again.
# <pollux/export.h> asks the compiler itself; -export-symbols-regex is the second wall.
AC_DEFUN([POLLUX_CHECK_VISIBILITY], [
AC_MSG_CHECKING([whether symbols can be hidden])
pollux_saved_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS -Werror -fvisibility=hidden"
AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
__attribute__((visibility("default"))) int seen(void);
int seen(void) { return 0; }]])],
  [AC_MSG_RESULT([yes])
   AS_VAR_APPEND([POLLUX_CFLAGS], [" -fvisibility=hidden"])],
  [AC_MSG_RESULT([no])])
CFLAGS=$pollux_saved_CFLAGS])

# POLLUX_CHECK_PEER(NAME, MODULES, [CONDITION])
# Looks for a library that the benchmarks compare with: HAVE_<NAME> for the preprocessor and for
# automake, <NAME>_CFLAGS and <NAME>_LIBS. Its absence is not a failure.
AC_DEFUN([POLLUX_CHECK_PEER], [
AS_IF([m4_default([$3], [true])], [PKG_CHECK_MODULES([$1], [$2], [have_peer=yes], [have_peer=no])],
  [have_peer=no])
POLLUX_NOTE_PEER([$1])])

# POLLUX_CHECK_PEER_LIBRARY(NAME, HEADER, LIBRARY, FUNCTION)
# The same for a library that pkg-config does not know.
AC_DEFUN([POLLUX_CHECK_PEER_LIBRARY], [
have_peer=no
AC_CHECK_HEADER([$2], [AC_CHECK_LIB([$3], [$4], [have_peer=yes; AC_SUBST([$1_LIBS], [-l$3])])])
POLLUX_NOTE_PEER([$1])])

AC_DEFUN([POLLUX_NOTE_PEER], [
AS_IF([test "x$have_peer" = xyes],
  [AC_DEFINE([HAVE_$1], [1], [Define to 1 if the benchmarks can compare with it.])
   AS_VAR_APPEND([peers], [" $1"])])
AM_CONDITIONAL([$1], [test "x$have_peer" = xyes])])

# POLLUX_REQUIRE(PACKAGE)
# Adds to the Requires.private of pollux.pc, which linking libpollux.a needs.
AC_DEFUN([POLLUX_REQUIRE],
  [REQUIRES_PRIVATE="${REQUIRES_PRIVATE:+$REQUIRES_PRIVATE, }$1"])
