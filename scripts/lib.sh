# What the scripts share. Sourced by them, never run. Bash, Debian 12.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# phase <name> <command...>: runs the command with no standard input, and says how long it took.
phase() {
    local name=$1 start=$SECONDS status=0
    shift
    printf '== %s\n' "$name"
    "$@" </dev/null || status=$?
    if [ "$status" -ne 0 ]; then
        printf '== %s: failed with status %s after %s s\n' "$name" "$status" $((SECONDS - start)) >&2
        exit "$status"
    fi
    printf '== %s: %s s\n' "$name" $((SECONDS - start))
}

# Puts the Swift toolchain on PATH where it is installed but not there, or says that there is none.
find_swift() {
    local folder version
    if ! command -v swift >/dev/null; then
        for folder in /opt/swift/usr/bin /usr/libexec/swift/usr/bin /usr/libexec/swift/bin \
            /usr/libexec/swift/*/usr/bin /usr/libexec/swift/*/bin /usr/local/swift/usr/bin \
            "${SWIFTLY_BIN_DIR:-${HOME:-/nonexistent}/.local/share/swiftly/bin}"; do
            if [ -x "$folder/swift" ]; then
                export PATH="$folder:$PATH"
                break
            fi
        done
    fi
    command -v swift >/dev/null ||
        die "there is no Swift toolchain: put the folder of 'swift' (6.3 or later) on PATH"
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
    [ -n "$version" ] || die "$(command -v swift) does not run: 'swift --version' says nothing"
    if [ "$(printf '%s\n' 6.3 "$version" | sort -V | head -n 1)" != 6.3 ]; then
        die "$(command -v swift) is Swift $version; 6.3 or later is needed"
    fi
    printf 'Swift %s at %s\n' "$version" "$(command -v swift)"
}

# install_missing <package...>: installs those Debian packages that are not there. Where all are
# there it needs neither the network nor root.
install_missing() {
    local package missing=() as_root=()
    for package in "$@"; do
        case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) in
        'install ok installed' | 'hold ok installed') ;;
        *) missing+=("$package") ;;
        esac
    done
    if [ ${#missing[@]} -eq 0 ]; then
        echo "nothing to install"
        return
    fi
    echo "to install: ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            die "root or sudo is needed to install: ${missing[*]}"
        as_root=(sudo)
        # A password can only be asked for where somebody sits.
        if [ -n "${CI:-}" ] || ! [ -t 2 ]; then as_root=(sudo -n); fi
    fi
    local get=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
    # Joined, since `set -e` does not hold inside a phase.
    "${get[@]}" update &&
        "${get[@]}" install -y --no-install-recommends "${missing[@]}"
}
