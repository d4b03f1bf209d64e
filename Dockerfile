# Prosopon as a container. It needs no network when it runs, no root, and no folder of the image to write to:
#
#   docker build --tag prosopon .
#   docker run --rm --network none --read-only --cap-drop ALL --user "$(id -u):$(id -g)" \
#     --volume /data/bids:/data/bids:ro --volume /data/results:/data/results \
#     prosopon bids /data/bids /data/results/released participant
#
# The folder ABOVE the output is bound: OUTPUT-work, which is private, stands beside it.
FROM node:20.19.5-bookworm-slim AS build
WORKDIR /build
COPY . .
RUN bash scripts/install-image.sh /opt/prosopon

FROM node:20.19.5-bookworm-slim
LABEL org.opencontainers.image.title="Prosopon" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.description="Gives a head MRI a new face and leaves the brain alone, bit for bit"
COPY --from=build /opt/prosopon /opt/prosopon
# A package manager is of no use without a network.
RUN ln -s /opt/prosopon/bin/prosopon.mjs /usr/local/bin/prosopon \
  && rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-*
ENV NODE_ENV=production
# node of the base image; --user takes the place of it.
USER 1000:1000
WORKDIR /tmp
ENTRYPOINT ["prosopon"]
CMD ["--help"]
