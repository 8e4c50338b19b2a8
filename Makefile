# The entry points. Each sets up what it needs on a fresh machine with Docker and cargo.
.PHONY: images migwatch-image demo demo-down bench bench-lines bench-log-stream bench-detection bench-rest

images: ## the images of the demo and the end-to-end tests
	demo/build-images.sh

migwatch-image: ## migwatch:dev, from the Dockerfile
	demo/build-images.sh migwatch

demo: ## build and start the demo stack and walk through it
	demo/demo.sh

demo-down: ## remove every trace of the demo
	demo/demo-down.sh

# test: the lead's (unit, integration, end to end, promtool)

bench: bench-lines bench-log-stream bench-detection bench-rest ## all benchmarks; half an hour on a quiet machine

bench-lines: ## how fast logs are searched
	cargo bench --bench lines

bench-log-stream: images ## CPU a followed line, of ours and of the engine's
	cargo bench --bench log_stream
	cargo bench --bench log_stream -- real

bench-detection: images ## from a container's first movement to the webhook
	cargo bench --bench detection

bench-rest: images ## memory and CPU while nothing happens
	cargo bench --bench rest
