# m4/pollux.m4 -- the few macros of our own, so that nobody needs autoconf-archive.

# POLLUX_APPEND_FLAGS(VARIABLE, FLAGS)
# Appends to the shell VARIABLE each of the FLAGS that the compiler accepts. Tried together with
# -Werror, because clang only warns about a flag it does not know.
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
