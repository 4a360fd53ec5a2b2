# Node 26: in long-term support since October 2026.
#
# No package of production depends on the platform, so only the last stage is of the image's platform, which runs nothing:
# an image for another processor needs no emulation.
FROM --platform=$BUILDPLATFORM node:26-alpine AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
RUN npx tsc -p tsconfig.json

FROM --platform=$BUILDPLATFORM node:26-alpine AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM node:26-alpine
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist/src ./dist/src
COPY package.json LICENSE ./
# Numeric, so that Kubernetes can verify that it is not root (runAsNonRoot).
USER 65532:65532
EXPOSE 8000
# It reads the settings of the service, so it also works with another HOST or PORT, TLS and client certificates.
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s \
  CMD ["node", "dist/src/main.js", "healthcheck"]
# Without a shell or npm in between: both would not pass SIGTERM on to the service.
CMD ["node", "--enable-source-maps", "dist/src/main.js", "serve"]
