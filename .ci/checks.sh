# The checks of CI. In the top folder, run `bash -euo pipefail .ci/checks.sh FUNCTION [ARGUMENT...]`.
# A check fails at its first failed command.

CHAIN_ANSWER='{"service_b":"Order 9876 processed by Service B","service_c":{"result":20,"msg":"Service C successfully processed request"}}'
mapfile -t SERVICES < <(node -p 'Object.keys(require("./services.json").services).join("\n")')
mapfile -t PORTS < <(node -p 'Object.values(require("./services.json").services).map(({ port }) => port).concat(8080).join("\n")')
KEYCLOAK=$(sed -nE 's|.*image: quay.io/keycloak/keycloak:||p' docker-compose.yml)
# On machines without a container registry, this tool builds stand-ins for the images below. The tool may be missing.
BASE_IMAGES=../shared/tools/base-images

# expect WHAT ACTUAL EXPECTED: fails if the two values differ.
expect() {
  [ "$2" = "$3" ] && return
  echo "$1: expected"
  echo "  $3"
  echo 'but it is'
  echo "  $2"
  return 1
}

# --- packages and static checks

npm_ci() { npm ci --no-progress; }

# have_node VERSION: installs this version of Node in $RESULTS/node-VERSION/bin.
have_node() {
  local package
  package=node-linux-$(node -p process.arch)
  npm install --no-save --no-package-lock --no-audit --no-fund --no-progress --prefix "$RESULTS/node-$1" "$package@$1"
  ln -s "node_modules/$package/bin" "$RESULTS/node-$1/bin"
  "$RESULTS/node-$1/bin/node" --version
}

node_of_images() { have_node "$NODE"; }

# The specs in test/repository check documents and scripts. Only `npm test` runs these specs.
unit_on_oldest_node() {
  have_node "$OLDEST_NODE"
  PATH=$PWD/$RESULTS/node-$OLDEST_NODE/bin:$PATH npm run test:unit -- --silent --testPathPatterns='/(libs|apps|brokers|chain)/'
}

npm_script() { npm run "$1"; }

# The command of the README for continuous integration. The other arguments only make Jest write a report.
npm_test() { npm test -- --complete --json --outputFile="$PWD/$RESULTS/jest.json"; }

# Uses the default seed, so that each run has the same faults.
chaos() { npm run chaos -- --minutes 1; }

new_service() { npm run new-service:check; }

examples() { npm run examples -- --keycloak; }

compat() { npm run compat -- --quick; }

# Checks only counts, since timed figures need a quiet machine.
bench_counts() { npm run bench -- --counts; }

# --- the container engine

# Exits with 3 if no engine answers and no tool can start an engine.
container_engine() {
  if ! docker info >/dev/null 2>&1; then
    [ -x "$BASE_IMAGES" ] || exit 3
    echo 'No engine answers: starting one'
    base_images engine
  fi
  docker version --format 'engine {{.Server.Version}}'
  docker compose version
  base_image node:24-slim node 24-slim
  archive_for_stand_in
  base_image "quay.io/keycloak/keycloak:$KEYCLOAK" keycloak "$KEYCLOAK"
  base_image haproxy:3.0 haproxy 3.0
  base_image valkey/valkey:8.1 valkey 8.1
  # Containers of an interrupted run would occupy the ports.
  compose_down
}

base_images() { PATH=$MACHINE_PATH "$BASE_IMAGES" "$@"; }

# The tool builds the stand-in from Keycloak's tar.gz archive. Some mirrors of Maven Central have only the zip archive
# of this release.
archive_for_stand_in() {
  local folder=${BASE_IMAGES_CACHE:-/var/cache/base-images}/keycloak-$KEYCLOAK
  [ -x "$BASE_IMAGES" ] && [ ! -e "$folder/keycloak.tar.gz" ] || return 0
  command -v unzip >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends unzip >/dev/null; }
  mkdir -p "$folder"
  (
    cd "$folder"
    mvn -q -B -C dependency:copy "-Dartifact=org.keycloak:keycloak-quarkus-dist:$KEYCLOAK:zip" -DoutputDirectory=.
    unzip -q "keycloak-quarkus-dist-$KEYCLOAK.zip"
    tar -czf keycloak.tar.gz.part "keycloak-$KEYCLOAK"
    mv keycloak.tar.gz.part keycloak.tar.gz
    rm -rf "keycloak-$KEYCLOAK" "keycloak-quarkus-dist-$KEYCLOAK.zip"
  )
}

# base_image IMAGE NAME TAG: provides the image on this machine. The image is local, pulled, or a stand-in.
base_image() {
  if docker image inspect "$1" >/dev/null 2>&1; then
    echo "$1 is here"
  elif timeout 60 docker pull --quiet "$1"; then
    echo "$1 was pulled"
  elif [ -x "$BASE_IMAGES" ]; then
    echo "$1 can't be pulled: building a stand-in"
    base_images "$2" "$3"
  else
    echo "$1 can't be pulled within a minute; compose will try for longer"
  fi
}

# --- the stack in containers

compose_build() {
  # The log is long, so the check prints it only after a failure.
  docker compose build >"$RESULTS/build.log" 2>&1 || { tail -n 60 "$RESULTS/build.log"; return 1; }
}

compose_up() {
  ports_are_free
  local began=$SECONDS
  docker compose up --build --wait --wait-timeout 500 >"$RESULTS/up.log" 2>&1 || { tail -n 40 "$RESULTS/up.log"; return 1; }
  echo "Healthy after $((SECONDS - began)) s"
  docker compose ps --format 'table {{.Service}}\t{{.Status}}\t{{.Ports}}'
}

compose_logs() {
  docker compose ps --all
  docker compose --ansi never logs --no-color --tail 60
}

# Also removes the containers of compose.replicas.yml, which are orphans of docker-compose.yml. The command names all
# profiles: a container of another profile is not an orphan, and would stay.
compose_down() { docker compose --profile '*' --progress quiet down --volumes --remove-orphans --timeout 20; }

ports_are_free() {
  local port
  for port in "${PORTS[@]}"; do
    ! port_answers "$port" || { echo "Port $port is in use on this machine: the stack can't be started"; return 1; }
  done
}

port_answers() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

chain_by_curl() {
  local answer
  answer=$(curl -sS --max-time 20 localhost:3000/run-service-b)
  echo "$answer"
  expect 'The answer of the chain' "$answer" "$CHAIN_ANSWER"
}

# Minimal machines have no sudo, and their user is root.
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo --preserve-env=DEBIAN_FRONTEND "$@"; fi; }

# Installs missing tools: the browser, curl, HAProxy, the brokers, Prometheus, Valkey, Tinyproxy and kubectl. `npm test`
# finds the browser on the PATH.
browser() {
  local packages=()
  command -v chromium >/dev/null || packages+=(chromium fonts-liberation)
  command -v curl >/dev/null || packages+=(curl)
  [ -x /usr/sbin/haproxy ] || packages+=(haproxy)
  command -v kubectl >/dev/null || packages+=(kubectl)
  command -v nats-server >/dev/null || packages+=(nats-server)
  command -v prometheus >/dev/null || packages+=(prometheus)
  command -v tinyproxy >/dev/null || packages+=(tinyproxy)
  command -v valkey-server >/dev/null || packages+=(valkey-server)
  [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || packages+=(rabbitmq-server)
  if [ ${#packages[@]} -gt 0 ]; then
    as_root apt-get update -qq
    as_root apt-get install -y -qq --no-install-recommends "${packages[@]}" >"$RESULTS/apt.log" 2>&1 || { tail -n 20 "$RESULTS/apt.log"; return 1; }
  fi
  chromium --version
  /usr/sbin/haproxy -v | sed -n 1p
  kubectl version --client | sed -n 1p
  nats-server --version
  promtool --version | sed -n 1p
  tinyproxy -v
  valkey-server --version
}

click() { node .ci/click.mjs http://localhost:3000; }

attacks() { node .ci/attacks.mjs http://localhost:3000; }

# in_container SERVICE JAVASCRIPT: evaluates the script in the running container, which has no other tools.
# If the engine can't start the process (exit code 126), the function tries once more.
in_container() {
  local status=0
  docker compose exec -T "$1" node -p "$2" || status=$?
  [ $status -eq 126 ] || return $status
  echo "The engine could not start a process in $1: trying once more" >&2
  docker compose exec -T "$1" node -p "$2"
}

inspect() { docker inspect --format "$2" "$(docker compose ps --all --quiet "$1")"; }

containers_locked_down() {
  local service status
  for service in "${SERVICES[@]}"; do
    expect "$service: user id of its process" "$(in_container "$service" 'fs.statSync("/proc/1").uid')" 1000
    expect "$service: writing beside its code" "$(in_container "$service" 'try { fs.writeFileSync("/app/x", ""); "written" } catch (e) { e.code }')" EROFS
    status=$(in_container "$service" 'fs.readFileSync("/proc/1/status", "utf8")')
    expect "$service: capabilities" "$(awk '/^CapEff/ { print $2 }' <<<"$status")" 0000000000000000
    expect "$service: no new privileges" "$(awk '/^NoNewPrivs/ { print $2 }' <<<"$status")" 1
    expect "$service: file system" "$(inspect "$service" '{{.HostConfig.ReadonlyRootfs}}')" true
    echo "$service is locked down"
  done
}

secrets_apart() {
  local service own own_demo found value
  for service in "${SERVICES[@]}"; do
    own=$(tr a-z- A-Z_ <<<"$service")_CLIENT_SECRET
    # Users log in at Service A, so Service A has a session secret. Service A also acts as three clients of the
    # demonstration. As a fourth client, Service A receives revocations.
    [ "$service" != service-a ] || own=DEMO_HELPDESK_CLIENT_SECRET,ONE_FOR_ALL_CLIENT_SECRET,$own,SERVICE_A_SESSION_SECRET,SHORT_LIVED_CLIENT_SECRET,SIGNAL_POLLER_CLIENT_SECRET
    found=$(in_container "$service" 'Object.keys(process.env).filter((name) => /SECRET|PASSWORD/.test(name)).sort().join()')
    expect "$service: secrets in its environment" "$found" "$own"
    # Also checks the values, because a variable with another name may contain a secret.
    found=$(in_container "$service" 'Object.values(process.env).filter((value) => /(?<![\w-])[a-z0-9]+-secret(?![\w-])/.test(value)).sort().join()')
    own_demo=${service#service-}-secret
    [ "$service" != service-a ] || own_demo=$own_demo,h-secret,o-secret,p-secret,s-secret
    expect "$service: demo secrets in its environment" "$found" "$own_demo"
    value=$(docker image inspect --format '{{json .Config.Env}}' "$(inspect "$service" '{{.Image}}')")
    ! grep -qi secret <<<"$value" || { echo "$service: its image holds a secret: $value"; return 1; }
    echo "$service has $own only"
  done
}

published_on_loopback() {
  local service addresses
  for service in keycloak "${SERVICES[@]}"; do
    addresses=$(inspect "$service" '{{range .NetworkSettings.Ports}}{{range .}}{{.HostIp}} {{end}}{{end}}')
    expect "$service: published on" "$addresses" '127.0.0.1 '
  done
}

image_is_lean() {
  local service found
  for service in "${SERVICES[@]}"; do
    found=$(in_container "$service" 'const names = Object.keys(JSON.parse(fs.readFileSync("/app/node_modules/.package-lock.json")).packages);
      names.filter((name) => /(^|\/)(testcontainers|playwright-core|axe-core|typescript|jest|prettier|oxlint|supertest|@nestjs\/(cli|testing)|@swc\/core)$/.test(name)).join()')
    expect "$service: development packages" "$found" ''
    found=$(in_container "$service" 'const all = (folder) => fs.readdirSync(folder, { recursive: true }).filter((name) => !name.includes("node_modules"));
      [...all("/app/libs"), ...all("/app/apps")].filter((name) => name.endsWith(".ts")).join()')
    expect "$service: sources" "$found" ''
    expect "$service: apps in its image" "$(in_container "$service" 'fs.readdirSync("/app/apps").join()')" "$service"
  done
}

# Service B with a wrong secret must run, and answer 502, since the caller has no fault.
wrong_secret() {
  local answer
  docker compose run --rm --detach --no-deps --name "$COMPOSE_PROJECT_NAME-wrong-secret" -e SERVICE_B_CLIENT_SECRET=not-the-secret service-b >/dev/null
  trap 'docker rm --force "$COMPOSE_PROJECT_NAME-wrong-secret" >/dev/null' EXIT
  # The token consists of {"alg":"RS256"}, {} and "sig". Service B asks Keycloak about every text in the form of a
  # token. Keycloak refuses Service B before Keycloak looks at the token.
  answer=$(docker exec "$COMPOSE_PROJECT_NAME-wrong-secret" node -e '
    const headers = { authorization: "Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "content-type": "application/json" };
    const ask = () => fetch("http://127.0.0.1:3001/api/process", { method: "POST", headers, body: "{}" });
    const until = Date.now() + 30000;
    const retry = (error) => { if (Date.now() > until) throw error; return new Promise((r) => setTimeout(r, 500)).then(ask).catch(retry); };
    ask().catch(retry).then(async (answer) => console.log(answer.status, (await answer.json()).code));')
  echo "$answer"
  expect 'The answer of Service B' "$answer" '502 authorization_server_refused'
}

compose_stop() {
  local service
  docker compose --progress quiet stop
  for service in "${SERVICES[@]}"; do
    expect "$service: exit code" "$(inspect "$service" '{{.State.ExitCode}}')" 0
  done
}

# --- replicas in containers

replicas() { docker compose -f docker-compose.yml -f compose.replicas.yml "$@"; }

replicas_up() {
  ports_are_free
  local began=$SECONDS
  replicas up --build --wait --wait-timeout 500 >"$RESULTS/replicas.log" 2>&1 || { tail -n 40 "$RESULTS/replicas.log"; return 1; }
  echo "Healthy after $((SECONDS - began)) s"
  replicas ps --format 'table {{.Name}}\t{{.Status}}\t{{.Ports}}'
}

replicas_logs() {
  replicas ps --all
  replicas --ansi never logs --no-color --tail 20
}

# Each of the chain's three hops goes through HAProxy, so Service C answers only if all hops work.
replicas_serve() {
  local service
  for service in "${SERVICES[@]}"; do
    expect "$service: its containers" "$(replicas ps --quiet "$service" | wc -l)" 3
    expect "$service: published on" "$(docker inspect --format '{{range .NetworkSettings.Ports}}{{.}}{{end}}' $(replicas ps --quiet "$service") | tr -d '[]\n')" ''
  done
  chain_by_curl
  for service in "${SERVICES[@]}"; do docker kill "$(replicas ps --quiet "$service" | sed -n 1p)" >/dev/null; done
  echo 'One of each service was killed'
  # HAProxy needs this time to notice the killed replicas.
  sleep 2
  for _ in 1 2 3 4 5 6; do chain_by_curl; done
}

balancer_locked_down() {
  local name container status
  for name in haproxy valkey; do
    container=$(replicas ps --quiet "$name")
    status=$(docker exec "$container" cat /proc/1/status)
    expect "$name: file system" "$(docker inspect --format '{{.HostConfig.ReadonlyRootfs}}' "$container")" true
    expect "$name: capabilities" "$(awk '/^CapEff/ { print $2 }' <<<"$status")" 0000000000000000
    expect "$name: no new privileges" "$(awk '/^NoNewPrivs/ { print $2 }' <<<"$status")" 1
    [ "$(awk '/^Uid/ { print $2 }' <<<"$status")" -ne 0 ] || { echo "$name runs as root"; return 1; }
    echo "$name is locked down"
  done
}

# --- the stack without containers

# No engine answers at this address, so the commands start Keycloak without Docker.
NO_DOCKER=tcp://127.0.0.1:1

npm_start() { DOCKER_HOST=$NO_DOCKER start_stack npm-start 840 npm run start:keycloak; }

# start_stack NAME SECONDS COMMAND...: starts the stack, and waits for the answer of the chain. npm_start_ends NAME ends
# the stack.
start_stack() {
  local name=$1 limit=$2 log=$PWD/$RESULTS/$1 began
  shift 2
  ports_are_free
  # The stack runs in a separate session, so that it outlives this check. A file gets npm's exit code.
  # shellcheck disable=SC2016
  setsid bash -c 'echo $$ >"$0.group"; "$@" & echo $! >"$0.pid"; wait $!; echo $? >"$0.exit"' "$log" "$@" >"$log.log" 2>&1 </dev/null &
  began=$(date +%s%3N)
  while [ "$(curl -s --max-time 10 localhost:3000/run-service-b || true)" != "$CHAIN_ANSWER" ]; do
    if [ -e "$log.exit" ] || [ $(($(date +%s%3N) - began)) -gt $((limit * 1000)) ]; then
      echo "No answer of the chain within $limit s"
      tail -n 60 "$log.log"
      return 1
    fi
    sleep 0.1
  done
  echo "The chain answers after $(($(date +%s%3N) - began)) ms"
  # The chain may answer before the command has printed its whole greeting.
  sleep 2
  cat "$log.log"
}

npm_tour() { npm run tour; }

# Examines the stack that runs on this machine.
npm_doctor() { npm run --silent doctor; }

# A failed feed retries after a pause. Doctor reports a fault until the feed is healthy.
doctor_is_content_again() {
  local tries
  for tries in 1 2 3 4 5 6 7 8; do
    ! npm_doctor >"$RESULTS/doctor.log" 2>&1 || return 0
    sleep 5
  done
  cat "$RESULTS/doctor.log"
  return 1
}

# doctor_finds WORDS: doctor must exit with 2, and name only this fault below "To correct:".
doctor_finds() {
  local log=$RESULTS/doctor.log status=0
  npm run --silent doctor >"$log" 2>&1 || status=$?
  if [ $status -ne 2 ] || [ "$(sed '1,/^To correct:/d' "$log" | grep -c '^✗')" -ne 1 ] || ! sed '1,/^To correct:/d' "$log" | grep -qF "$1"; then
    cat "$log"
    echo "Doctor was to name this alone, with exit code 2, and not $status: $1"
    return 1
  fi
  echo "Doctor names: $1"
}

# realm_change ARGUMENT...: changes settings of the realm's events with kcadm.sh, as the administrator.
realm_change() {
  docker compose exec -T keycloak /opt/keycloak/bin/kcadm.sh "$@" --no-config --server http://localhost:8080 --realm master --user admin --password admin -r microservices
}

# compose_run NAME=VALUE: starts another Service C with this variable. compose_run_ends removes its container.
compose_run() {
  replicas run --rm --detach --no-deps --name "$COMPOSE_PROJECT_NAME-examined" -e "$1" service-c >/dev/null
}

compose_run_ends() { docker rm --force "$COMPOSE_PROJECT_NAME-examined" >/dev/null; }

# Containers become unhealthy while Valkey is stopped. `up --wait` fails at once for an unhealthy container, although
# the container soon recovers.
replicas_are_well_again() {
  local tries
  for tries in 1 2 3 4 5 6 7 8; do
    ! replicas --progress quiet up --wait --wait-timeout 120 >"$RESULTS/replicas.log" 2>&1 || return 0
    sleep 5
  done
  tail -n 40 "$RESULTS/replicas.log"
  return 1
}

# Examines containers. test/faults/doctor-stack.e2e-spec.ts checks the other faults of Valkey and the poller.
doctor_finds_shared_faults() {
  compose_run "SHARED_DENIAL_KEYS=$(head -c 32 /dev/urandom | base64)"
  doctor_finds differ
  compose_run_ends
  replicas --progress quiet stop signal-poller
  doctor_finds 'Not running'
  replicas --progress quiet start signal-poller
  replicas --progress quiet stop valkey
  doctor_finds 'is unreachable'
  replicas --progress quiet start valkey
  replicas_are_well_again
  doctor_is_content_again
}

doctor_finds_events_off() {
  realm_change update events/config -s eventsEnabled=false
  doctor_finds events_disabled
  realm_change update events/config -s eventsEnabled=true
  doctor_is_content_again
}

npm_start_ends() {
  local port log=$RESULTS/$1
  kill -TERM "$(cat "$log.pid")"
  for _ in $(seq 60); do
    [ ! -e "$log.exit" ] || break
    sleep 1
  done
  tail -n 5 "$log.log"
  expect 'Exit code of npm start' "$(cat "$log.exit")" 0
  for port in "${PORTS[@]}"; do
    ! port_answers "$port" || { echo "Something listens on port $port still"; return 1; }
  done
}

npm_start_replicas() {
  start_stack replicas-start 120 npm start -- --replicas 3
  says "$RESULTS/replicas-start.log" '3 replicas of each service are ready'
}

replica_started_again() {
  local log=$RESULTS/replicas-start.log
  kill -KILL "$(sed -nE 's/.*To end one of them: +kill -9 ([0-9]+) .*/\1/p' "$log")"
  for _ in $(seq 60); do
    chain_by_curl
    ! grep -q 'is UP, reason' "$log" || return 0
    sleep 0.5
  done
  echo 'It was not started again'
  return 1
}

# --- a fresh clone on a machine that has only Node and npm

# The tools on the PATH of the clone. Docker, java, mvn, git and a browser are missing.
BARE_TOOLS=(bash cat chmod cp cut date dirname env grep head id ls mkdir mv node npm npx ps readlink rm sed sh sleep sort tail tar touch tr uname wc)

# Sets BARE, the prefix for commands in the clone. Commands find the engine's socket without the PATH, so DOCKER_HOST
# names another address.
bare() {
  local folder
  folder=$(cat "$RESULTS/bare.folder")
  BARE=(env "--chdir=$folder/clone" --unset=JAVA_HOME --unset=CHROMIUM_PATH "PATH=$folder/path" "DOCKER_HOST=$NO_DOCKER")
}

# The clone is outside this folder, so that Node does not find packages of this folder that the clone lacks.
fresh_clone() {
  local folder tool
  folder=$(mktemp --directory)
  echo "$folder" >"$RESULTS/bare.folder"
  git clone --quiet . "$folder/clone"
  mkdir "$folder/path"
  for tool in "${BARE_TOOLS[@]}"; do ln -s "$(command -v "$tool")" "$folder/path/$tool"; done
  bare
  for tool in docker java mvn; do ! "${BARE[@]}" sh -c "command -v $tool" || return 1; done
  "${BARE[@]}" npm install --prefer-offline --no-progress
  expect 'What npm install changed in the clone' "$(git -C "$folder/clone" status --porcelain)" ''
}

# The goal is ten seconds, including the build. The check prints the time, but does not fail on a slow machine.
bare_start() {
  bare
  start_stack bare-start 60 "${BARE[@]}" npm start
  says "$RESULTS/bare-start.log" 'The real one: npm run start:keycloak'
}

# `npm test` already ran all specs on a real Keycloak. This check runs a few specs of each kind. The command must work,
# use the embedded server, and name the skipped tests.
bare_test() {
  local log=$RESULTS/bare-test.log status=0
  bare
  "${BARE[@]}" npm test -- --testPathPatterns='call-chain|signing-key-rotation|pages|bearer-token' >"$log" 2>&1 || status=$?
  # Prints the skipped tests, and Jest's counts.
  sed -nE '/^[0-9]+ tests were skipped|^Test Suites:/,$p' "$log"
  if [ $status -ne 0 ]; then
    grep -E '^ *(FAIL|●|✕)' "$log" || tail -n 60 "$log"
    return $status
  fi
  says "$log" 'Ran against the embedded authorization server'
  says "$log" 'tests were skipped, which need a real Keycloak'
  says "$log" 'THE BROWSER SPECS WERE NOT RUN'
}

# says FILE WORDS: fails unless the file contains the words.
says() { grep -qF "$2" "$1" || { echo "It does not say: $2"; return 1; }; }

# --- the end

# Removes the remains of an interrupted run. Without errexit, a failed command does not stop the function.
tear_down() {
  set +e
  docker compose --profile '*' down --volumes --remove-orphans --timeout 10
  local log
  for log in "$RESULTS/npm-start" "$RESULTS/replicas-start" "$RESULTS/bare-start"; do
    [ -e "$log.pid" ] && [ ! -e "$log.exit" ] || continue
    kill -TERM "$(cat "$log.pid")"
    for _ in $(seq 30); do [ -e "$log.exit" ] && continue 2; sleep 1; done
    kill -KILL -- "-$(cat "$log.group")"
  done
  [ ! -e "$RESULTS/bare.folder" ] || rm -rf "$(cat "$RESULTS/bare.folder")"
}

"$@"
