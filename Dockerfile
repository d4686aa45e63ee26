# One image for every process of docker-compose.yml; the command chooses which one runs.
FROM node:20-bookworm-slim

# The engines: ffmpeg for media, PocketSphinx (with espeak-ng for words it does not know) for speech, Apertium for translation. Child processes and libraries, all from Debian.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ffmpeg libpocketsphinx3 pocketsphinx-en-us espeak-ng apertium apertium-eng-spa \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /sauti
COPY package.json package-lock.json ./
# Embedded PostgreSQL is for laptops; here the database is a container of its own.
RUN npm ci --ignore-scripts --include=dev --no-audit --no-fund
COPY . .
# Generates the Prisma client and types, builds dist/, then drops what only the build needed.
RUN SAUTI_SKIP_ENGINES=1 node scripts/bootstrap.mjs && npm prune --omit=dev --ignore-scripts \
 && mkdir -p /var/lib/sauti && chown node:node /var/lib/sauti

USER node
ENV NODE_ENV=production SAUTI_DATA_DIR=/var/lib/sauti HOST=0.0.0.0
CMD ["node", "--enable-source-maps", "dist/gateway/main.js"]
