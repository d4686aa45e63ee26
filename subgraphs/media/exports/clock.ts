/** `hh:mm:ss` and milliseconds behind the separator: `.` in WebVTT, `,` in SubRip. More than 99 hours take more digits. */
export function clockTime(ms: number, separator: '.' | ','): string {
  const pad = (value: number, digits: number): string => String(value).padStart(digits, '0');
  const seconds = Math.floor(ms / 1_000);
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${parts.map((part) => pad(part, 2)).join(':')}${separator}${pad(ms % 1_000, 3)}`;
}
