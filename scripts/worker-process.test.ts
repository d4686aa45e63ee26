import type { Logger } from '../platform/logger';
import { waitFor } from '../platform/testing/wait';
import { startWorkerProcess } from './worker-process';

test('a worker process that cannot be started is told and tried again, and stopping does not wait for it', async () => {
  const told: string[] = [];
  const tell = (_details: object, message: string): void => void told.push(message);
  const logger: Logger = { debug: tell, info: tell, warn: tell, error: tell, child: () => logger };
  const worker = startWorkerProcess(logger, '/no/such/node');
  await waitFor('the second try', () => told.length === 2);
  await worker.stop();
  expect(told).toEqual(Array(2).fill('the worker process could not be started; trying again'));
});
