/**
 * Lets bare node run Sauti's TypeScript sources: `node -r ./platform/testing/register.cjs file.ts`. For tests that need
 * a process of its own (one that may be killed) from the sources as they are, without a build.
 */
'use strict';
const { readFileSync } = require('node:fs');
const { transformSync } = require('@swc/core');

require.extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    sourceMaps: 'inline',
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  });
  module._compile(code, filename);
};
