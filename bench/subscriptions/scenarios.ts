import { readFileSync } from 'node:fs';
import type { Bench } from './bench';
import { measureCycles } from './cycles';
import { measureDeliveries, type DeliveryShape } from './deliveries';
import type { Row } from './figures';
import type { ScenarioName } from './options';
import { measureStalled } from './stalled';

type Scenario = (bench: Bench) => Promise<Row[]>;

/** What the gateway and the graph of the other side allow on one connection. */
const PER_SOCKET = 50;
/** Lines that are announced at once to many connections. */
const BURST = 10;

export const SCENARIOS: Record<ScenarioName, Scenario> = {
  'fan-out': async (bench) => {
    const { subscribers, events } = bench.options;
    const shape = { selections: 'same', fields: ['lines'], lines: events, burst: 1 } satisfies Partial<DeliveryShape>;
    const shared = Math.ceil(subscribers / PER_SOCKET);
    const single = Math.min(subscribers, maxSockets());
    return [
      ...(await measureDeliveries(bench, 0, {
        ...shape,
        key: 'fan-out multiplexed',
        title: `${shared * PER_SOCKET} subscribers of one job on ${shared} sockets`,
        sockets: shared,
        perSocket: PER_SOCKET,
      })),
      ...(await measureDeliveries(bench, 1, {
        ...shape,
        key: 'fan-out one each',
        title: `${single} subscribers of one job, one socket each`,
        sockets: single,
        perSocket: 1,
      })),
    ];
  },
  async selections(bench) {
    const { selective, events } = bench.options;
    const sockets = Math.ceil(selective / PER_SOCKET);
    const shape = { sockets, perSocket: PER_SOCKET, fields: ['lines' as const], lines: events, burst: 1 };
    const title = `${sockets * PER_SOCKET} subscribers, 20 selections`;
    return [
      ...(await measureDeliveries(bench, 0, { ...shape, key: 'selections mixed', title, selections: 'mixed' })),
      ...(await measureDeliveries(bench, 1, {
        ...shape,
        key: 'selections languages',
        title: `${title} with differing arguments`,
        selections: 'languages',
      })),
    ];
  },
  sockets: (bench) =>
    measureDeliveries(bench, 0, {
      key: 'sockets',
      title: `${bench.options.sockets} sockets × ${BURST} lines at once`,
      sockets: Math.min(bench.options.sockets, maxSockets()),
      perSocket: 1,
      selections: 'same',
      fields: ['lines', 'plainLines'],
      lines: BURST,
      burst: BURST,
    }),
  cycles: (bench) => measureCycles(bench, 1),
  stalled: (bench) => measureStalled(bench, 0),
};

/** File descriptors that a process needs for other things. */
const RESERVED_DESCRIPTORS = 500;

/** Connections one process may have, by its limit of open files, which node raises to the hard one. */
function maxSockets(): number {
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return hard === undefined ? Infinity : Number(hard) - RESERVED_DESCRIPTORS;
}
