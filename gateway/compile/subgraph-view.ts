import {
  isAbstractType,
  isObjectType,
  valueFromASTUntyped,
  type ConstDirectiveNode,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

/** What one subgraph has of the supergraph, from the `join__` directives (https://specs.apollo.dev/join/v0.3). */
export interface SubgraphView {
  /** The object types behind a type of an answer that this subgraph may give. */
  objectTypes(type: GraphQLNamedType): readonly GraphQLObjectType[];
  hasField(type: GraphQLObjectType, field: string): boolean;
}

/** The view of one subgraph; `schema` is the supergraph's with its directives. */
export function subgraphView(schema: GraphQLSchema, subgraph: string): SubgraphView {
  const graph = graphValue(schema, subgraph);
  const isHere = (nodes: readonly ConstDirectiveNode[], ...names: string[]): boolean =>
    nodes.some((node) => names.includes(node.name.value) && argument(node, 'graph') === graph);
  return {
    objectTypes(type) {
      if (isObjectType(type)) return [type];
      if (!isAbstractType(type)) return [];
      return schema.getPossibleTypes(type).filter((member) => {
        const isMember = directives(type).some(
          (node) =>
            node.name.value === 'join__unionMember' &&
            argument(node, 'graph') === graph &&
            argument(node, 'member') === member.name,
        );
        const implementsIt = directives(member).some(
          (node) =>
            node.name.value === 'join__implements' &&
            argument(node, 'graph') === graph &&
            argument(node, 'interface') === type.name,
        );
        return isMember || implementsIt;
      });
    },
    hasField(type, name) {
      const field = type.getFields()[name];
      if (!field || !isHere(directives(type), 'join__type')) return false;
      const own = (field.astNode?.directives ?? []).filter((node) => node.name.value === 'join__field');
      if (own.length === 0) return true;
      return own.some(
        (node) => argument(node, 'external') !== true && [graph, undefined].includes(argument(node, 'graph') as string),
      );
    },
  };
}

/** The value of the enum `join__Graph` that stands for a subgraph. */
function graphValue(schema: GraphQLSchema, subgraph: string): string | undefined {
  const graphs = schema.getType('join__Graph');
  if (!graphs || !('getValues' in graphs)) return undefined;
  return graphs
    .getValues()
    .find(({ astNode }) =>
      astNode?.directives?.some((node) => node.name.value === 'join__graph' && argument(node, 'name') === subgraph),
    )?.name;
}

function directives(type: GraphQLNamedType): readonly ConstDirectiveNode[] {
  return [type.astNode, ...type.extensionASTNodes].flatMap((node) => node?.directives ?? []);
}

function argument(node: ConstDirectiveNode, name: string): unknown {
  const given = node.arguments?.find((each) => each.name.value === name);
  return given && valueFromASTUntyped(given.value);
}
