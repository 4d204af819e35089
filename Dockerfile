# The controller's image, for those who have Docker: `docker build -t launchway .`
# The recipe is that of `cargo image` (docs/image.md), which needs no Docker, and this file only runs it: the same program and the
# same files. tests/image/tests/layout.rs holds both to the same facts.
FROM --platform=$BUILDPLATFORM rust:1.95.0-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*
# The folder in which the commit's files are is not in the program, nor is cargo's.
WORKDIR /src
COPY . .
# Docker names the processor of --platform as `cargo image` does, which compiles for both on either.
ARG TARGETARCH
RUN cargo image --arch "${TARGETARCH:-amd64}" --files /image

FROM scratch
COPY --from=build /image/ /
LABEL org.opencontainers.image.title="Launchway" \
      org.opencontainers.image.description="A Kubernetes controller that takes git commits to running Amazon ECS services" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /
USER 65532:65532
ENTRYPOINT ["/launchway"]
