# The entry points. Each sets up what it needs on a fresh machine with Docker and cargo.
.PHONY: test composes lint need-cargo images migwatch-image demo demo-down bench bench-lines bench-log-stream bench-detection bench-confirmation bench-rest bench-health-checks bench-replay bench-scripts soak scenarios

images: ## the images of the demo and the end-to-end tests
	demo/build-images.sh

migwatch-image: ## migwatch:dev, from the Dockerfile
	demo/build-images.sh migwatch

demo: ## build and start the demo stack and walk through it
	demo/demo.sh

demo-down: ## remove every trace of the demo
	demo/demo-down.sh

test: images composes lint ## every test: unit, integration, end to end on real containers, the shipped rules through promtool
	@if command -v cargo-nextest >/dev/null; then set -x; cargo nextest run --locked --no-fail-fast; \
	else echo "cargo-nextest is not installed (cargo install --locked cargo-nextest): cargo test runs the same tests."; \
	    set -x; cargo test --locked --no-fail-fast; fi

composes: ## both generations of Compose, which the end-to-end tests run
	@command -v docker-compose >/dev/null || { \
	    if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	        echo "Installing Compose 1 (docker-compose) ..."; apt-get update -qq && apt-get install -qq --yes docker-compose; \
	    else echo "There is no Compose 1: install it (Debian: apt-get install docker-compose, as root)." >&2; exit 1; fi; }
	@echo "Compose 2: $$(tests/compose2.sh)"

lint: need-cargo ## formatting and lints
	@cargo fmt --version >/dev/null 2>&1 || { echo "There is no rustfmt: rustup component add rustfmt" >&2; exit 1; }
	@cargo clippy --version >/dev/null 2>&1 || { echo "There is no clippy: rustup component add clippy" >&2; exit 1; }
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings

bench: need-cargo bench-lines bench-log-stream bench-detection bench-confirmation bench-rest bench-health-checks bench-replay bench-scripts ## all benchmarks; half an hour on a quiet machine

bench-lines: ## how fast logs are searched
	cargo bench --bench lines

bench-log-stream: images ## CPU a followed line, of ours and of the engine's
	cargo bench --bench log_stream
	cargo bench --bench log_stream -- real

bench-detection: images ## from a container's first movement to the webhook
	cargo bench --bench detection

bench-confirmation: images composes ## from the end of a command to what the database says of it
	cargo bench --bench confirmation

bench-rest: images ## memory and CPU while nothing happens
	cargo bench --bench rest

bench-health-checks: ## what the health checks of 50 containers cost
	cargo bench --bench health_checks

bench-replay: ## how long a start replays a large journal
	cargo bench --bench replay

bench-scripts: ## what reading a thousand revisions costs
	cargo bench --bench scripts

soak: images composes ## migwatch is killed 200 times while migrations run, and must end with exactly those that happened; a quarter of an hour
	cargo bench --bench soak

scenarios: images composes ## of the tests only the table of scenarios, on the played and the real engine
	cargo nextest run --locked --no-fail-fast -E 'test(/^scenarios/)'

need-cargo:
	@command -v cargo >/dev/null || { echo "There is no cargo: install Rust, https://rustup.rs" >&2; exit 1; }
