#!/usr/bin/env bash
# make demo: builds and starts the demo stack and walks through it. Each step says what it does, does it with the
# commands that an operator would type, and shows what migwatch made of it. Leaves the stack running.
# Without a terminal it does not wait between the steps. Running it again starts the story from the beginning.
set -euo pipefail

cd "$(dirname "$0")"
. ./lib.sh
find_compose
http=${DEMO_HTTP_PORT:-8080} rag=${DEMO_RAG_PORT:-8001} port=${DEMO_MIGWATCH_PORT:-9778}
prometheus=${DEMO_PROMETHEUS_PORT:-9090} alertmanager=${DEMO_ALERTMANAGER_PORT:-9093}
unset RUN_MIGRATIONS # the walk decides

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
note() { printf '   %s\n' "$@"; }
shown() { printf '\n   \033[36m$ %s\033[0m\n' "$*"; }
indented() { sed 's/^/   | /'; }
stack() { # shows a compose command, then runs it
    shown "${compose[*]} $*"
    "${compose[@]}" "$@" 2>&1 | indented
}
stack_quietly() { # the same for one whose output is only progress: it is shown if the command fails
    local output
    shown "${compose[*]} $*"
    output=$("${compose[@]}" "$@" 2>&1) || { indented <<<"$output" >&2; exit 1; }
}
next_step() {
    if [ -t 0 ] && [ -t 1 ]; then read -r -p "   [Enter] for the next step " _; fi
}
wait_for() { # WHAT COMMAND...: until it succeeds, at most two minutes
    local what=$1 deadline=$((SECONDS + 120))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge $deadline ]; then
            echo "Waited two minutes for $what, in vain. The state of the stack:" >&2
            "${compose[@]}" ps >&2
            "${compose[@]}" logs --tail=20 migwatch >&2
            exit 1
        fi
        sleep 0.5
    done
}

# The unexpected migrations that Alertmanager holds now.
unexpected() { get "$alertmanager" '/api/v2/alerts?filter=alertname%3D%22UnexpectedMigration%22'; }
nothing_pending() { # read anew when somebody asks
    "${compose[@]}" exec -T migwatch /migwatch plan $project/coe-backend | grep -q "nothing is pending"
}
has_unexpected() { unexpected | grep -q UnexpectedMigration; }
no_alert() { [ "$(get "$alertmanager" /api/v2/alerts)" = '[]' ]; }
# SERVICE's last start has come to an end: its application is up behind the proxy.
answers() { get "$http" /health && get "$http" /rag/health && get "$http" /reports/health && get "$rag" /health; }
settled() { # NUMBER OF MIGRATIONS: so many have ended
    [ "$(get "$port" /api/v1/migrations | grep -o '"outcome": *"applied"' | wc -l)" -ge "$1" ]
}

say "Building the images (the first time takes some minutes; after that, seconds)"
./build-images.sh
./build-images.sh migwatch

# Compose reads .env by itself, so that every compose command works here as it stands. The socket's group is asked
# for inside a container, because that is where it counts.
socket=/var/run/docker.sock
case ${DOCKER_HOST:-} in unix://*) socket=${DOCKER_HOST#unix://} ;; esac
cat >.env <<ENV
COMPOSE_PROJECT_NAME=$project
DOCKER_SOCKET=$socket
DOCKER_GID=$(docker run --rm --network none -v "$socket:/docker.sock:ro" migwatch-demo-base stat -c %g /docker.sock)
DEMO_HTTP_PORT=$http
DEMO_RAG_PORT=$rag
DEMO_MIGWATCH_PORT=$port
DEMO_PROMETHEUS_PORT=$prometheus
DEMO_ALERTMANAGER_PORT=$alertmanager
ENV
if [ -n "$(docker ps -aq --filter label=com.docker.compose.project=$project)" ]; then
    echo "The demo is there already: starting it over."
    "${compose[@]}" down --volumes --remove-orphans >/dev/null 2>&1
fi
for setting in DEMO_HTTP_PORT=$http DEMO_RAG_PORT=$rag DEMO_MIGWATCH_PORT=$port DEMO_PROMETHEUS_PORT=$prometheus \
    DEMO_ALERTMANAGER_PORT=$alertmanager; do
    if (exec 3<>"/dev/tcp/127.0.0.1/${setting#*=}") 2>/dev/null; then
        echo "Port ${setting#*=} is taken by something else on this host. Choose another: ${setting%=*}=1${setting#*=} make demo" >&2
        exit 1
    fi
done

say "Step 1 of 5: an ordinary start skips the migrations, and migwatch is quiet"
stack_quietly up -d
wait_for "the services" answers
wait_for "migwatch" get "$port" /-/ready
shown "${compose[*]} logs coe-backend | grep Alembic"
"${compose[@]}" logs --no-color coe-backend 2>&1 | grep Alembic | indented
note "" "RUN_MIGRATIONS was not set, so every service skipped Alembic. migwatch has seen it in their logs:"
stack exec -T migwatch /migwatch status
wait_for "a quiet Alertmanager" no_alert
note "" "Alertmanager has no alert."
next_step

say "Step 2 of 5: a deploy that says what it does is expected"
export RUN_MIGRATIONS=true
shown export RUN_MIGRATIONS=true
stack_quietly up -d coe-ragpipeline coe-backend coe-reports
unset RUN_MIGRATIONS
wait_for "the services" answers
wait_for "migwatch to see three migrations end" settled 3
stack exec -T migwatch /migwatch history
note "" "Three migrations, each \"expected\": new containers whose environment declares the migration, while their" \
    "predecessors' did not. That is the default policy, \"explicit\". Still no alert:"
wait_for "a quiet Alertmanager" no_alert
shown "curl http://127.0.0.1:$alertmanager/api/v2/alerts"
get "$alertmanager" /api/v2/alerts | indented
next_step

say "Step 3 of 5: before the next deploy, what would it do?"
note "Somebody has prepared a release. Its revision lies in the backend's folder of scripts and has not run:"
stack exec -T coe-backend release tidy
stack exec -T migwatch /migwatch plan $project/coe-backend
shown "${compose[*]} exec -T migwatch /migwatch preflight $project/coe-backend"
code=0
"${compose[@]}" exec -T migwatch /migwatch preflight $project/coe-backend 2>&1 | indented || code=$?
note "" "exit code $code: a pipeline stops here. The revision drops a table that the RagPipeline's migrations made." \
    "Prometheus is told as well:"
shown "curl http://127.0.0.1:$port/metrics | grep '^migwatch_revisions_pending'"
get "$port" /metrics | grep '^migwatch_revisions_pending' | indented
note "" "The release is withdrawn:"
stack exec -T coe-backend release --withdraw tidy
wait_for "nothing to be pending any more" nothing_pending
next_step

say "Step 4 of 5: weeks later, somebody restarts the container"
note "Meanwhile another release has brought a new revision to the backend:"
stack exec -T coe-backend release next
note "" "RUN_MIGRATIONS=true is still baked into the container from the deploy, so an innocent restart migrates the database:"
stack_quietly restart coe-backend
wait_for "the alert in Alertmanager" has_unexpected
shown "curl http://127.0.0.1:$alertmanager/api/v2/alerts | python3 -m json.tool"
# The stack has a Python for certain, this host may have none.
unexpected | "${compose[@]}" exec -T coe-reports python3 -m json.tool --no-ensure-ascii | indented
stack exec -T migwatch /migwatch history
note "" "One alert, with what was seen and who saw it. The deploy's three migrations are in the history as well, and quiet."
next_step

say "Step 5 of 5: what is running, and what to try"
id=$(unexpected | grep -o '"migration": *"[^"]*"' | head -n 1 | cut -d '"' -f 4 || true)
cat <<TEXT
   migwatch      http://127.0.0.1:$port/            (metrics: /metrics, API: /api/v1/services, /api/v1/migrations, /api/v1/alerts)
   Prometheus    http://127.0.0.1:$prometheus/
   Alertmanager  http://127.0.0.1:$alertmanager/api/v2/alerts
   Backend       http://127.0.0.1:$http/health      RagPipeline: /rag/health, or http://127.0.0.1:$rag/health      Reports: /reports/health

   Say that you have seen the alert (it resolves):
     cd demo && ${compose[*]} exec migwatch /migwatch ack ${id:-ID} --note "seen in the demo"
   Disarm the containers, so that a restart migrates nothing:
     cd demo && ${compose[*]} up -d
   A migration that fails on MariaDB with its first half applied, in a restart loop:
     cd demo && ${compose[*]} exec coe-backend release broken && RUN_MIGRATIONS=true ${compose[*]} up -d --force-recreate coe-backend
   Break the proxy, or the service behind it, and see which of the two migwatch names:
     cd demo && ${compose[*]} stop nginx            cd demo && ${compose[*]} stop coe-backend

   Remove every trace: make demo-down
TEXT
