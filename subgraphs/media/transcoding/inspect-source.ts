import { isMovingPicture, type ProbeStream } from '../decoder/probe-output';
import { cutOff, readProbe, type ReadProbeOptions } from '../decoder/read-probe';
import { durationOf } from '../facts/describe-probe';
import type { Contents } from './presets';

/** A recording that is to be converted. */
export interface Source {
  file: string;
  contents: Contents;
  durationMs: number | null;
  /** Height of the film as it is shown; null without one. */
  heightPx: number | null;
}

/** Reads what there is to convert. Throws as {@link readProbe}; CUT_OFF for a file that is shorter than it says. */
export async function inspectSource(file: string, options: ReadProbeOptions): Promise<Source> {
  const { output, isCutOff } = await readProbe(file, options);
  if (isCutOff) throw cutOff();
  const { streams = [] } = output;
  const film = streams.find(isMovingPicture);
  return {
    file,
    contents: { hasSound: streams.some((stream) => stream.codec_type === 'audio'), hasPicture: film !== undefined },
    durationMs: durationOf(output),
    heightPx: film ? shownHeight(film) : null,
  };
}

/** Telephones film upright by turning the picture a quarter. */
function shownHeight({ width = 0, height = 0, side_data_list: sideData = [] }: ProbeStream): number {
  const turned = sideData.some(({ rotation = 0 }) => Math.abs(rotation % 180) === 90);
  return turned ? width : height;
}
