# Where the foreign software lives and how to tell whether it is current. Sourced by install and run.

here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
home="${LANYARD_INTEROP_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/lanyard/interop}"
venv_bin="$home/python/venv/bin"
node22="$home/node/node_modules/node/bin/node"

die() {
  printf 'interop: %s\n' "$*" >&2
  exit 1
}

digest() {
  if command -v sha256sum >/dev/null 2>&1; then
    cat "$@" | sha256sum | cut -d' ' -f1
  else
    cat "$@" | shasum -a 256 | cut -d' ' -f1
  fi
}

# The stamp changes with the lock files and with the machine, since both parts hold native code.
node_stamp() { printf '%s %s\n' "$(digest "$here/package.json" "$here/package-lock.json" "$here/.npmrc")" "$(uname -sm)"; }
keycloak_stamp() { digest "$here/keycloak/pom.xml" "$here/keycloak/install.sh"; }
python_stamp() { printf '%s %s %s\n' "$(digest "$here/requirements.txt")" "$(uname -sm)" "$home"; }

node_current() {
  [ -x "$node22" ] && [ "$(cat "$home/node/stamp" 2>/dev/null)" = "$(node_stamp)" ]
}
python_current() {
  [ -x "$venv_bin/python" ] && [ "$(cat "$home/python/stamp" 2>/dev/null)" = "$(python_stamp)" ]
}
keycloak_current() {
  [ -x "$home/keycloak/server/bin/kc.sh" ] && [ "$(cat "$home/keycloak/stamp" 2>/dev/null)" = "$(keycloak_stamp)" ]
}
