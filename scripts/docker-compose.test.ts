import { existsSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { readRepositoryFile, repositoryRoot } from '../platform/root';

interface Service {
  command?: string[];
  environment: Record<string, string>;
  healthcheck?: { test: string[] };
  ports?: string[];
  volumes?: string[];
}

// No Docker engine runs where these tests run, so the file is checked as far as reading it allows.
const { services, volumes } = parse(readRepositoryFile('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const { subgraphs } = parse(readRepositoryFile('supergraph.yaml')) as {
  subgraphs: Record<string, { routing_url: string }>;
};
const own = Object.entries(services).filter(([, service]) => service.command?.[0] === 'node');

test('there is one container for each process, and one for PostgreSQL and Redis', () => {
  expect(own.map(([name]) => name).sort()).toEqual([...Object.keys(subgraphs), 'gateway', 'worker'].sort());
  expect(Object.keys(services)).toEqual(expect.arrayContaining(['postgres', 'redis']));
});

test('every container has a health check and every named volume is declared', () => {
  for (const service of Object.values(services)) expect(service.healthcheck?.test.length).toBeGreaterThan(1);
  const used = Object.values(services)
    .flatMap((service) => service.volumes ?? [])
    .map((volume) => volume.split(':')[0]!);
  expect(Object.keys(volumes)).toEqual(expect.arrayContaining(used));
});

test('every command is a program that the build makes', () => {
  for (const [, { command }] of own) {
    const script = command!.at(-1)!;
    expect(existsSync(path.join(repositoryRoot(), script.replace(/^dist\//, '').replace(/\.js$/, '.ts')))).toBe(true);
  }
});

test('the gateway is told where each subgraph of the supergraph listens', () => {
  for (const [name, { routing_url }] of Object.entries(subgraphs)) {
    const port = services[name]!.environment['PORT']!;
    expect(new URL(routing_url).port).toBe(port);
    expect(services['gateway']!.environment[`SUBGRAPH_URL_${name.toUpperCase()}`]).toBe(
      `http://${name}:${port}/graphql`,
    );
  }
});

test('clients reach the processes that serve bytes of their own where these say', () => {
  for (const name of ['files', 'media']) {
    const { environment, ports } = services[name]!;
    const said = environment['PUBLIC_URL']!.replace(/^\$\{\w+:-(.*)\}$/, '$1');
    expect(ports).toEqual([`${new URL(said).port}:${environment['PORT']!}`]);
  }
});

test('processes that read or write objects share one volume', () => {
  for (const name of ['files', 'media', 'worker']) expect(services[name]!.volumes).toContain('data:/var/lib/sauti');
});
