import type { ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';

/**
 * Apollo Sandbox as the landing page. Apollo's plugin writes the page; the embedded Sandbox also takes an
 * `initialSubscriptionEndpoint`, which the plugin has no option for, so it is added to the page: without it the user
 * would have to enter the WebSocket address by hand before the first subscription.
 */
export function sandboxPage(): ApolloServerPlugin {
  const page = ApolloServerPluginLandingPageLocalDefault({ footer: false, embed: { runTelemetry: false } });
  return {
    async serverWillStart(service) {
      const listener = (await page.serverWillStart?.(service)) ?? {};
      return {
        ...listener,
        async renderLandingPage() {
          const rendered = await listener.renderLandingPage?.();
          const html = typeof rendered?.html === 'function' ? await rendered.html() : (rendered?.html ?? '');
          return { html: withOfflineHint(withSubscriptionEndpoint(html)) };
        },
      };
    },
  };
}

function withSubscriptionEndpoint(html: string): string {
  return html.replace(
    /^(\s*)initialEndpoint,\s*$/m,
    "$1initialEndpoint,\n$1initialSubscriptionEndpoint: initialEndpoint.replace(/^http/, 'ws').replace(/[?#].*$/, ''),",
  );
}

/** Sandbox comes from Apollo's servers; without internet the page must not be a dead end. */
function withOfflineHint(html: string): string {
  return html.replace(
    'it appears that you might be offline.',
    'it appears that you might be offline. <a href="/graphiql">GraphiQL</a> works without internet.',
  );
}
