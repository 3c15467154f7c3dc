#!/usr/bin/env bash
# Writes the current digest of each image in its registry into kustomization.yaml.
#   ./pin-images.sh <tag of the services' images> [<tag of haproxy, default 3.0-alpine>]
# The script asks the registries with docker. If one request fails, kustomization.yaml stays unchanged.
set -euo pipefail
cd "$(dirname "$0")"
tag=${1:?usage: pin-images.sh <tag> [<tag of haproxy>]}
haproxy_tag=${2:-3.0-alpine}

pinned=$(cat kustomization.yaml)
while read -r name image; do
  [ "$name" = haproxy ] && reference=$image:$haproxy_tag || reference=$image:$tag
  digest=$(docker buildx imagetools inspect "$reference" --format '{{.Manifest.Digest}}')
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "docker gave no digest of $reference" >&2; exit 1; }
  pinned=$(sed -E "/^    newName: ${image//\//\\/}\$/{n;s/^    digest: .*/    digest: $digest/;}" <<<"$pinned")
  echo "$reference $digest"
done < <(sed -nE '/^  - name: /{s/^  - name: //;N;s/\n    newName: / /p;}' kustomization.yaml)
printf '%s\n' "$pinned" >kustomization.yaml
