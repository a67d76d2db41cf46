# shellcheck shell=sh
# A release's way to /opt/edge-infer/releases: staged, verified, renamed. Nothing of it runs before that.

STAGING=$RELEASES/.incoming
MOST_QUOTED=12
COPY_AGAIN='copy the archive again and compare its sha256 with what your vendor tells'

clear_staging() {
  rm -rf "$RELEASES"/.incoming "$RELEASES"/.removed-*
}

make_staging() {
  clear_staging
  if ! mkdir -p "$RELEASES" || ! mkdir -m 700 "$STAGING"; then
    fail $OS "cannot write $RELEASES" 'see that the file system of /opt is writable and not full'
  fi
}

# read_manifest ARCHIVE FOLDER: the manifest alone, for the checks that come before unpacking.
read_manifest() {
  tar -xzOf "$1" --wildcards --occurrence=1 '*/MANIFEST.json' >"$2/MANIFEST.json" 2>/dev/null
  if [ "$(manifest "$2" product)" != edge-infer ] || ! is_version "$(manifest "$2" version)"; then
    fail $DATA "$1 is no edge-infer archive, or it is damaged; nothing was changed" "$COPY_AGAIN"
  fi
}

# stage SOURCE: an archive or an unpacked folder becomes $STAGED.
stage() {
  make_staging
  if [ -d "$1" ]; then
    STAGED=$STAGING/release
    mkdir "$STAGED" || stage_failed "$1" 'no folder could be made'
    # What the folder holds besides stays where it is.
    { sed 's/^[0-9a-f]*  //' "$1/SHA256SUMS" && printf '%s\n' SHA256SUMS MANIFEST.json MANIFEST.sig; } >"$STAGING/files" || stage_failed "$1" 'it has no SHA256SUMS'
    (cd "$1" && tar -cf - --ignore-failed-read -T "$STAGING/files" 2>/dev/null) | tar -xf - -C "$STAGED" --no-same-owner 2>"$STAGING/errors" ||
      stage_failed "$1" "$(tail -n 1 "$STAGING/errors")"
  else
    gzip -t "$1" 2>"$STAGING/errors" || stage_failed "$1" "$(tail -n 1 "$STAGING/errors")"
    tar -xzf "$1" -C "$STAGING" --no-same-owner 2>"$STAGING/errors" || stage_failed "$1" "$(tail -n 1 "$STAGING/errors")"
    STAGED=$(dirname "$(find "$STAGING" -maxdepth 2 -name MANIFEST.json | head -n 1)")
  fi
  chmod -R u=rwX,go=rX "$STAGED" || stage_failed "$1" 'its modes could not be set'
}

stage_failed() {
  left=$(free_kib "$RELEASES")
  rm -rf "$STAGING"
  if [ "$left" -lt 1024 ]; then
    fail $OS "the disk of $RELEASES is full ($2); nothing was changed" 'make room there and run the same command again'
  fi
  fail $DATA "$1 could not be unpacked: $2; nothing was changed" "$COPY_AGAIN"
}

# verify FOLDER: hashes and signature. With a release installed, by that release's key and program, so
# that nothing of the folder runs; the first time by sha256sum, and then by the folder's own.
verify() {
  judge=$(installed_release)
  if [ -z "$judge" ]; then
    judge=$1
    [ -f "$1/MANIFEST.sig" ] || refuse_staged 'nobody has signed it'
    wrong=$( (cd "$1" && sha256sum -c SHA256SUMS 2>&1) | grep -v ': OK$')
    if [ -n "$wrong" ]; then
      printf '%s\n' "$wrong" | head -n $MOST_QUOTED | quote
      refuse_staged 'files are missing or not what they should be'
    fi
  fi
  told=$("$judge/runtime/node" "$judge/bin/verify-archive.mjs" "$1" --key "$judge/release-key.pub" </dev/null 2>&1)
  printf '%s\n' "$told" | head -n $MOST_QUOTED | quote
  case $told in
    *' whole and signed'*) ;;
    *) refuse_staged 'its signature or its files are not what they should be' ;;
  esac
}

refuse_staged() {
  rm -rf "$STAGING"
  fail $DATA "this release is refused: $1; nothing was changed" "$COPY_AGAIN"
}

# The release whose key and programs are believed.
installed_release() {
  for link in current previous; do
    if [ -x "$ROOT/$link/runtime/node" ] && [ -f "$ROOT/$link/release-key.pub" ]; then
      readlink -f "$ROOT/$link"
      return
    fi
  done
}

# place VERSION: the staged release becomes releases/VERSION. One that is there already is kept, and
# damaged files in it are put right one by one, so that it can go on serving meanwhile.
place() {
  target=$RELEASES/$1
  if [ -e "$target" ] && cmp -s "$STAGED/MANIFEST.json" "$target/MANIFEST.json"; then
    (cd "$target" && LC_ALL=C sha256sum -c SHA256SUMS 2>/dev/null) | sed -n 's/: FAILED.*$//p' >"$STAGING/damaged"
    while IFS= read -r file; do
      say "     putting right a damaged file of the installed release: $file"
      if ! mkdir -p "$(dirname "$target/$file")" || ! mv -f "$STAGED/$file" "$target/$file"; then
        fail $OS "cannot write $target/$file" 'see that the file system of /opt is writable and not full'
      fi
    done <"$STAGING/damaged"
  elif [ -e "$target" ] && is_kept "$1"; then
    rm -rf "$STAGING"
    fail $DATA "version $1 is installed with other content; nothing was changed" 'a release never changes under its version: ask for a release with a version of its own, or take the installed one away with --uninstall'
  else
    [ ! -e "$target" ] || remove_release "$1"
    sync -f "$STAGED" 2>/dev/null || sync
    mv -T "$STAGED" "$target" || fail $OS "cannot rename $STAGED" 'see that the file system of /opt is writable'
    sync "$RELEASES"
  fi
  rm -rf "$STAGING"
  ! command -v restorecon >/dev/null || restorecon -R "$target" 2>/dev/null || :
}

is_kept() {
  for link in current previous rolled-back; do
    [ "$1" != "$(version_of "$ROOT/$link")" ] || return 0
  done
  return 1
}

# Out of sight first, so that a cut never leaves half a release under its name.
remove_release() {
  mv -T "$RELEASES/$1" "$RELEASES/.removed-$1" && rm -rf "$RELEASES/.removed-$1"
}

prune() {
  clear_staging
  for folder in "$RELEASES"/*; do
    old=$(basename "$folder")
    if [ -d "$folder" ] && ! is_kept "$old"; then
      say "     removing release $old"
      remove_release "$old" || say "     it could not be removed: $folder"
    fi
  done
}
