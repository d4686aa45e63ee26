import { evaluateCondition, type PlanNode } from '@apollo/query-planner';
import type { Execution } from './execution';
import { runFetch } from './fetch-step';
import { positionsAt, type Position } from './positions';

/** Runs a node of a query plan over the positions it applies to. Never rejects; failures become errors of the execution. */
export async function runPlan(node: PlanNode, positions: readonly Position[], execution: Execution): Promise<void> {
  switch (node.kind) {
    case 'Sequence':
      for (const step of node.nodes) await runPlan(step, positions, execution);
      return;
    case 'Parallel':
      await Promise.all(node.nodes.map((branch) => runPlan(branch, positions, execution)));
      return;
    case 'Flatten': {
      const below = positionsAt(positions, node.path);
      if (below.length > 0) await runPlan(node.node, below, execution);
      return;
    }
    case 'Fetch':
      return runFetch(node, positions, execution);
    case 'Condition': {
      const isTrue = evaluateCondition(node, execution.planned.operation.variableDefinitions, execution.variables);
      const branch = isTrue ? node.ifClause : node.elseClause;
      if (branch) await runPlan(branch, positions, execution);
      return;
    }
    case 'Defer':
      throw new Error('The planner made a Defer node although @defer is off.');
  }
}
