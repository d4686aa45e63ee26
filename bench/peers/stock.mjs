/** The stock gateway as its documentation starts it: `node stock.mjs SUPERGRAPH PORT`. Reports nothing to anybody. */
import { readFileSync } from 'node:fs';
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';

const [supergraphFile, port] = process.argv.slice(2);
const quiet = { debug() {}, info() {}, warn: console.warn, error: console.error };
const gateway = new ApolloGateway({ supergraphSdl: readFileSync(supergraphFile, 'utf8'), logger: quiet });
const server = new ApolloServer({ gateway, logger: quiet });
await startStandaloneServer(server, { listen: { port: Number(port), host: '127.0.0.1' } });
