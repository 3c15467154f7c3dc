#!/usr/bin/env bash
# Writes the folder secrets/ of the small overlay: keys, passwords, and a certificate authority. Each service, the
# poller and Valkey also get a certificate. You can run the script again, because it keeps existing keys, passwords and
# certificates. To replace a secret, first delete its file. The script needs OpenSSL 3 or newer.
set -euo pipefail
cd "$(dirname "$0")"
case $(openssl version) in
  'OpenSSL '[3-9]* | 'OpenSSL '[1-9][0-9]*) ;;
  *)
    echo "This script needs OpenSSL 3 or newer, and the PATH has $(openssl version). macOS: brew install openssl@3" >&2
    exit 1
    ;;
esac
services=$(basename -s .yaml -a ../../base/service-*.yaml)
umask 077
mkdir -p secrets
cd secrets

# random FILE COMMAND...: writes the command's output to FILE, unless FILE exists.
random() { [ -e "$1" ] || { "${@:2}" >"$1.new" && mv "$1.new" "$1"; }; }

for service in $services; do
  # In Keycloak, set the same secret for the client.
  random $service.client-secret openssl rand -hex 32
  random $service.shared-state-keys openssl rand -base64 32
done
random signal-poller.client-secret openssl rand -hex 32
random service-a.session-secret openssl rand -hex 32
random shared-state.denial-keys openssl rand -base64 32
# The poller signs its proofs with the private key. Every service verifies the proofs with the public key.
random signal-poller.proof-private-key openssl genpkey -algorithm ed25519
public_key=$(openssl pkey -in signal-poller.proof-private-key -pubout)
touch shared-state.proof-public-keys
# The script appends the public key of a new private key. Running pods still need the old public key, so it stays until
# the operator removes it.
[[ $(<shared-state.proof-public-keys) == *"$public_key"* ]] || printf '%s\n' "$public_key" >>shared-state.proof-public-keys

# The users of Valkey: one for each service, one for the poller, and one for the probes. deploy/valkey/users.acl defines
# their rights.
users=$(sed '/^#/d' ../../../../valkey/users.acl)
for user in $services signal-poller; do
  random $user.valkey-password openssl rand -hex 32
  password=$(cat $user.valkey-password)
  printf 'valkeys://%s:%s@valkey:6379' $user "$password" >$user.shared-state-url
  users=${users/"user $user on PASSWORD "/"user $user on #$(printf %s "$password" | openssl dgst -sha256 -r | cut -d' ' -f1) "}
done
printf '%s\n' "$users" >valkey.users.acl
if grep -q ' PASSWORD ' valkey.users.acl; then
  echo 'deploy/valkey/users.acl has a user that is not a service of ../../base' >&2
  exit 1
fi

# The authority's key also signs later certificates. Keep ca.key off the cluster.
if [ ! -e ca.crt ] && [ -e ca.key ]; then
  echo 'ca.crt, the certificate of ca.key, is missing. Put it back into this folder, then run the script again' >&2
  exit 1
fi
if [ ! -e ca.crt ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 3650 -subj '/CN=keycloak-s2s' \
    -addext 'basicConstraints=critical,CA:true,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign'
fi
# The authority of Keycloak's certificate. If Keycloak uses another authority, replace keycloak-ca.crt.
[ -e keycloak-ca.crt ] || cp ca.crt keycloak-ca.crt
for name in $services signal-poller valkey; do
  [ ! -e $name.crt ] || continue
  if [ ! -e ca.key ]; then
    echo "$name needs a certificate. Put ca.key, the key of ca.crt, into this folder, then run the script again" >&2
    exit 1
  fi
  # Host names for pods of the namespace, for other namespaces, and for `kubectl port-forward`.
  names=DNS:$name,DNS:$name.keycloak-s2s,DNS:$name.keycloak-s2s.svc,DNS:$name.keycloak-s2s.svc.cluster.local,DNS:localhost
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -subj "/CN=$name" |
    openssl x509 -req -CA ca.crt -CAkey ca.key -out $name.crt -days 365 -extfile <(printf '%s\n' "subjectAltName=$names" \
      'basicConstraints=critical,CA:false' 'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth')
done
