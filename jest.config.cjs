/** Packages that ship ES modules only; jest runs CommonJS, so @swc/jest lowers them too. */
const esmOnly = [
  'file-type',
  'strtok3',
  'token-types',
  'uint8array-extras',
  '@tokenizer',
  '@borewit',
  'eld',
  'franc',
  'trigram-utils',
  'n-gram',
  'collapse-white-space',
  'nodemailer',
  'smtp-server',
  'openid-client',
  'oauth4webapi',
  'jose',
  'otpauth',
  '@noble/hashes',
];

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: [
    '<rootDir>/platform',
    '<rootDir>/gateway',
    '<rootDir>/subgraphs',
    '<rootDir>/worker',
    '<rootDir>/scripts',
    '<rootDir>/client',
    '<rootDir>/demo',
    '<rootDir>/e2e',
  ],
  testMatch: ['**/*.test.ts'],
  globalSetup: '<rootDir>/platform/testing/global-setup.ts',
  globalTeardown: '<rootDir>/platform/testing/global-teardown.ts',
  // eld exports itself to `import` only; jest runs every module through `require`.
  moduleNameMapper: { '^eld$': '<rootDir>/node_modules/eld/src/entries/dynamic.js' },
  testTimeout: 60_000,
  maxWorkers: 2,
  transform: {
    '^.+\\.(ts|mjs|js)$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
};
