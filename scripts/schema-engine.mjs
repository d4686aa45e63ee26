#!/usr/bin/env node
/**
 * Stands in for Prisma's native schema engine (which the Prisma CLI would download): the same JSON-RPC on stdin and
 * stdout, answered by the official WebAssembly build of the same engine from npm. Only for developers: `npx prisma
 * migrate dev|deploy|status|diff|resolve` and `npx prisma db …`. Sauti itself migrates with platform/database/migrate.ts.
 *
 * Four things of @prisma/adapter-pg 7.10 are corrected on the way; each has its comment below.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const pg = require('pg');
const { PrismaPg } = require('@prisma/adapter-pg');
const { bindMigrationAwareSqlAdapterFactory } = require('@prisma/driver-adapter-utils');

const CHAR_OID = 18; // PostgreSQL's internal type "char", one byte
const BPCHAR_OID = 1042;
const CHARACTER_COLUMN = 6; // ColumnTypeEnum.Character of driver-adapter-utils

const datasource = JSON.parse(optionValues('--datasource')[0] ?? '{}');
const connection = datasource.url ? parseUrl(datasource.url) : { host: '127.0.0.1', port: 1, database: 'none' };

if (process.argv.includes('cli')) await runCliCommand(process.argv.at(-1));
else await serve();

/** `schema-engine cli can-connect-to-database|create-database`: the CLI asks before it starts the engine. */
async function runCliCommand(command) {
  const creates = command === 'create-database';
  const client = new pg.Client(creates ? { ...connection, database: 'postgres' } : connection);
  try {
    await client.connect();
    if (creates) await client.query(`create database ${client.escapeIdentifier(connection.database)}`);
    await client.end();
  } catch (error) {
    const message = error.message || `Can't reach database server at ${connection.host}:${connection.port}`;
    const fields = { error_code: prismaCode(error), message, is_panic: false };
    console.error(
      `\n${JSON.stringify({ timestamp: new Date().toISOString(), level: 'ERROR', fields, target: 'schema_engine::logger' })}`,
    );
    process.exitCode = 1;
  }
}

/** P1003 no such database · P1000 wrong password · P1001 nobody answers · P1010 anything else that denies access. */
function prismaCode(error) {
  if (error.code === '3D000') return 'P1003';
  if (error.code === '28P01') return 'P1000';
  return error.code?.startsWith('E') ? 'P1001' : 'P1010';
}

async function serve() {
  const engine = await loadEngine();
  let current;
  process.on('uncaughtException', (error) => {
    sendError(current, new Error(globalThis.PRISMA_WASM_PANIC_REGISTRY.get() || error.message), true);
    process.exit(101);
  });
  // One request at a time, in order: the engine is one object with one state.
  for await (const line of createInterface({ input: process.stdin })) {
    if (!line.trim()) continue;
    const { id, method, params } = JSON.parse(line);
    if (!method) continue; // the CLI's answer to one of our own requests
    current = id;
    await answer(engine, id, method, params).catch((error) => sendError(id, error, false));
  }
  process.exit(0);
}

async function answer(engine, id, method, params) {
  const name = method === 'getDatabaseVersion' ? 'version' : method;
  if (typeof engine[name] !== 'function')
    throw new Error(`${method} is not supported by the WebAssembly schema engine`);
  const result = (await engine[name](params)) ?? {};
  if (method !== 'diff' || !result.stdout) return send({ id, result });
  // The native engine has the CLI print a diff; the WebAssembly one returns it.
  send({ id: `print-${id}`, method: 'print', params: { content: result.stdout } });
  send({ id, result: { ...result, stdout: null } });
}

function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

function sendError(id, error, isPanic) {
  const message = error.message?.split('\n   0: ')[0]; // without the Rust backtrace
  const known = error.code ? { error_code: error.code, meta: error.meta ?? {} } : {};
  const data = { is_panic: isPanic, message, backtrace: null, ...known };
  send({ id, error: { code: 4466, message: 'An error happened. Check the data field for details.', data } });
}

async function loadEngine() {
  globalThis.PRISMA_WASM_PANIC_REGISTRY = {
    message: '',
    set_message(message) {
      this.message = message;
    },
    get() {
      return this.message;
    },
  };
  const script = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bindings = await import(pathToFileURL(script).href);
  const wasm = readFileSync(path.join(path.dirname(script), 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(wasm, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();

  const datamodels = optionValues('--datamodels').map((file) => [file, readFileSync(file, 'utf8')]);
  const options = { datamodels: datamodels.length > 0 ? datamodels : undefined };
  return bindings.SchemaEngine.new(options, () => undefined, bindMigrationAwareSqlAdapterFactory(adapterFactory()));
}

function adapterFactory() {
  markCharColumns();
  const factory = new PrismaPg(connection);
  const connect = factory.connect.bind(factory);
  factory.connect = async () => corrected(await connect());
  factory.connectToShadowDb = connectToShadowDatabase;
  return factory;
}

/** The adapter drops its shadow database while its own pool is still connected to it, which fails. */
async function connectToShadowDatabase() {
  if (datasource.shadowDatabaseUrl)
    return corrected(await new PrismaPg(parseUrl(datasource.shadowDatabaseUrl)).connect());
  const database = `prisma_shadow_${process.pid}_${Date.now()}`;
  const administrator = new pg.Client(connection);
  await administrator.connect();
  await administrator.query(`create database "${database}"`);
  const adapter = corrected(await new PrismaPg({ ...connection, database }).connect());
  const dispose = adapter.dispose.bind(adapter);
  adapter.dispose = async () => {
    await dispose();
    await administrator.query(`drop database if exists "${database}" with (force)`);
    await administrator.end();
  };
  return adapter;
}

function corrected(adapter) {
  // The adapter splits a script at every semicolon, also inside function bodies: send it whole.
  adapter.executeScript = async (sql) => {
    try {
      await adapter.underlyingDriver().query(sql);
    } catch (error) {
      adapter.onError(error);
    }
  };
  const { queryRaw } = adapter;
  adapter.queryRaw = async (query) => {
    let fields = [];
    const spy = Object.create(adapter, {
      performIO: {
        value: async (statement) => {
          const result = await adapter.performIO(statement);
          fields = result.fields;
          return result;
        },
      },
    });
    const result = await queryRaw.call(spy, query);
    for (const [index, field] of fields.entries()) if (field.wasChar) result.columnTypes[index] = CHARACTER_COLUMN;
    return result;
  };
  return adapter;
}

/** The engine reads catalogue columns of type "char", which the adapter does not know: pass them off as char(n). */
function markCharColumns() {
  const Result = require('pg/lib/result');
  const { addFields } = Result.prototype;
  Result.prototype.addFields = function (fields) {
    for (const field of fields) {
      if (field.dataTypeID !== CHAR_OID) continue;
      field.dataTypeID = BPCHAR_OID;
      field.wasChar = true;
    }
    return addFields.call(this, fields);
  };
}

/** Given as parts, because the adapter keeps the main database for its shadow when it gets a connection string. */
function parseUrl(text) {
  const url = new URL(text);
  const sslMode = url.searchParams.get('sslmode') ?? 'disable';
  return {
    host: url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    ssl: sslMode === 'disable' ? false : { rejectUnauthorized: sslMode !== 'require' },
  };
}

function optionValues(name) {
  return process.argv.flatMap((argument, index) => (argument === name ? [process.argv[index + 1]] : []));
}
