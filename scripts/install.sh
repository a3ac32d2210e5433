#!/bin/sh
# Installs Holdfast as a systemd service, upgrades it or takes it away. Running it again changes
# nothing that is right already; a configuration that exists is never touched.
#
#   scripts/install.sh [--from FILE] [--prefix DIR] [--skip-check]
#   scripts/install.sh --uninstall [--purge] [--prefix DIR]
#
# An upgrade lets the new executable check the configuration in force (unless --skip-check, for one
# with variables that only your own drop-in sets), puts it into place and restarts the service: its
# clients are told when to come back and drained, as on any stop. If the new one does not start, the
# old one is put back.
#
# With a prefix of /usr, /usr/local or below /opt, configuration and unit lie in /etc; with any
# other, in PREFIX/etc, and `systemctl link` makes systemd look there. DESTDIR is put before every
# path, for packages; systemctl is then left alone (unless SYSTEMCTL names the one to call).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
prefix=/usr/local
from=
action=install
purge=no
check=yes
destdir=${DESTDIR-}

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}
usage() {
  printf 'install.sh: %s\n(add --help for what is possible)\n' "$*" >&2
  exit 2
}
help() { sed -n '2,/^set -eu/{/^set -eu/d;s/^#$//;s/^# //;p;}' "$0"; }

while [ $# -gt 0 ]; do
  case $1 in
    --from | --prefix)
      [ $# -ge 2 ] || usage "$1 needs a value"
      if [ "$1" = --from ]; then from=$2; else prefix=$2; fi
      shift
      ;;
    --from=*) from=${1#*=} ;;
    --prefix=*) prefix=${1#*=} ;;
    --uninstall) action=uninstall ;;
    --purge) purge=yes ;;
    --skip-check) check=no ;;
    -h | --help)
      help
      exit 0
      ;;
    *) usage "what is \"$1\"? --from FILE, --prefix DIR, --skip-check, --uninstall and --purge are known" ;;
  esac
  shift
done

prefix=${prefix%/}
# The paths go into a unit file, where some characters mean something, and into a `sed` command.
case $prefix$destdir in
  *[!A-Za-z0-9_./@+-]*) fail "--prefix and DESTDIR may only have letters, digits and _ . / @ + -" ;;
esac
case $prefix in
  /*) ;;
  *) fail "--prefix must be an absolute path other than /: it is \"$prefix\"" ;;
esac
[ "$purge" = no ] || [ "$action" = uninstall ] || usage "--purge goes with --uninstall"

case $prefix in
  /usr | /usr/local | /opt/*) root= ;;
  *) root=$prefix ;;
esac
executable=$prefix/bin/holdfast
config_dir=$root/etc/holdfast
config=$config_dir/holdfast.jsonc
credentials=$config_dir/credentials
unit=$root/etc/systemd/system/holdfast.service

# A systemctl to call, or nothing where systemd does not run or does not see what we do.
if [ -n "${SYSTEMCTL-}" ]; then
  systemctl=$SYSTEMCTL
elif [ -z "$destdir$root" ] && [ -d /run/systemd/system ]; then
  systemctl=systemctl
else
  systemctl=
fi

is_active() { [ -n "$systemctl" ] && "$systemctl" is-active --quiet holdfast.service; }

# Makes a folder, or says in one sentence why not.
folder() {
  mkdir -p -m "$2" "$destdir$1" 2>/dev/null ||
    fail "cannot make $destdir$1; run this as root, or with --prefix or DESTDIR in a place of your own"
}

# put MODE SOURCE TARGET: copies beside the target and renames, so that no half file is ever seen
# and a running executable keeps its own. Says nothing and does nothing if both are the same.
put() {
  mode=$1 source=$2 target=$destdir$3
  if cmp -s "$source" "$target"; then
    chmod "$mode" "$target"
    return 0
  fi
  new=$target.new.$$
  if ! { cp "$source" "$new" && chmod "$mode" "$new" && mv -f "$new" "$target"; } 2>/dev/null; then
    rm -f "$new"
    fail "cannot write $target; run this as root, or with --prefix or DESTDIR in a place of your own"
  fi
  say "installed $target"
}

# The executable to install: beside this script, as in a release, or as `deno task compile` left it.
find_executable() {
  if [ -z "$from" ]; then
    for each in "$here/holdfast" "$here/../dist/holdfast"; do
      if [ -f "$each" ]; then
        from=$each
        break
      fi
    done
  fi
  [ -n "$from" ] || fail "there is no executable; make it with \`deno task compile\`, or name one with --from"
  [ -f "$from" ] || fail "there is no file $from"
  check_sum
  new_version=$("$from" version 2>/dev/null) ||
    fail "$from does not run on this machine; it is none of Holdfast's, or for another system"
}

# Compares with the checksums beside it, if it is listed there.
check_sum() {
  name=$(basename "$from") sums=$(dirname "$from")/SHA256SUMS
  [ -f "$sums" ] || return 0
  wanted=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1 }' "$sums")
  [ -n "$wanted" ] || return 0
  found=$(sha256sum "$from" | cut -d ' ' -f 1)
  [ "$found" = "$wanted" ] || fail "$from is not the file that $sums tells of: its checksum differs"
}

# As the hub would read it: with the credentials as variables.
check_config() {
  [ "$check" = yes ] && [ -f "$destdir$config" ] || return 0
  if ! problems=$(
    for file in "$destdir$credentials"/*; do
      name=$(basename "$file")
      case $name in *[!A-Za-z0-9_]* | [0-9]*) continue ;; esac
      if [ -r "$file" ]; then export "$name=$(cat "$file")"; fi
    done
    "$from" config check "$destdir$config" 2>&1
  ); then
    printf '%s\n' "$problems" >&2
    fail "$new_version does not accept the configuration; nothing was changed (--skip-check installs all the same)"
  fi
}

first_config() {
  cat <<'JSONC'
// Holdfast's configuration. `holdfast config example` shows every setting with its default, and
// `holdfast config check FILE` checks one. After a change: systemctl reload holdfast
{
  "listen": "127.0.0.1:8787",
  "backends": { "host": { "transport": "host" } }, // this machine itself
  "sources": [
    { "channel": "system_status", "backend": "host", "method": "GetSystemStatus", "every": "5s" },
    { "channel": "storage_update", "backend": "host", "method": "GetStorage", "every": "5s" }
  ]
}
JSONC
}

install_config() {
  folder "$config_dir" 755
  # Tokens: for root alone; systemd hands copies to the service.
  folder "$credentials" 700
  [ ! -e "$destdir$config" ] || return 0
  work=$(mktemp)
  first_config >"$work"
  put 644 "$work" "$config"
  rm -f "$work"
}

install_unit() {
  folder "$(dirname "$unit")" 755
  work=$(mktemp)
  sed -e "s|/usr/local/bin/holdfast|$executable|" -e "s|/etc/holdfast|$config_dir|" \
    "$here/holdfast.service" >"$work"
  put 644 "$work" "$unit"
  rm -f "$work"
}

install() {
  find_executable
  check_config
  folder "$prefix/bin" 755
  is_upgrade=no
  if ! cmp -s "$from" "$destdir$executable"; then
    if [ -f "$destdir$executable" ]; then
      is_upgrade=yes
      cp -p "$destdir$executable" "$destdir$executable.previous"
    fi
    put 755 "$from" "$executable"
  fi
  before=$(cksum "$destdir$unit" 2>/dev/null || true)
  install_config
  install_unit
  [ "$before" = "$(cksum "$destdir$unit")" ] || is_upgrade=yes
  if [ -z "$systemctl" ]; then
    say "Holdfast $new_version is in place; systemd was not told."
    if [ -n "$root" ] && [ -z "$destdir" ]; then say "Make it known with: systemctl link $unit"; fi
    return 0
  fi
  "$systemctl" daemon-reload
  if ! is_active; then
    say "Holdfast $new_version is in place. Start it: systemctl enable --now holdfast"
  elif [ "$is_upgrade" = yes ]; then
    restart
  else
    say "Holdfast $new_version is in place and runs; nothing was changed."
  fi
}

# A restart drains: every client hears SERVER_SHUTDOWN with a time of its own to come back.
restart() {
  say "restarting; clients are drained first"
  if "$systemctl" restart holdfast.service && is_active; then
    say "Holdfast $new_version runs."
    return 0
  fi
  if [ -f "$destdir$executable.previous" ]; then
    mv -f "$destdir$executable.previous" "$destdir$executable"
    "$systemctl" restart holdfast.service || true
    fail "$new_version did not start, so the one before is back; see: journalctl -u holdfast"
  fi
  fail "$new_version did not start; see: journalctl -u holdfast"
}

uninstall() {
  if [ -n "$systemctl" ] && [ -e "$destdir$unit" ]; then
    "$systemctl" disable --now holdfast.service || true
  fi
  for file in "$unit" "$executable" "$executable.previous"; do
    [ -e "$destdir$file" ] || continue
    rm -f "$destdir$file" 2>/dev/null || fail "cannot remove $destdir$file; run this as root"
    say "removed $destdir$file"
  done
  [ -z "$systemctl" ] || "$systemctl" daemon-reload
  if [ "$purge" = yes ]; then
    rm -rf "$destdir$config_dir" || fail "cannot remove $destdir$config_dir; run this as root"
    say "removed $destdir$config_dir"
    # What systemd made for the unit: a link, and the folder that it leads to.
    for state in /var/lib/holdfast /var/lib/private/holdfast; do
      [ -e "$destdir$state" ] || [ -L "$destdir$state" ] || continue
      rm -rf "$destdir$state" || fail "cannot remove $destdir$state; run this as root"
      say "removed $destdir$state"
    done
  elif [ -d "$destdir$config_dir" ]; then
    say "kept $destdir$config_dir; --uninstall --purge removes it too"
  fi
}

"$action"
