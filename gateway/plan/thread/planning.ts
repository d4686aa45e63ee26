import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import {
  operationFromDocument,
  printSchema,
  ROUTER_SUPPORTED_SUPERGRAPH_FEATURES,
  Supergraph,
  type Schema,
} from '@apollo/federation-internals';
import { QueryPlanner, type QueryPlan } from '@apollo/query-planner';
import plannerPackage from '@apollo/query-planner/package.json';
import { parse, type DocumentNode } from 'graphql';
import { UnresolvableError } from './check-keys';
import type { PlanJob, PlanReply, SupergraphDescription, PlanRefusal } from './messages';
import { rewritePlan } from './rewrite-plan';
import { rewriteSupergraph } from './rewrite-supergraph';

/** Apollo's planner over one supergraph, with our rewrites before and after it. */
export interface Planning {
  description: SupergraphDescription;
  plan(job: PlanJob): PlanReply;
}

/**
 * Named fragments of the client are not looked for in subgraph operations: finding out where one still fits can cost
 * more than the rest of planning.
 */
const PLANNER_SETTINGS = { reuseQueryFragments: false, incrementalDelivery: { enableDefer: true } };

/** The planner's own limits on what one operation may expand to; it throws them as plain errors. */
const LIMIT_MESSAGE = /^(Exceeded maximum recursive selections|Number of non-local selections exceeds limit)/;

/**
 * Reads a supergraph SDL. Accepts what Apollo Router accepts: with its default feature list the library refuses any
 * schema that uses `@authenticated`, `@requiresScopes`, `@policy` or `@context`. Throws when the SDL is no supergraph.
 */
export function loadPlanning(sdl: string): Planning {
  const original = build(sdl);
  const rewritten = rewriteSupergraph(sdl);
  const supergraph = rewritten.document ? buildRewritten(rewritten.document, original) : original;
  const planner = new QueryPlanner(supergraph, PLANNER_SETTINGS);
  const api = supergraph.apiSchema();
  return {
    description: {
      apiSdl: printSchema(original.apiSchema()),
      subgraphs: original.subgraphsMetadata().map(({ name, url }) => ({ name, url })),
      overrides: rewritten.overrides,
      addedFields: rewritten.addedFields,
      interfaceObjects: rewritten.interfaceObjects,
      planner: plannerIdentity(),
    },
    plan(job) {
      try {
        return { kind: 'planned', plan: JSON.stringify(rewritePlan(buildPlan(planner, api, job), rewritten)) };
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        return { kind: 'refused', reason: reasonOf(error, message), message };
      }
    },
  };
}

function reasonOf(error: unknown, message: string): PlanRefusal {
  if (error instanceof UnresolvableError) return 'unresolvable';
  return LIMIT_MESSAGE.test(message) ? 'too complex' : 'impossible';
}

function build(sdl: string): Supergraph {
  return Supergraph.build(sdl, { supportedFeatures: ROUTER_SUPPORTED_SUPERGRAPH_FEATURES });
}

/**
 * Validates the original in place of the rewritten supergraph: in that a field may be external although nothing requires
 * it any more.
 */
function buildRewritten(document: DocumentNode, original: Supergraph): Supergraph {
  original.subgraphs();
  return Supergraph.build(document, {
    supportedFeatures: ROUTER_SUPPORTED_SUPERGRAPH_FEATURES,
    validateSupergraph: false,
  });
}

function buildPlan(planner: QueryPlanner, api: Schema, { text, operationName, labels }: PlanJob): QueryPlan {
  const operation = operationFromDocument(api, parse(text, { noLocation: true }), {
    ...(operationName === undefined ? {} : { operationName }),
    validate: false, // the main thread has validated it against the same API schema
  });
  return planner.buildQueryPlan(operation, { overrideConditions: new Map(labels) });
}

/** Changes with the planner's version and with the text of the files beside this one, so that no old plan outlives them. */
function plannerIdentity(): string {
  const hash = createHash('sha256').update(plannerPackage.version);
  // Names, conditions and documents are decided one folder up, and plans depend on them, too.
  for (const folder of [__dirname, path.dirname(__dirname)]) {
    for (const file of readdirSync(folder).sort())
      if (/(?<!\.test)\.(ts|js)$/.test(file)) hash.update(readFileSync(path.join(folder, file)));
  }
  return hash.digest('base64url');
}
