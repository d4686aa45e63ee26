import path from 'node:path';
import { repositoryRoot } from '../../platform/root';
import type { RecordedOperation } from './recording';

/** Files and addresses that a target may need to start. */
export interface StartOptions {
  supergraphFile: string;
  /** The calls that the floors make and the answers that they give. */
  recordingFile: string;
  port: number;
}

export interface Target {
  name: TargetName;
  title: string;
  /** Whether identical calls under way at the same time are sent once; null where there is nothing to share. */
  sharesInFlight: boolean | null;
  /** Whether bench/peers must be installed for it. */
  needsPeers: boolean;
  /** Whether it needs the recorded plans. */
  needsRecording: boolean;
  /** Whether its subgraphs are in its own process, where it counts the calls itself. */
  holdsSubgraphs: boolean;
  /** Whether the hostile operation is put to it. */
  facesHostile: boolean;
  command(options: StartOptions): { args: string[]; env?: Record<string, string> };
}

export const TARGET_NAMES = [
  'sauti-http',
  'sauti-http-shared',
  'sauti-in-process',
  'stock',
  'hive-js',
  'hive-js-shared',
  'hive-rust',
  'hive-rust-shared',
  'floor',
  'floor-merged',
  'floor-distinct',
] as const;
export type TargetName = (typeof TARGET_NAMES)[number];

const gatewayFolder = (file: string): string => path.join(repositoryRoot(), 'bench/gateway', file);
const peersFolder = (file: string): string => path.join(repositoryRoot(), 'bench/peers', file);

/** The standalone gateway, as `npm run gateway` starts it. It shares no calls in flight unless it is told to. */
const sautiHttp: Target['command'] = ({ supergraphFile, port }) => ({
  args: [path.join(repositoryRoot(), 'dist/gateway/main.js'), '--supergraph', supergraphFile, '--port', String(port)],
});

const sautiHttpShared: Target['command'] = (options) => ({
  args: [...sautiHttp(options).args, '--config', gatewayFolder('shared.yaml')],
});

const sautiInProcess: Target['command'] = ({ supergraphFile, port }) => ({
  args: [gatewayFolder('in-process.mjs'), supergraphFile, String(port)],
});

const stock: Target['command'] = ({ supergraphFile, port }) => ({
  args: [peersFolder('stock.mjs'), supergraphFile, String(port)],
});

function hive(options: { rust: boolean; sharesInFlight: boolean }): Target['command'] {
  return ({ supergraphFile, port }) => ({
    args: [
      peersFolder('node_modules/@graphql-hive/gateway/dist/bin.js'),
      'supergraph',
      supergraphFile,
      ...['--host', '127.0.0.1', '--port', String(port)],
      ...['--config-path', peersFolder('hive.config.mjs')],
      ...(options.rust ? ['--hive-router-runtime'] : []),
    ],
    env: { BENCH_SHARE_IN_FLIGHT: options.sharesInFlight ? '1' : '0' },
  });
}

function floor(levels: keyof RecordedOperation['levels']): Target['command'] {
  return ({ recordingFile, port }) => ({ args: [peersFolder('floor.mjs'), recordingFile, levels, String(port)] });
}

const gateway = {
  needsPeers: true,
  needsRecording: false,
  holdsSubgraphs: false,
  sharesInFlight: false,
  facesHostile: true,
};
const bare = {
  needsPeers: true,
  needsRecording: true,
  holdsSubgraphs: false,
  sharesInFlight: null,
  facesHostile: false,
};

/** Everything that can be measured, in the order of the table. */
export const TARGETS: readonly Target[] = [
  { ...gateway, name: 'sauti-http', title: 'Sauti over HTTP', needsPeers: false, command: sautiHttp },
  {
    ...gateway,
    name: 'sauti-http-shared',
    title: 'Sauti over HTTP',
    needsPeers: false,
    sharesInFlight: true,
    facesHostile: false,
    command: sautiHttpShared,
  },
  {
    ...gateway,
    name: 'sauti-in-process',
    needsPeers: false,
    title: 'Sauti in process',
    holdsSubgraphs: true,
    facesHostile: false,
    command: sautiInProcess,
  },
  { ...gateway, name: 'stock', title: 'stock `@apollo/gateway`', command: stock },
  { ...gateway, name: 'hive-js', title: 'Hive Gateway', command: hive({ rust: false, sharesInFlight: false }) },
  {
    ...gateway,
    name: 'hive-js-shared',
    title: 'Hive Gateway',
    sharesInFlight: true,
    facesHostile: false,
    command: hive({ rust: false, sharesInFlight: true }),
  },
  {
    ...gateway,
    name: 'hive-rust',
    title: 'Hive Gateway + Rust planner',
    command: hive({ rust: true, sharesInFlight: false }),
  },
  {
    ...gateway,
    name: 'hive-rust-shared',
    title: 'Hive Gateway + Rust planner',
    sharesInFlight: true,
    facesHostile: false,
    command: hive({ rust: true, sharesInFlight: true }),
  },
  { ...bare, name: 'floor', title: 'floor: the stock calls by hand', command: floor('planned') },
  { ...bare, name: 'floor-merged', title: 'floor: calls of a level merged', command: floor('merged') },
  { ...bare, name: 'floor-distinct', title: 'floor: merged, no entity asked twice', command: floor('distinct') },
];
