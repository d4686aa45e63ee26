import type { ApolloServerOptions, ApolloServerPlugin } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { createDocumentCache } from '../documents/document-cache';
import type { Caller } from '../execute/execution';
import type { ContentTypes } from './content-types';

/**
 * An answer as `application/json` to a well-formed request has the status 200, also when it says what is wrong with the
 * document or its variables (GraphQL over HTTP, appendix on `application/json`). Apollo Server says 400 there.
 */
export function plainJsonStatus(contentTypes: ContentTypes): ApolloServerPlugin<Caller> {
  return {
    async requestDidStart() {
      return {
        async willSendResponse({ source, request, response: { http } }) {
          // Without a source there was no document to answer about.
          if (http.status === 400 && source && contentTypes(request.http?.headers.get('accept'))?.isNamedJson)
            http.status = 200;
        },
      };
    },
  };
}

/** Apollo Server fails on the hash of a persisted query that is no text. An empty one is that of no document. */
export function textualHashes(): ApolloServerPlugin<Caller> {
  return {
    async requestDidStart({ request: { extensions } }) {
      const persisted = extensions?.['persistedQuery'] as { sha256Hash?: unknown } | undefined;
      if (extensions && persisted && typeof persisted.sha256Hash !== 'string')
        extensions['persistedQuery'] = { ...persisted, sha256Hash: '' };
    },
  };
}

/** Apollo Server's own store counts characters of JSON, and holds several times as many bytes. */
export function documentStore(max: number): NonNullable<ApolloServerOptions<Caller>['documentStore']> {
  const documents = createDocumentCache(max);
  return {
    get: async (key) => documents.get(key),
    set: async (key, document) => void documents.set(key, document),
    delete: async (key) => documents.delete(key),
  };
}

/** Switches off what Apollo Server would report or add of its own accord. */
export function quietPlugins(): ApolloServerPlugin[] {
  return [
    ApolloServerPluginUsageReportingDisabled(),
    ApolloServerPluginSchemaReportingDisabled(),
    ApolloServerPluginInlineTraceDisabled(),
    ApolloServerPluginCacheControlDisabled(),
  ];
}
