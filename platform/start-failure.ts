/**
 * A sentence a person can act on, for the usual reasons a process cannot start. `choosePort` shows how to choose another
 * port.
 */
export function startFailure(error: unknown, choosePort = 'PORT=… npm run …'): string {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `port ${port ?? ''} is taken by another program. Choose another one: ${choosePort}`;
  if (code === 'EACCES' && port)
    return `port ${port} may not be opened by this user. Choose one above 1023: ${choosePort}`;
  if (code === 'ENOSPC') return 'the disk is full. Free some space and start again.';
  return error instanceof Error ? message : String(error);
}
