import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MARK = 'v1.';

/** Keeps secrets that have to be read again unreadable in the database. */
export interface Seal {
  seal(text: string): string;
  /** Throws for what was not sealed with this key, or was changed. */
  unseal(sealed: string): string;
}

/**
 * AES-256-GCM with a key that is derived from the deployment's secret for one purpose (HKDF, RFC 5869), and a random nonce
 * for each text (NIST SP 800-38D §8.2.2).
 */
export function createSeal(secret: string, purpose: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, 'sauti', `seal:${purpose}`, 32));
  return {
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, key, nonce);
      const bytes = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return MARK + bytes.toString('base64url');
    },
    unseal(sealed) {
      if (!sealed.startsWith(MARK)) throw new Error('This text was not sealed.');
      const bytes = Buffer.from(sealed.slice(MARK.length), 'base64url');
      if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('This text was not sealed.');
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString(
        'utf8',
      );
    },
  };
}

/** Whether the text looks like one that was sealed. */
export function isSealed(text: string): boolean {
  return text.startsWith(MARK);
}
