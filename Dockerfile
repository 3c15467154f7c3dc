# The image of one service: docker build --build-arg SERVICE=service-a .
# docker-compose.yml builds one image for each service; they share the build stage, which runs once.

# The manifests of all packages, and nothing else.
FROM node:24-slim AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs libs
COPY apps apps
RUN find libs apps -type f ! -name package.json -delete && find libs apps -type d -empty -delete

FROM node:24-slim AS build
WORKDIR /app

# Manifests come first: while they don't change, the layer with the packages is reused.
COPY --from=manifests /app ./
RUN npm ci --ignore-scripts

COPY tsconfig.base.json tsconfig.json ./
COPY libs libs
COPY apps apps
RUN npm run build

# Removes everything that production does not run: development packages, the packages of the test servers (an optional peer, so
# `--omit=optional` as well), sources, build records, the test servers, and the library's entry point for tests.
RUN npm prune --omit=dev --omit=optional --ignore-scripts \
 && rm -rf apps/*/src libs/*/src libs/keycloak/dist/testing libs/keycloak-test-servers \
 && find apps libs -name node_modules -prune -o \( -name 'tsconfig*.json' -o -name '*.tsbuildinfo' -o -name '*.d.ts' -o -name '*.d.ts.map' \) -type f -exec rm {} +

FROM node:24-slim
# The name of a folder in apps/, and what log lines call this build.
ARG SERVICE VERSION=dev
ENV NODE_ENV=production HOST=0.0.0.0 SERVICE_VERSION=${VERSION}
WORKDIR /app
# All files belong to root: the service can read them but not change them.
COPY --from=build /app/node_modules node_modules
# node_modules links to the libraries, so they stay where the links point.
COPY --from=build /app/libs libs
COPY --from=build /app/apps/${SERVICE:?} apps/${SERVICE}
WORKDIR /app/apps/${SERVICE}
USER node
# There is no shell or npm in between, so SIGTERM reaches the service. It turns not ready for SHUTDOWN_DELAY_SECONDS (5), then finishes
# the requests in flight: 9 seconds at most, of the 10 that Docker allows.
CMD ["node", "--enable-source-maps", "dist/main.js"]
