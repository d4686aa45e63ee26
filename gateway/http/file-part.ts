import { Readable } from 'node:stream';
import type { Upload } from 'graphql-upload-minimal';
import { type FileUpload } from 'graphql-upload-minimal';
import { SautiError } from '../../platform/errors';

/** What the class has beside its published type. */
export interface ReceivedUpload extends Upload {
  resolve(file: FileUpload): void;
  reject(error: Error): void;
}

/** A file grew beyond the limit of one upload. */
export class FileTooLargeError extends SautiError {
  constructor(readonly limitBytes: number) {
    super('BAD_USER_INPUT', `A file must not be larger than ${limitBytes} bytes.`);
    this.name = 'FileTooLargeError';
  }
}

/**
 * One file of a multipart request on its way from the parser to whoever reads it. The reader gets a stream of its own:
 * the parser's must always be read to its end, or the rest of the request would never arrive.
 */
export class FilePart {
  private source: Readable | undefined;
  private failure: Error | undefined;
  private ended = false;
  private readonly stream: Readable;

  constructor(
    private readonly key: string,
    private readonly upload: ReceivedUpload,
    private readonly maxBytes: number,
  ) {
    this.stream = new Readable({
      read: () => this.source?.resume(),
      destroy: (error, done) => {
        this.source?.resume(); // with nobody left to read, the rest runs dry
        done(error);
      },
    });
    // Fails, perhaps before anyone listens; that alone must not end the process.
    this.stream.on('error', () => {});
  }

  /** Connects the parser's stream; false when this part has had its file, or failed. */
  start(source: Readable, info: { filename: string; encoding: string; mimeType: string }): boolean {
    if (this.source || this.failure) return false;
    this.source = source;
    source.on('data', (chunk: Buffer) => {
      if (!this.stream.destroyed && !this.stream.push(chunk)) source.pause();
    });
    source.once('limit', () => this.fail(new FileTooLargeError(this.maxBytes)));
    source.once('end', () => {
      this.ended = true;
      if (!this.stream.destroyed) this.stream.push(null);
    });
    source.on('error', (cause) => this.fail(new Error('The body was cut off in this file.', { cause })));
    source.pause();
    this.upload.resolve(this.fileUpload(info));
    return true;
  }

  /** Makes the stream fail, unless the whole file is in; a reader sees the error instead of an end. */
  fail(error: Error): void {
    if (this.ended || this.failure) return;
    this.failure = error;
    this.upload.reject(error);
    this.stream.destroy(error);
  }

  /** Nobody reads it any more: what still arrives runs dry, and who waits for its beginning is told. */
  discard(): void {
    this.upload.reject(new Error('The request is over.'));
    this.stream.destroy();
  }

  private fileUpload(info: { filename: string; encoding: string; mimeType: string }): FileUpload {
    let taken = false;
    return {
      fieldName: this.key,
      filename: info.filename ?? '',
      mimetype: info.mimeType,
      encoding: info.encoding,
      createReadStream: () => {
        if (this.failure) throw this.failure;
        if (taken) throw new Error('The stream of an upload can be read once.');
        taken = true;
        // The published type says fs.ReadStream; readers only use what every Readable has.
        return this.stream as ReturnType<FileUpload['createReadStream']>;
      },
    };
  }
}
