# The image of one service: docker build --build-arg SERVICE=service-a .
# docker-compose.yml builds one image for each service. The images share the build stage, which runs once.

# This stage contains only the manifests of all packages.
FROM node:24-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs libs
COPY apps apps
RUN find libs apps -type f ! -name package.json -delete && find libs apps -type d -empty -delete

FROM node:24-slim AS build
WORKDIR /app

# Manifests are copied first. If they do not change, Docker reuses the layer with the packages.
COPY --from=manifests /app ./
RUN npm ci --ignore-scripts

COPY tsconfig.base.json tsconfig.json ./
COPY libs libs
COPY apps apps
RUN npm run build
# A clone under a strict umask has files that the user `node` can't read.
RUN chmod -R a+rX apps libs

# Removes all files that production does not run: development packages, sources and build records.
# Also removes the test servers, their packages, and the library's entry point for tests.
# The package testcontainers is an optional peer, so npm needs `--omit=optional` too.
RUN npm prune --omit=dev --omit=optional --ignore-scripts \
 && rm -rf apps/*/src libs/*/src libs/keycloak/dist/testing libs/keycloak-test-servers libs/mcp \
 && find apps libs -name node_modules -prune -o \( -name 'tsconfig*.json' -o -name '*.tsbuildinfo' -o -name '*.d.ts' -o -name '*.d.ts.map' \) -type f -exec rm {} +

FROM node:24-slim
# SERVICE is the name of a folder in apps/. Log lines contain VERSION.
ARG SERVICE VERSION=dev
ENV NODE_ENV=production HOST=0.0.0.0 SERVICE_VERSION=${VERSION}
WORKDIR /app
# All files belong to root: the service can read but not change them.
COPY --from=build /app/node_modules node_modules
# Links in node_modules point to the libraries, so libs keeps its path.
COPY --from=build /app/libs libs
COPY --from=build /app/apps/${SERVICE:?} apps/${SERVICE}
WORKDIR /app/apps/${SERVICE}
USER node
# Docker starts Node without a shell or npm, so SIGTERM reaches the service.
# After SIGTERM, the service is not ready for SHUTDOWN_DELAY_SECONDS (5), and then finishes requests in flight.
# The shutdown takes at most 9 seconds, and Docker allows 10 seconds. A refresh of a session may take Service A another
# 5 seconds, so compose allows 20 seconds.
CMD ["node", "--enable-source-maps", "dist/main.js"]
