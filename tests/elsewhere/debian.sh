# tests/elsewhere/debian.sh -- read by i386, armhf, arm64 and s390x: the tests of a build for another
# architecture of Debian.
#
# A script sets `platform`, Debian's name of the architecture; `triplet`, the compiler's; `libraries`, the
# folder of its libraries; `loader`, its dynamic linker; and `emulator`, the program of qemu-user, where
# the processor is not of this sort. The emulator swaps no bytes in the control messages of UDP_SEGMENT and
# UDP_GRO, so where the bytes are in another order, `segments=refused`.
#
# The libraries come from packages that mmdebstrap unpacks below the folder: nothing is installed there,
# and no program runs in it. The test programs name the dynamic linker and the libraries in that folder,
# so they run without chroot, with this system's files and network.
. "$here/programs.sh"
root_packages=libc6-dev,libc-ares-dev,libssl-dev,libidn2-dev,liburing-dev,check,libsubunit-dev

# unpack: the libraries, unless a previous run has unpacked them.
unpack()
{
    [ "$(cat "$folder/packages" 2> /dev/null)" != "$root_packages" ] || return 0
    suite=$(archive | cut -d ' ' -f 2)
    [ -n "$suite" ] || skip_platform "the package lists have no archive of Debian"
    rm -rf "$folder/root" "$folder/packages"
    timeout 120 mmdebstrap --quiet --variant=extract --architectures="$platform" \
        --include="$root_packages" "$suite" "$folder/root" "deb $(archive)" \
        < /dev/null > "$work/root.log" 2>&1 || {
        tail -n 3 "$work/root.log" >&2
        skip_platform "mmdebstrap could not unpack the packages of $platform"
    }
    # Links such as libm.so -> /lib/.../libm.so.6 would lead to this system.
    find "$folder/root" -type l -lname '/*' | while read -r link; do
        ln -sfn "$folder/root$(readlink "$link")" "$link"
    done
    printf '%s\n' "$root_packages" > "$folder/packages"
}

configure_build()
{
    "$source/configure" --quiet --build="$(sh "$source/build-aux/config.guess")" --host="$triplet" \
        --disable-shared --disable-examples CC="$triplet-gcc --sysroot=$root" CFLAGS=-O1 \
        LDFLAGS="-Wl,--dynamic-linker=$loader \
            -Wl,--disable-new-dtags,-rpath,$root/lib/$libraries:$root/usr/lib/$libraries" \
        PKG_CONFIG=pkg-config PKG_CONFIG_SYSROOT_DIR="$root" \
        PKG_CONFIG_LIBDIR="$root/usr/lib/$libraries/pkgconfig"
}

prepare "$@"
install mmdebstrap "gcc-$triplet" make pkg-config ${emulator:+qemu-user}
way=$emulator
root=$folder/root
unpack
loader=$(find "$root" -name "$loader" | head -n 1)
$emulator "$loader" --version > /dev/null 2>&1 || skip_platform 'this kernel does not run its programs'
if [ -n "$emulator" ]; then
    excuses=$here/emulator.txt
    section=end    # each case is a process, and takes ten times as long
    model=play-sim # the real kernel is one that the model does not know
    export CK_TIMEOUT_MULTIPLIER="${CK_TIMEOUT_MULTIPLIER:-6}"
fi
if [ "${segments:-}" = refused ]; then
    cc -O1 -o "$work/refuse" "$here/refuse.c" || exit 1
    way="$work/refuse segments $emulator"
fi
build_and_run
finish
