# migwatch's image: one static binary, nothing else, not root.
#   docker build -t migwatch .
# Needs no BuildKit. RUST_IMAGE is any image with cargo and a C compiler for the same architecture.
ARG RUST_IMAGE=rust:1.95-bookworm

FROM ${RUST_IMAGE} AS build
WORKDIR /build
# Static, with glibc: a FROM scratch image has no loader. The target must be named, or the flags would hit build scripts too.
ENV RUSTFLAGS="-C target-feature=+crt-static" CARGO_INCREMENTAL=0
# The dependencies by themselves, in a layer that lasts until Cargo.lock changes.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src && echo 'fn main() {}' >src/main.rs && : >src/lib.rs \
    && cargo build --locked --profile image --target "$(rustc -vV | sed -n 's/^host: //p')" \
    && rm -rf src
# The rest of what .dockerignore lets through.
COPY . .
ARG REVISION=unknown
ENV MIGWATCH_BUILD_REVISION=${REVISION}
# The dummy's files are newer than a checkout's: cargo goes by time.
RUN find src -name '*.rs' -exec touch {} + \
    && cargo build --locked --profile image --target "$(rustc -vV | sed -n 's/^host: //p')" \
    && mkdir -p /image/data && cp target/*/image/migwatch /image/migwatch \
    && if ldd /image/migwatch 2>/dev/null | grep -q '=>'; then echo 'the binary is not static' >&2; exit 1; fi

FROM scratch
ARG REVISION=unknown
LABEL org.opencontainers.image.title="migwatch" \
    org.opencontainers.image.description="Compose-aware health and status monitor for stacks whose database migrations must not run by accident" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    org.opencontainers.image.revision="${REVISION}"
COPY --from=build --chown=65532:65532 /image/data /data
COPY --from=build /image/migwatch /migwatch
ENV MIGWATCH_DATA_DIR=/data
USER 65532:65532
VOLUME /data
EXPOSE 9778
# Named, so that the engine does not take another signal for a stop.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["/migwatch", "healthcheck"]
ENTRYPOINT ["/migwatch"]
