export const HOSTILE_SCHEMAS: Record<string, string> = {};
export const HOSTILE_RESOLVERS: Record<string, object> = {};
