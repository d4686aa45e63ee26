import { cutOff, readProbe, type ReadProbeOptions } from './read-probe';
import { parseProbe, type MediaInspection } from './probe-output';

export type InspectOptions = ReadProbeOptions;

/**
 * Reads what a file on local disk contains, opening nothing but that file. Everything a header can show to be unusable
 * for transcription is refused here; what only decoding shows is refused by `decodePcm`.
 * Throws MediaProblem (the file can never work), EngineUnavailableError (no ffprobe), DecoderFailedError (ffprobe was
 * killed or ran out of time), the file system's error when the path cannot be read, or the signal's reason.
 */
export async function inspectMedia(filePath: string, options: InspectOptions): Promise<MediaInspection> {
  const { output, durationIsEstimate, isCutOff } = await readProbe(filePath, options);
  if (isCutOff) throw cutOff();
  return parseProbe(output, { durationIsEstimate });
}
