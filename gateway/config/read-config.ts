import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { gatewayConfigSchema, type GatewayConfig } from './schema';

/**
 * Reads the configuration file of a gateway (YAML, or JSON, which is YAML too). Paths in it start from its own folder.
 * Throws one error that lists all faults.
 */
export function readGatewayConfig(file: string): GatewayConfig {
  return resolvePaths(parseGatewayConfig(readText(file), file), path.dirname(path.resolve(file)));
}

/** Checks the text of a configuration; `name` is what errors call it. */
export function parseGatewayConfig(text: string, name: string): GatewayConfig {
  const document = parseDocument(text);
  if (document.errors.length > 0)
    throw faulty(
      name,
      document.errors.map(({ message }) => firstLine(message)),
    );
  // An empty file sets nothing.
  const result = gatewayConfigSchema.safeParse(document.toJS() ?? {});
  if (!result.success)
    throw faulty(
      name,
      result.error.issues.flatMap((issue) => faultsOf(issue, [])),
    );
  return result.data;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? `there is no configuration at ${file}` : `${file} cannot be read: ${message}`, {
      cause,
    });
  }
}

function faulty(name: string, faults: readonly string[]): Error {
  return new Error(`${name} is not valid:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
}

/** The parser's messages go on with the text around the fault. */
function firstLine(message: string): string {
  return message.replace(/:?\n.*/s, '');
}

type Issue = z.core.$ZodIssue;

/** One line for each fault. Where one of several forms was possible, the one that fits best is talked about. */
function faultsOf(issue: Issue, parent: readonly PropertyKey[]): string[] {
  const at = [...parent, ...issue.path];
  if (issue.code === 'invalid_union') {
    const nearest = issue.errors.find((issues) =>
      issues.some(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
    );
    if (nearest) return nearest.flatMap((inner) => faultsOf(inner, at));
    return [line(at, `must be one of: ${issue.errors.flat().map(describe).join('; ')}`)];
  }
  return [line(at, issue.message)];
}

function describe(issue: Issue): string {
  return issue.message.replace(/^Invalid input: /, '');
}

function line(at: readonly PropertyKey[], message: string): string {
  return at.length > 0 ? `${at.map(String).join('.')}: ${message}` : message;
}

function resolvePaths(config: GatewayConfig, folder: string): GatewayConfig {
  const { supergraph, planning } = config;
  return {
    ...config,
    ...(typeof supergraph === 'string' ? { supergraph: path.resolve(folder, supergraph) } : {}),
    ...(planning && typeof planning.store === 'string'
      ? { planning: { ...planning, store: path.resolve(folder, planning.store) } }
      : {}),
  };
}
