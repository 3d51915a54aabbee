# Sourced by scripts/demo and scripts/test: everything that a fresh machine needs before the job.
# Leaves the environment in .venv at the repository root, and `with_screen COMMAND...` to run a
# command on the screen that is there or on a virtual one.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Qt's and OpenGL's libraries (napari), and a virtual screen, by their Debian names.
SYSTEM_PACKAGES=(libgl1 libgl1-mesa-dri libegl1 libopengl0 libxkbcommon-x11-0 libxcb-cursor0
  libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-xinerama0
  libxcb-shape0 libdbus-1-3)

say() { printf '%s\n' "-- $*" >&2; }

has_screen() { [ "$(uname)" != Linux ] || [ -n "${DISPLAY:-}" ] || [ -n "${WAYLAND_DISPLAY:-}" ]; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    command -v "$candidate"
    return 0
  done
  return 1
}

install_system_packages() {
  command -v dpkg-query >/dev/null 2>&1 || return 0
  local wanted=("${SYSTEM_PACKAGES[@]}") missing=() package
  has_screen || wanted+=(xvfb xauth)
  # Debian splits venv from Python; a Python of another origin brings its own.
  if [ "$(find_python || true)" = /usr/bin/python3 ] || ! find_python >/dev/null; then
    wanted+=(python3-venv)
  fi
  for package in "${wanted[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" = 0 ]; then
    say "installing system libraries: ${missing[*]}"
    apt-get update -qq >/dev/null || say "apt-get update failed; trying with the lists at hand"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    say "these system libraries are missing; install them with:"
    say "  sudo apt-get install ${missing[*]}"
  fi
}

make_environment() {
  local python stamp wanted
  if ! python=$(find_python); then
    say "Python 3.11 or newer is needed and was not found: install it, or name it with PYTHON=/path/to/python3"
    exit 1
  fi
  [ -x .venv/bin/python ] || { say "creating .venv with $python"; "$python" -m venv .venv; }
  stamp=.venv/.installed
  wanted=$(cat pyproject.toml constraints.txt | cksum)
  if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    say "installing pinned dependencies into .venv (a few minutes the first time)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
      --constraint constraints.txt --editable '.[qt,train,dev]'
    printf '%s' "$wanted" >"$stamp"
  fi
}

with_screen() {
  if has_screen; then
    "$@"
  elif command -v xvfb-run >/dev/null 2>&1; then
    xvfb-run -a -s "-screen 0 1920x1080x24" "$@"
  else
    say "there is no screen and no virtual one: sudo apt-get install xvfb xauth"
    exit 1
  fi
}

install_system_packages
make_environment
