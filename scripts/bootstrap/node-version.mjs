/** Node 20.19 is the first that can `require` ES modules, which some dependencies are. */
const OLDEST = [20, 19];

/** Ends the process with an explanation when this Node is too old. In old syntax, so that old Nodes get this far. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  console.error(
    'Sauti needs Node.js ' +
      OLDEST.join('.') +
      ' or later; this is ' +
      process.version +
      ' (' +
      process.execPath +
      ').\n' +
      'Install a newer one, for instance from https://nodejs.org or with "nvm install 22", and try again.',
  );
  process.exit(1);
}
