# The entry points. Each sets up what it needs on a fresh machine with Docker and cargo.
.PHONY: images migwatch-image demo demo-down

images: ## the images of the demo and the end-to-end tests
	demo/build-images.sh

migwatch-image: ## migwatch:dev, from the Dockerfile
	demo/build-images.sh migwatch

demo: ## build and start the demo stack and walk through it
	demo/demo.sh

demo-down: ## remove every trace of the demo
	demo/demo-down.sh

# test: the lead's (unit, integration, end to end, promtool)
