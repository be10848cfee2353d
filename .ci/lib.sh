# SPDX-License-Identifier: MIT
# What ./run, ./test and the CI scripts share. Sourced by bash; expects to be in the source folder.

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

jobs=$(nproc 2>/dev/null || echo 2)

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "Missing packages, and neither root nor sudo to install them with: $*"
    fi
}

# need COMMAND-OR-PKGCONFIG=PACKAGE...: install what is missing (Debian and its relatives), or say
# what is. A name that starts with pc: is a pkg-config module, with file: a file, else a command.
need() {
    local missing=() packages=() item what package
    for item in "$@"; do
        what=${item%%=*} package=${item#*=}
        case $what in
        pc:*) pkg-config --exists "${what#pc:}" 2>/dev/null && continue ;;
        file:*) [ -e "${what#file:}" ] && continue ;;
        *) command -v "$what" >/dev/null && continue ;;
        esac
        missing+=("${what#*:}") packages+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    if ! command -v apt-get >/dev/null; then
        say "This is not a Debian system, so these have to be installed by hand:"
        for item in "${!missing[@]}"; do
            say "    ${missing[$item]}    (Debian package: ${packages[$item]})"
        done
        exit 1
    fi
    say "Installing: ${packages[*]}"
    as_root apt-get update -q >&2 || true
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${packages[@]}" >&2 ||
        die "The packages could not be installed: ${packages[*]}"
}

need_build() {
    need gcc=gcc file:/usr/include/stdio.h=libc6-dev cmake=cmake ninja=ninja-build \
        pkg-config=pkg-config nasm=nasm iasl=acpica-tools
    need pc:libpng=libpng-dev pc:libxxhash=libxxhash-dev pc:libzstd=libzstd-dev pc:capstone=libcapstone-dev \
        pc:slirp=libslirp-dev pc:sdl2=libsdl2-dev \
        file:/usr/share/seabios/bios-256k.bin=seabios
}

# foreign_apt ARCH DIR COMMAND...: apt-get or apt-cache for another architecture, with a state of its
# own in DIR: the system's package lists and architectures stay as they are.
foreign_apt() {
    local arch=$1 dir=$2 tool=$3
    shift 3
    mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
    touch "$dir/state/status"
    "$tool" -q -o Dir::State="$dir/state" -o Dir::State::status="$dir/state/status" \
        -o Dir::Cache="$dir/cache" -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
        -o APT::Sandbox::User="$(id -un)" -o pkgCacheGen::ForceEssential=, \
        ${foreign_sources:+-o Dir::Etc::sourcelist="$foreign_sources" -o Dir::Etc::sourceparts=-} "$@"
}
